/** Tickets: how a page that cannot send a key opens one stream, and nothing else. */
import { describe, expect, test } from "vitest";
import { RunningApi } from "./running-api.ts";
import { completed } from "./samples.ts";

const apiKey = "loom_0123456789abcdef";
const key = { "x-api-key": apiKey };
const minute = 60_000;

async function opened(options: { readonly now?: () => number; readonly apiKey?: string } = {}) {
  const { now, ...config } = options;
  const api = await RunningApi.open({ apiKey, ...config }, now === undefined ? {} : { now });
  const id = await api.task();
  const issue = async (stream: string): Promise<string> => {
    const { status, body } = await api.post("/stream-tickets", { stream }, { "x-api-key": config.apiKey ?? apiKey });
    expect(status).toBe(201);
    return (body as { readonly url: string }).url;
  };
  const knock = async (path: string): Promise<number> => (await api.send("HEAD", path)).status;
  return { api, id, issue, knock, [Symbol.asyncDispose]: () => api.close() };
}

describe("a ticket", () => {
  test("opens its stream without a key, again and again", async () => {
    await using at = await opened({ now: () => Date.UTC(2026, 0, 1) });
    const url = await at.issue(`/tasks/${at.id}/stream`);
    at.api.loom.append(at.id, completed);
    for (const from of [0, 1]) {
      await using stream = await at.api.stream(`${url}&after=${from}`);
      expect((await stream.rest()).flatMap(({ id }) => id ?? [])).toEqual(["1", "2"].slice(from));
    }
    expect(await at.knock(`/tasks/${at.id}/stream`)).toBe(401);
  });

  test("opens nothing else", async () => {
    await using at = await opened();
    const query = (await at.issue(`/tasks/${at.id}/stream`)).split("?")[1];
    const other = await at.api.task();
    for (const path of [`/tasks/${other}/stream`, `/tasks/${at.id}/tokens`, "/stream", `/tasks/${at.id}`])
      expect([path, await at.knock(`${path}?${query}`)]).toEqual([path, 401]);
    expect((await at.api.post(`/tasks/${at.id}/stream?${query}`)).status).toBe(401);
  });

  test.each(["/stream", "/tasks/ID/tokens"])("can be had for %s", async (path) => {
    await using at = await opened();
    expect(await at.knock(await at.issue(path.replace("ID", at.id)))).toBe(200);
  });

  test("that was tampered with opens nothing", async () => {
    await using at = await opened();
    const url = await at.issue("/stream");
    const swapped = url.endsWith("A") ? "B" : "A";
    for (const odd of [`${url.slice(0, -1)}${swapped}`, `${url}x`, "/stream?ticket=", "/stream?ticket=a.b.c"])
      expect([odd, await at.knock(odd)]).toEqual([odd, 401]);
  });

  test("that nobody used within a minute is over; one that was used lasts a day", async () => {
    let now = Date.now();
    await using at = await opened({ now: () => now });
    const [unused, used] = [await at.issue("/stream"), await at.issue("/stream")];
    expect(await at.knock(used)).toBe(200);
    now += minute + 1;
    expect([await at.knock(unused), await at.knock(used)]).toEqual([401, 200]);
    now += 24 * 60 * minute;
    await at.issue("/stream");
    expect(await at.knock(used)).toBe(401);
  });

  test("goes on after a restart, with the same key only", async () => {
    let now = Date.now();
    const url = await (async () => {
      await using at = await opened({ now: () => now });
      return await at.issue("/stream");
    })();
    now += 5 * minute;
    await using same = await opened({ now: () => now });
    await using other = await opened({ now: () => now, apiKey: "loom_another" });
    expect([await same.knock(url), await other.knock(url)]).toEqual([200, 401]);
  });

  test("lets no foreign page in", async () => {
    await using at = await opened();
    const url = await at.issue("/stream");
    expect((await at.api.get(url, { origin: "https://evil.example" })).status).toBe(403);
  });
});

describe("asking for a ticket", () => {
  test("takes the key, a stream that there is, and a task that there is", async () => {
    await using at = await opened();
    expect((await at.api.post("/stream-tickets", { stream: "/stream" })).status).toBe(401);
    for (const [stream, status] of [
      ["/tasks", 422],
      ["https://evil.example/stream", 422],
      ["/stream?types=x", 422],
      ["/tasks/task_nope/stream", 404],
    ] as const)
      expect([stream, (await at.api.post("/stream-tickets", { stream }, key)).status]).toEqual([stream, status]);
  });
});

describe("a ticket for a task that ended", () => {
  test("is refused once a minute has gone by, and says what to do", async () => {
    let now = Date.UTC(2026, 0, 1);
    await using at = await opened({ now: () => now });
    const url = await at.issue(`/tasks/${at.id}/stream`);
    expect(await at.knock(url)).toBe(200);
    at.api.loom.append(at.id, completed);
    now += minute;
    expect(await at.knock(url)).toBe(200);
    now += minute;
    const { status, text } = await at.api.get(url);
    expect([status, text.includes("POST /stream-tickets")]).toEqual([401, true]);
    expect((await at.api.get(url, key)).status).toBe(200);
  });
});
