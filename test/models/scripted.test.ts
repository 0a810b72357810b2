/** Scripts: which reply is played when, and the same script by the scripted provider and by the server of the tests. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { createModels } from "../../src/models/catalog.ts";
import { parseScript, type Script, ScriptPlayer } from "../../src/models/script.ts";
import type { ModelRequest, Models } from "../../src/ports/model.ts";
import { startModelServer } from "../support/model-server.ts";
import { containing, failureOf, pick } from "./served-world.ts";
import { KeptLog, middling, realClock } from "./world.ts";

const never = new AbortController().signal;
const deps = { clock: realClock, random: middling, log: new KeptLog(), retry: { baseMs: 1 } };

async function scripted(script: unknown): Promise<Models & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "loom-script-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const path = join(folder, "script.json");
  await writeFile(path, typeof script === "string" ? script : JSON.stringify(script));
  const models = stack.use(createModels([{ name: "demo", provider: "scripted", script: path }], deps));
  const owned = stack.move();
  return Object.assign(models, { [Symbol.asyncDispose]: () => owned.disposeAsync() });
}

function ask(system: string, user: string, turns = 0): ModelRequest {
  const past = Array.from({ length: turns }, () => ({ role: "assistant" as const, content: "…" }));
  return { messages: [{ role: "system", content: system }, { role: "user", content: user }, ...past] };
}

const script: Script = {
  replies: [
    { role: "planner", json: { subtasks: [] } },
    { role: "answer", text: "All is well." },
    {
      role: "executor",
      when: ["alpha", "beta"],
      turn: 0,
      tool_calls: [{ name: "read_file", arguments: { path: "a" } }],
    },
    { role: "executor", turn: 1, times: 1, text: "once" },
    { role: "executor", turn: 1, text: "again" },
    { when: "slow", delay_ms: 1, text: "late" },
    { when: "fails", times: 2, error: { status: 503, retry_after_ms: 1 } },
    { when: "fails", text: "recovered" },
  ],
};

describe("a scripted model", () => {
  test("plays the first reply that fits role, words and turn, as often as it may", async () => {
    await using models = await scripted(script);
    const call = async (request: ModelRequest) => await models.call(pick, request, { signal: never });
    expect((await call(ask("You are the planner of Loom.", "x"))).text).toBe('{"subtasks":[]}');
    expect((await call(ask("You write the final answer for Loom.", "x"))).text).toBe("All is well.");
    expect((await call(ask("rules", "alpha and beta"))).toolCalls).toEqual([
      { id: "call_0_0", name: "read_file", arguments: { path: "a" } },
    ]);
    expect((await call(ask("rules", "x", 1))).text).toBe("once");
    expect((await call(ask("rules", "x", 1))).text).toBe("again");
    expect((await call(ask("rules", "slow"))).text).toBe("late");
    expect((await call(ask("rules", "fails"))).text).toBe("recovered");
  });

  test("streams what it says, and estimates what it used", async () => {
    await using models = await scripted(script);
    const tokens: string[] = [];
    const reply = await models.call(pick, ask("You write the final answer for Loom.", "x"), {
      signal: never,
      onToken: (text) => tokens.push(text),
    });
    expect(tokens).toEqual(["All ", "is ", "well."]);
    expect(reply.usage).toEqual({ input_tokens: 10, output_tokens: 3, estimated: true });
  });

  test("says what was asked when nothing fits", async () => {
    await using models = await scripted(script);
    const error = await failureOf(models.call(pick, ask("rules", "something else"), { signal: never }));
    expect(error).toMatchObject({ code: "model_refused" });
    expect(error.message).toMatch(/script\.json has no reply for role executor, turn 0, asked: "something else"/);
  });

  test("takes tools natively, and says that it is no model", async () => {
    await using models = await scripted(script);
    expect((await models.probe("first", never))[0]).toMatchObject({
      health: "up",
      provider: "scripted",
      tool_protocol: "native",
      notes: ["plays a script: no model is asked"],
    });
  });

  test.each([
    ["at replies.0.turn", { replies: [{ turn: -1 }] }],
    ["at replies.0", { replies: [{ says: "x" }] }],
    ["is not a script", "not json"],
  ])("refuses what is no script, saying where: %s", async (where, text) => {
    await using models = await scripted(text);
    expect(await failureOf(models.call(pick, ask("rules", "x"), { signal: never }))).toMatchObject({
      code: "config_invalid",
      message: containing(where),
    });
  });

  test("refuses a script that is not there", async () => {
    await using models = createModels([{ name: "demo", provider: "scripted", script: "/nowhere/script.json" }], deps);
    expect(await failureOf(models.call(pick, ask("rules", "x"), { signal: never }))).toMatchObject({
      code: "config_invalid",
      message: containing("/nowhere/script.json"),
    });
    expect((await models.probe("first", never))[0]?.health).toBe("down");
  });

  test("stops waiting when told", async () => {
    await using models = await scripted({ replies: [{ delay_ms: 60_000, text: "x" }] });
    const leaving = new AbortController();
    const call = models.call(pick, ask("rules", "x"), { signal: leaving.signal });
    leaving.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
  });
});

describe("the model server of the tests", () => {
  test.each(["openai_compatible", "ollama", "anthropic"] as const)(
    "plays the same script over the wire of %s",
    async (provider) => {
      await using server = await startModelServer({ script });
      await using models = createModels(
        [{ name: "main", provider, base_url: server.url, model: "served-model" }],
        deps,
      );
      const call = async (request: ModelRequest) => await models.call(pick, request, { signal: never });
      expect((await call(ask("You are the planner of Loom.", "x"))).text).toBe('{"subtasks":[]}');
      expect((await call(ask("You are an executor of Loom.", "alpha and beta"))).toolCalls).toMatchObject([
        { name: "read_file", arguments: { path: "a" } },
      ]);
      expect((await call(ask("You are an executor of Loom.", "x", 1))).text).toBe("once");
      expect((await call(ask("You are an executor of Loom.", "fails"))).text).toBe("recovered");
      expect(await failureOf(call(ask("rules", "else")))).toMatchObject({
        code: "model_refused",
        message: containing("no reply for role unknown"),
      });
    },
  );

  test.each([
    [
      "/v1/chat/completions",
      (body: { choices: { message: { content: string } }[] }) => body.choices[0]?.message.content,
    ],
    ["/api/chat", (body: { message: { content: string } }) => body.message.content],
    ["/v1/messages", (body: { content: { text: string }[] }) => body.content[0]?.text],
  ])("answers whole at %s when no stream is asked", async (path, textOf) => {
    await using server = await startModelServer({});
    const body = JSON.stringify({ stream: false, messages: [{ role: "user", content: "x" }] });
    const response = await fetch(`${server.url}${path}`, { method: "POST", body });
    expect(textOf((await response.json()) as never)).toBe("ok");
    expect((await fetch(`${server.url}/api/tags`)).status).toBe(200);
    expect((await fetch(`${server.url}/elsewhere`)).status).toBe(404);
  });

  test("runs in a process of its own, and ends with its parent", async () => {
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL("../support/model-server-process.ts", import.meta.url))],
      {
        stdio: ["pipe", "pipe", "inherit"],
      },
    );
    const died = once(child, "exit").then(([code]) => Promise.reject(new Error(`it ended with ${String(code)}`)));
    died.catch(() => undefined);
    const [line] = (await Promise.race([once(child.stdout, "data"), died])) as [Buffer];
    const { url } = JSON.parse(line.toString("utf8")) as { url: string };
    expect((await fetch(`${url}/v1/models`)).status).toBe(200);
    child.stdin.end();
    expect(await once(child, "exit")).toEqual([0, null]);
  });
});

describe("a script player", () => {
  test("knows a role from the opening of the system prompt before it believes the caller", () => {
    const player = new ScriptPlayer(
      parseScript(
        {
          replies: [
            { role: "verifier", text: "v" },
            { role: "executor", text: "e" },
          ],
        },
        "s",
      ),
      "s",
    );
    const messages = [{ role: "system", content: "You are a verifier of Loom." }];
    expect(player.play({ role: "executor", messages }).text).toBe("v");
    expect(player.play({ role: "executor", messages: [] }).text).toBe("e");
  });
});
