/** Who may use the server: keys, Host and Origin, and pages of other origins. */
import { request } from "node:http";
import { describe, expect, test } from "vitest";
import { createApi } from "../../src/api/server.ts";
import { LoomError } from "../../src/lib/errors.ts";
import { FakeAccess } from "../support/fake-access.ts";
import { FakeLoom } from "../support/fake-loom.ts";
import { type Answer, type Problem, RunningApi } from "./running-api.ts";

const codeOf = ({ body }: Answer) => (body as Problem | undefined)?.code;

describe("a server without a key", () => {
  test.each([
    "localhost",
    "localhost:1",
    "LOCALHOST:9000",
    "127.0.0.1",
    "[::1]:80",
    "loom.example",
    "loom.example:8443",
  ])("may be called as %s", async (host) => {
    await using api = await RunningApi.open({ allowedHosts: ["Loom.example"] });
    expect((await ask(api, { host })).status).toBe(200);
  });

  test.each([
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "10.0.0.1",
    "user@localhost",
    "localhost:port",
    "[::2]",
  ])("may not be called as %j, which is how a rebound page would", async (host) => {
    await using api = await RunningApi.open();
    const answer = await ask(api, { host });
    expect([answer.status, codeOf(answer)]).toEqual([403, "forbidden"]);
  });

  test("that listens on one name and port allows that name with any port, and a configured one with its own", async () => {
    await using api = await RunningApi.open({ allowedHosts: ["loom.example:8443"] });
    expect((await ask(api, { host: "loom.example:8443" })).status).toBe(200);
    expect((await ask(api, { host: "loom.example" })).status).toBe(403);
  });

  test("that listens everywhere may be called by any address, but by no name", async () => {
    await using api = await RunningApi.open({ host: "0.0.0.0" });
    expect((await ask(api, { host: "192.168.1.7:9000" })).status).toBe(200);
    expect((await ask(api, { host: "evil.example" })).status).toBe(403);
  });

  test.each([
    ["http://localhost:9000", 200],
    ["https://app.example", 200],
    ["http://localhost:5173", 403],
    ["https://evil.example", 403],
    ["null", 403],
  ])("answers a page of %s with %i", async (origin, status) => {
    await using api = await RunningApi.open({ allowedOrigins: ["https://app.example/"] });
    expect((await ask(api, { host: "localhost:9000", origin })).status).toBe(status);
  });

  test("lets no page start anything", async () => {
    await using api = await RunningApi.open();
    const answer = await api.send("POST", "/tasks", {
      body: { goal: "x" },
      headers: { origin: "https://evil.example" },
    });
    expect([answer.status, codeOf(answer), api.loom.calls]).toEqual([403, "forbidden", []]);
  });
});

describe("a server with a key", () => {
  const apiKey = "loom_0123456789abcdef";
  const open = () => RunningApi.open({ apiKey, allowedOrigins: ["https://app.example"] });

  test.each<Record<string, string>>([
    { authorization: `Bearer ${apiKey}` },
    { authorization: `bearer  ${apiKey}` },
    { "x-api-key": apiKey },
  ])("takes it as %j", async (headers) => {
    await using api = await open();
    expect((await api.get("/tasks", headers)).status).toBe(200);
  });

  test.each<Record<string, string>>([
    {},
    { authorization: "Bearer wrong" },
    { authorization: apiKey },
    { authorization: `Basic ${apiKey}` },
    { authorization: "Bearer " },
    { "x-api-key": `${apiKey}x` },
    { "x-api-key": "" },
  ])("refuses %j", async (headers) => {
    await using api = await open();
    const answer = await api.get("/tasks", headers);
    expect([answer.status, codeOf(answer)]).toEqual([401, "unauthorized"]);
    expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer/);
    expect(answer.text).not.toContain(apiKey);
  });

  test("asks for it before it says whether a path exists", async () => {
    await using api = await open();
    expect((await api.get("/nothing")).status).toBe(401);
    expect((await api.send("PUT", "/tasks")).status).toBe(401);
    expect((await api.get("/nothing", { "x-api-key": apiKey })).status).toBe(404);
  });

  test("asks no further of whoever shows it", async () => {
    await using api = await open();
    expect(
      (await ask(api, { host: "proxy.example", origin: "https://other.example", "x-api-key": apiKey })).status,
    ).toBe(200);
  });

  test("tells anyone how it is, by any name", async () => {
    await using api = await open();
    for (const path of ["/health", "/health/live", "/health/ready"]) {
      expect((await ask(api, { host: "10.1.2.3:9000" }, { path })).status).toBe(200);
    }
  });

  test("lets a browser ask first, without the key", async () => {
    await using api = await open();
    const headers = { origin: "https://app.example", "access-control-request-method": "POST", host: "localhost" };
    const { status, headers: got } = await ask(api, headers, { method: "OPTIONS" });
    expect(status).toBe(204);
    expect(got).toMatchObject({
      allow: "GET, HEAD, POST, OPTIONS",
      "access-control-allow-origin": "https://app.example",
      "access-control-allow-methods": "GET, HEAD, POST, OPTIONS",
      vary: "origin",
    });
    expect(String(got["access-control-allow-headers"])).toContain("x-api-key");
  });
});

