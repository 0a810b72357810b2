import { createServer, type Server } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { discoverModels } from "../../src/config/discover.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function answering(body: unknown, status = () => 200): Promise<string> {
  const server = createServer((_request, response) =>
    response.writeHead(status(), { "content-type": "application/json" }).end(JSON.stringify(body)),
  );
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}

const candidate = (title: string, baseUrl: string) => ({
  title,
  provider: "openai_compatible" as const,
  baseUrl,
  list: "/models",
});

describe("with no models configured", () => {
  test("a model server on its usual port is found and chosen for every role", async () => {
    const url = await answering({ data: [{ id: "nomic-embed-text" }, { id: "qwen3:8b" }] });
    const found = await discoverModels({}, [candidate("Nobody", "http://127.0.0.1:1"), candidate("Server", url)]);
    expect(found.models["discovered"]).toMatchObject({
      model: "qwen3:8b",
      base_url: url,
      roles: ["planner", "executor", "verifier", "extractor", "compactor"],
    });
    expect(found.said.join("\n")).toContain("chose qwen3:8b at Server for every role");
  });

  test("a model server that still loads its model is waited for, and named when it takes too long", async () => {
    let loading = 2;
    const url = await answering({ data: [{ id: "qwen3:8b" }] }, () => (loading-- > 0 ? 503 : 200));
    const found = await discoverModels({}, [candidate("Slow", url)]);
    expect(found.models["discovered"]?.model).toBe("qwen3:8b");
    loading = Number.POSITIVE_INFINITY;
    const given = await discoverModels({}, [candidate("Slow", url)], 0);
    expect(given.models).toEqual({});
    expect(given.said[0]).toContain("Slow at http");
    expect(given.said[0]).toContain("still loads its model");
  });

  test("a key in the environment is taken before a local server", async () => {
    expect((await discoverModels({ ANTHROPIC_API_KEY: "k" }, [])).models["discovered"]).toMatchObject({
      provider: "anthropic",
      api_key: "k",
    });
    expect((await discoverModels({ OPENAI_API_KEY: "k" }, [])).models["discovered"]).toMatchObject({
      provider: "openai_compatible",
    });
  });

  test("nothing found says where it looked and how to cure it", async () => {
    const odd = await answering("not a list");
    const found = await discoverModels({}, [candidate("Odd", odd), candidate("Nobody", "http://127.0.0.1:1")]);
    expect(found.models).toEqual({});
    expect(found.said.at(-1)).toMatch(/none found: looked for .*Nobody.*add a \[models/);
  });
});
