/** Keys on a real server: made and revoked beside it, kept to their limits, told in events and in the audit log. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { KeyWish } from "../../src/ports/access.ts";
import { createAccessCare } from "../../src/storage/access-care.ts";
import { createPlace, type Json, startScenario } from "../support/scenario.ts";
import { spawnLoom } from "../support/spawned.ts";
import { calls, ending, plan, works } from "../support/story.ts";

const care = createAccessCare();
const binary = fileURLToPath(new URL("../../bin/loom.mjs", import.meta.url));
const wish = (name: string, more: Partial<KeyWish> = {}): KeyWish => ({
  name,
  scopes: ["read", "submit"],
  ratePerMinute: null,
  tasksMax: null,
  tokensPerDay: null,
  microUsdPerDay: null,
  ...more,
});
const story = [
  plan({ id: "one", description: "Say it." }),
  ...works("Say it.", calls("write_file", { path: "one.txt", content: "1" }), "one.txt says it."),
  ...ending,
];

async function ask(
  url: string,
  { key, method = "GET", body }: { readonly key?: string; readonly method?: string; readonly body?: object } = {},
): Promise<{ readonly status: number; readonly body: Json; readonly headers: Headers }> {
  const response = await fetch(url, {
    method,
    headers: {
      ...(key === undefined ? {} : { "x-api-key": key }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

/** Runs `loom` to its end. */
async function loom(words: readonly string[], home: string): Promise<{ readonly code: number; readonly err: string }> {
  const child = spawn(process.execPath, [binary, ...words], { cwd: home, env: { ...process.env, HOME: home } });
  let err = "";
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString("utf8")));
  const [code] = (await once(child, "close")) as [number];
  return { code, err };
}

describe("a server that runs", () => {
  test("knows at once of keys that are made and revoked, keeps each to its quota over a restart, and tells who did what", async () => {
    await using scenario = await startScenario({ script: { replies: story } });
    const { place } = scenario;
    const file = join(place.home, "loom.db");
    const tasks = (): string => `${scenario.client.url}/tasks`;
    expect((await ask(tasks())).status).toBe(200);

    const anna = await care.createKey(file, wish("anna", { tasksMax: 2 }));
    const boss = await care.createKey(file, wish("boss", { scopes: ["read", "approve", "admin"] }));
    expect((await ask(tasks())).status).toBe(401);
    // A plan that waits for a yes: open until then.
    const submit = (key: string) => ask(tasks(), { key, method: "POST", body: { goal: "Say it", approve_plan: true } });
    const racing = await Promise.all([1, 2, 3, 4].map(() => submit(anna.text)));
    expect(racing.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 201, 429, 429]);
    const refused = racing.find(({ status }) => status === 429);
    expect(refused?.body).toMatchObject({
      code: "quota_exceeded",
      hint: expect.stringContaining("--max-tasks") as unknown,
    });
    expect(refused?.headers.get("retry-after")).toBe("10");
    expect((await submit(boss.text)).body).toMatchObject({ code: "forbidden", scope_needed: "submit" });

    await scenario.restart();
    expect((await submit(anna.text)).status).toBe(429);
    const taken = racing.filter(({ status }) => status === 201).map(({ body }) => String(body.task_id));
    const [first = "", second = ""] = taken;
    await expect
      .poll(async () => (await ask(`${tasks()}/${first}`, { key: anna.text })).body.status, { timeout: 10_000 })
      .toBe("waiting_approval");
    const yes = { subtask_id: "plan", approved: true };
    expect((await ask(`${tasks()}/${first}/approve`, { key: anna.text, method: "POST", body: yes })).status).toBe(403);
    expect((await ask(`${tasks()}/${first}/approve`, { key: boss.text, method: "POST", body: yes })).status).toBe(200);
    expect((await ask(`${tasks()}/${first}?wait=15`, { key: anna.text })).body.status).toBe("completed");
    expect((await submit(anna.text)).status).toBe(201);

    const events = (await ask(`${tasks()}/${first}/events`, { key: anna.text })).body as {
      event_type: string;
      data: Json;
    }[];
    const dataOf = (type: string): Json => events.find(({ event_type }) => event_type === type)?.data;
    expect(dataOf("task_created").submitted_by).toBe("anna");
    expect(dataOf("approval_received")).toMatchObject({ by: "boss", approved: true });

    await care.revokeKey(file, anna.key.id);
    expect((await ask(`${tasks()}/${second}/cancel`, { key: anna.text, method: "POST" })).status).toBe(401);
    expect((await ask(`${scenario.client.url}/config`, { key: boss.text })).status).toBe(200);
    const rows = (await care.auditRows(file, 100)).map(({ actor, action, subject, outcome }) => [
      actor,
      action,
      subject,
      outcome,
    ]);
    const cli = expect.stringMatching(/^cli:./) as unknown;
    expect(rows.slice(0, 2)).toEqual([
      [cli, "key.create", anna.key.id, "ok"],
      [cli, "key.create", boss.key.id, "ok"],
    ]);
    expect(rows).toContainEqual(["anna", "task.submit", first, "ok"]);
    expect(rows.slice(-6)).toEqual([
      ["boss", "task.submit", null, "refused:403"],
      ["anna", "approval.decide", first, "refused:403"],
      ["boss", "approval.decide", first, "ok"],
      ["anna", "task.submit", expect.stringMatching(/^task_/) as unknown, "ok"],
      [cli, "key.revoke", anna.key.id, "ok"],
      ["boss", "config.read", null, "ok"],
    ]);
    expect((await care.verifyAudit(file)).fault).toBeNull();
    expect((await care.keys(file)).every(({ lastUsedAt }) => lastUsedAt !== null)).toBe(true);
  });
});

describe("a server that would listen beyond this machine", () => {
  test("ends with 78 without a key, and says how one is made; with a key that was made it starts", async () => {
    using place = createPlace();
    const config = place.configure({ url: "http://127.0.0.1:1" });
    const refused = await loom(["serve", "--host", "0.0.0.0", "--port", "0", "--config", config], place.home);
    expect(refused.code).toBe(78);
    expect(refused.err).toContain('does not listen on "0.0.0.0" without a key');
    expect(refused.err).toContain("loom keys create");
    expect(refused.err).toContain("LOOM_SERVER__API_KEY");

    const { key, text } = await care.createKey(join(place.home, "loom.db"), wish("me"));
    const env = { LOOM_SERVER__HOST: "0.0.0.0" };
    await using server = await spawnLoom({ config, home: place.home, env });
    expect((await ask(`${server.client.url}/tasks`)).status).toBe(401);
    expect((await ask(`${server.client.url}/tasks`, { key: text })).status).toBe(200);
    expect(await server.end("SIGTERM")).toBe(0);

    await care.revokeKey(join(place.home, "loom.db"), key.id);
    const again = await loom(["serve", "--host", "0.0.0.0", "--port", "0", "--config", config], place.home);
    expect(again.code).toBe(78);
  });
});