describe("a page of an allowed origin", () => {
  test("may read answers and streams; others are told nothing that would let them", async () => {
    await using api = await RunningApi.open({ allowedOrigins: ["https://app.example"] });
    const id = await api.task();
    const origin = { origin: "https://app.example" };
    expect((await api.get("/tasks", origin)).headers.get("access-control-allow-origin")).toBe("https://app.example");
    await using stream = await api.stream(`/tasks/${id}/stream`, origin);
    expect(stream.response.headers.get("access-control-allow-origin")).toBe("https://app.example");
    expect((await api.get("/tasks")).headers.has("access-control-allow-origin")).toBe(false);
    const preflight = await api.send("OPTIONS", "/tasks");
    expect([preflight.status, preflight.headers.has("access-control-allow-methods")]).toEqual([204, false]);
    expect((await api.send("OPTIONS", "/nothing")).status).toBe(404);
    expect((await ask(api, { host: "localhost", origin: "https://evil.example" }, { method: "OPTIONS" })).status).toBe(
      403,
    );
  });
});

describe("listening", () => {
  const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const access = new FakeAccess();
  const make = (host: string, port: number) =>
    createApi({
      keys: access.keys,
      audit: access.audit,
      loom: new FakeLoom(),
      log: silent,
      version: "1.2.3",
      config: {
        host,
        port,
        apiKey: null,
        allowedHosts: [],
        allowedOrigins: [],
        bodyLimitBytes: 1024,
        heartbeatMs: 3000,
      },
    });

  test("on a port that is taken says which, and what to do", async () => {
    await using api = await RunningApi.open();
    await using second = make("127.0.0.1", api.port);
    const failure = await second.listen().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LoomError);
    expect(failure).toMatchObject({
      code: "config_invalid",
      message: expect.stringContaining(`127.0.0.1:${api.port}`) as unknown,
      hint: expect.any(String) as unknown,
    });
  });

  test.each([
    ["0.0.0.0", "http://127.0.0.1"],
    ["127.0.0.1", "http://127.0.0.1"],
  ])("on %s is told as %s", async (host, start) => {
    await using api = make(host, 0);
    const { url, port } = await api.listen();
    expect(url).toBe(`${start}:${port}`);
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  test("that never began is closed all the same", async () => {
    await expect(make("127.0.0.1", 0)[Symbol.asyncDispose]()).resolves.toBeUndefined();
  });
});

interface RawAnswer extends Answer {
  readonly headers: Headers & Record<string, unknown>;
}

/** As fetch, but with any Host. */
async function ask(
  api: RunningApi,
  headers: Readonly<Record<string, string>>,
  { method = "GET", path = "/tasks" }: { readonly method?: string; readonly path?: string } = {},
): Promise<RawAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>();
  const outgoing = request({ host: "127.0.0.1", port: api.port, method, path, headers, agent: false }, (response) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      text += chunk;
    });
    response.on("end", () => {
      const body: unknown = text === "" ? undefined : JSON.parse(text);
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers as unknown as RawAnswer["headers"],
        text,
        body,
      });
    });
  });
  outgoing.on("error", reject).end();
  return await promise;
}
