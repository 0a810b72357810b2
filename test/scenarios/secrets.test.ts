/**
 * Secrets planted where Loom can come upon them, and looked for wherever it writes or speaks: a real server, its tools, its
 * database, its log, a webhook, streams, and what goes over the wire to every model.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openReceiver } from "../feed/receiver.ts";
import { encodings } from "../safety/encodings.ts";
import { startModelServer } from "../support/model-server.ts";
import { createPlace, type WireEvent } from "../support/scenario.ts";
import { spawnLoom } from "../support/spawned.ts";
import { answers, approves, calls, plan, works } from "../support/story.ts";

const token = 'tok-9f8e7d6c/5b4a+39&28"1706';
const password = "hunter2-correct-horse";
const byName = "only-its-name-tells";
/** As `createPlace` configures them: each model's own key. */
const modelKeys = ["not-a-real-key-hands", "not-a-real-key-head"];
const planted = [token, password, ...modelKeys];

/** What a careless program prints: each secret in each encoding, one a line. */
const leak = planted.flatMap((secret) => encodings.map(({ name, encode }) => `${name}: ${encode(secret)}`)).join("\n");

const story = [
  plan({ id: "look", description: `Look at the settings, the token is ${token}.` }),
  ...works(
    "Look at the settings",
    calls("shell_execute", { command: "cat leak.txt" }),
    calls("read_file", { path: "leak.txt" }),
    calls("search_files", { pattern: "in hex" }),
    calls("shell_execute", { command: "base64 token.txt" }),
    calls("write_file", { path: "report.txt", content: `It says ${token}` }),
    calls("shell_execute", { command: `echo ${token}` }),
    `The token is ${token}, in base64 ${Buffer.from(token).toString("base64")}, and the password ${password}.`,
  ),
  approves,
  {
    role: "extractor",
    json: [{ type: "discovery", summary: `The token is ${token}`, detail: leak, tags: [token], relevance_to: [] }],
  },
  answers,
];

/** Every way in which a planted secret stands in a text. */
function found(text: string): string[] {
  const forms = planted.flatMap((secret) =>
    encodings.map(({ name, encode }) => ({
      name: `${secret} ${name}`,
      form: encode(secret).replace(/(?:=|%3D)+$/, ""),
    })),
  );
  return forms.filter(({ form }) => text.includes(form)).map(({ name }) => name);
}

async function streamed(url: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, { signal });
  let text = "";
  try {
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) text += chunk;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return text;
}

describe("secrets that are planted everywhere", () => {
  test("are found in their own test", () => {
    expect(found(leak).length).toBeGreaterThan(100);
  });

  test("appear in no event, stream, webhook, trace, log line, prompt, answer of the API, or byte of the database", async () => {
    using place = createPlace();
    place.write("leak.txt", leak);
    place.write("token.txt", token);
    await using receiver = await openReceiver((_request, response) => void response.writeHead(204).end());
    await using model = await startModelServer({ script: { replies: story } });
    await using loom = await spawnLoom({
      config: place.configure({ url: model.url }),
      home: place.home,
      env: {
        DEPLOY_TOKEN: token,
        DATABASE_URL: `postgres://app:${password}@db/app`,
        LOOM_LOGGING__LEVEL: "debug",
      },
    });
    const logged: string[] = [];
    loom.process.stderr?.on("data", (chunk: Buffer) => logged.push(chunk.toString("utf8")));
    const { client } = loom;
    const watching = new AbortController();
    const everything = streamed(`${client.url}/stream`, watching.signal);

    const id = await client.submit({
      goal: `Look at the settings with ${token}`,
      workspace: place.workspace,
      context: { note: `use ${encodeURIComponent(token)}`, password: byName, tokens_used: "12", author: "anna" },
      metadata: { ticket: Buffer.from(token).toString("hex") },
      callback_url: `${receiver.url}/done`,
    });
    const live = streamed(`${client.url}/tasks/${id}/stream`, AbortSignal.timeout(20_000));
    const tokens = streamed(`${client.url}/tasks/${id}/tokens`, AbortSignal.timeout(20_000));
    await client.post(`/tasks/${id}/message`, { message: `Remember ${token}` });
    const view = await client.closed(id, 20);
    expect([view.status, view.errors]).toEqual(["completed", []]);
    await receiver.cameTo(1);
    watching.abort();

    const paths = [
      "",
      "/events?limit=1000",
      "/subtasks",
      "/subtasks/look/trace",
      "/memory",
      "/conversation",
      "/changes",
      "/approvals",
    ];
    const texts = await Promise.all(
      [
        ...paths.map((path) => `/tasks/${id}${path}`),
        `/memory/search?q=token`,
        "/config",
        "/models",
        "/tasks",
        "/webhooks/deliveries",
      ].map(async (path) => [path, await (await fetch(client.url + path)).text()] as const),
    );
    const diff = await (await fetch(`${client.url}/tasks/${id}/changes.diff`)).text();
    const surfaces = new Map<string, string>([
      ...texts,
      ["/changes.diff", diff],
      ["its stream", await live],
      ["its tokens", await tokens],
      ["the stream of all", await everything],
      ["webhooks", receiver.received.map(({ text }) => text).join("\n")],
      ["prompts", JSON.stringify(model.requests.map(({ body, prompt }) => [body, prompt]))],
    ]);
    expect(await loom.end("SIGTERM")).toBe(0);
    surfaces.set("the log", logged.join(""));
    for (const file of ["loom.db", "loom.db-wal"].map((name) => join(place.home, name)))
      if (existsSync(file)) surfaces.set(file, readFileSync(file, "latin1"));

    for (const [surface, text] of surfaces) expect([surface, found(text)]).toEqual([surface, []]);
    const events = JSON.parse(surfaces.get(`/tasks/${id}/events?limit=1000`) ?? "[]") as WireEvent[];
    const outputs = events
      .filter(({ event_type }) => event_type === "tool_call_completed")
      .map(({ data }) => data.output);
    expect(outputs.length).toBeGreaterThanOrEqual(6);
    for (const output of outputs.slice(0, 4)) expect(output).toContain("[redacted]");
    expect(events[0]?.data.context).toMatchObject({ password: "[redacted]", tokens_used: "12", author: "anna" });
    for (const surface of ["its tokens", "prompts", "webhooks", "the log"])
      expect(surfaces.get(surface)?.length).toBeGreaterThan(100);
    expect(surfaces.get("its tokens")).toContain("[redacted]");
    expect(
      model.requests.every(({ headers }) => modelKeys.some((key) => headers["authorization"] === `Bearer ${key}`)),
    ).toBe(true);
  });
});
