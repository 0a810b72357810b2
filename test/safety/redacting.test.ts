/** Where secrets are taken out: what passes each wrapped port, and what stays as it is. */
import { describe, expect, test } from "vitest";
import type { AuditFacts } from "../../src/ports/access.ts";
import type { Append, EventStore } from "../../src/ports/event-store.ts";
import type { ModelReply, ModelRequest, Models } from "../../src/ports/model.ts";
import type { PreparedCall, Tool, ToolContext } from "../../src/ports/tool.ts";
import { createRedaction, redacted } from "../../src/safety/redact.ts";
import {
  redactingAudit,
  redactingCommands,
  redactingModels,
  redactingStore,
  redactingTools,
} from "../../src/safety/redacting.ts";

const secret = "sk-9f8e7d6c5b4a39281706";
const redaction = createRedaction([secret]);
const { signal } = new AbortController();

describe("a tool", () => {
  const context = {} as ToolContext; // none of these tools looks at it
  const tool = (prepared: Partial<PreparedCall> | string): Tool => ({
    schema: { name: "t", description: "", parameters: {} },
    effectClass: "pure",
    risk: "low",
    timeoutMs: 1,
    prepare: async () =>
      typeof prepared === "string"
        ? { ok: false, error: prepared }
        : {
            ok: true,
            value: {
              action: { tool: "t", reads: [secret], writes: [], deletes: [], hosts: [] },
              destructive: false,
              run: async () => ({ success: true, output: secret, error: `no ${secret}`, data: [secret], exitCode: 3 }),
              ...prepared,
            },
          },
  });
  const wrapped = (inner: Tool) => redactingTools({ all: () => [inner], forTask: async () => [inner] }, redaction);

  test("says no secret, and does what it does with the paths it was given", async () => {
    const tools = wrapped(tool({}));
    const [found] = await tools.forTask({ workspace: context.workspace, someoneCanAnswer: false });
    expect(tools.all()).toEqual([found]);
    const prepared = await found?.prepare({}, context);
    expect(prepared).toMatchObject({ ok: true, value: { action: { reads: [secret] } } });
    const result = prepared?.ok === true ? await prepared.value.run(signal) : null;
    expect(result).toEqual({ success: true, output: redacted, error: `no ${redacted}`, data: [redacted], exitCode: 3 });
  });

  test("refuses without a secret too", async () => {
    const [bad] = wrapped(tool(`not ${secret}`)).all();
    expect(await bad?.prepare({}, context)).toEqual({ ok: false, error: `not ${redacted}` });
    const [failing] = wrapped(tool({ failure: { success: false, output: secret } })).all();
    expect(await failing?.prepare({}, context)).toMatchObject({
      value: { failure: { success: false, output: redacted } },
    });
  });
});

describe("a command of the harness", () => {
  test("prints no secret; ending what it left goes straight through", async () => {
    const commands = redactingCommands(
      { run: async (command) => ({ exitCode: 0, output: command, timedOut: false }), reap: async () => 7 },
      redaction,
    );
    const options = { cwd: "/", timeoutMs: 1, marker: "m", signal };
    expect(await commands.run(`echo ${secret}`, options)).toEqual({
      exitCode: 0,
      output: `echo ${redacted}`,
      timedOut: false,
    });
    expect(await commands.reap("m")).toBe(7);
  });
});

describe("a model", () => {
  const reply: ModelReply = {
    text: `it is ${secret}`,
    toolCalls: [{ id: "1", name: "t", arguments: { command: `echo ${secret}` } }],
    finish: "stop",
    usage: { input_tokens: 1, output_tokens: 1 },
    model: "m",
    repaired: [],
  };
  const asked: ModelRequest[] = [];
  const info = { base_url: `http://x/?key=${secret}` };
  const inner = {
    call: async (...[, request, { onToken }]: Parameters<Models["call"]>) => {
      asked.push(request);
      for (const token of ["it is sk-9f8e", "7d6c5b4a3928", "1706, and sk-9"]) onToken?.(token);
      return reply;
    },
    first: () => null,
    window: () => Promise.resolve(null),
    missingRoles: () => [],
    list: () => [info],
    readJson: () => null,
    probe: async () => [info],
  } as unknown as Models; // what the wrapper passes on
  const models = redactingModels(inner, redaction);
  const pick = { role: "executor", tier: 1, taskId: "t", priority: "work" } as const;

  test("is told no secret, its own neither, and the same message is looked at once", async () => {
    const message = { role: "user", content: `use ${secret}` } as const;
    const plain = { role: "system", content: "be good" } as const;
    await models.call(pick, { messages: [plain, message] }, { signal });
    await models.call(pick, { messages: [plain, message] }, { signal });
    const [first, second] = asked;
    expect(first?.messages).toEqual([plain, { role: "user", content: `use ${redacted}` }]);
    expect(first?.messages[0]).toBe(plain);
    expect(second?.messages[1]).toBe(first?.messages[1]);
  });

  test("says none that was guessed, token by token neither, and loses no other word", async () => {
    const tokens: string[] = [];
    const answer = await models.call(pick, { messages: [] }, { signal, onToken: (token) => tokens.push(token) });
    expect(answer).toMatchObject({
      text: `it is ${redacted}`,
      toolCalls: [{ arguments: { command: `echo ${redacted}` } }],
    });
    expect(tokens.join("")).toBe(`it is ${redacted}, and sk-9`);
    expect(tokens).not.toContain("");
  });

  test("is listed without one", async () => {
    const shown = [{ base_url: `http://x/?key=${redacted}` }];
    expect([models.list(), await models.probe("first", signal)]).toEqual([shown, shown]);
    expect([models.first(pick), models.missingRoles(), models.readJson("{}")]).toEqual([null, [], null]);
  });
});

describe("the store and the audit log", () => {
  test("keep steps and facts without secrets, and all else as it came", async () => {
    const kept: unknown[] = [];
    const inner = { append: async (batch: Append) => void kept.push(batch), lastGlobal: async () => 9 };
    const store = redactingStore(inner as unknown as EventStore, redaction);
    const bare = { taskId: "t" } as Append;
    const step = { scope: "s", step: "1", effectClass: "pure", started: { args: secret } } as const;
    await store.append(bare);
    await store.append({ ...bare, steps: [step] });
    expect(kept[0]).toBe(bare);
    expect(kept[1]).toEqual({ ...bare, steps: [{ ...step, started: { args: redacted } }] });
    expect(await store.lastGlobal()).toBe(9);

    const facts = { at: 1, actor: "a", keyId: null, remote: "r", action: "x", subject: secret, outcome: "ok" };
    const rows: AuditFacts[] = [];
    await redactingAudit({ record: async (row) => void rows.push(row) }, redaction).record(facts);
    expect(rows).toEqual([{ ...facts, subject: redacted }]);
  });
});
