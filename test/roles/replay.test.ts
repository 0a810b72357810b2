/** Laws of the loop: a conversation only grows, and whatever dies when, a replay takes the same way and repeats no side effect. */
import { existsSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Message } from "../../src/ports/model.ts";
import { createWorker } from "../../src/roles/working/work.ts";
import { type Answer, act, Bench, call, say } from "../support/role-bench.ts";
import { Crash, RoleJournal } from "../support/role-journal.ts";

const anyCall = fc.oneof(
  fc.record({ tool: fc.constant("read_file"), path: fc.constantFrom("a.txt", "b.txt", "nowhere") }),
  fc.record({
    tool: fc.constant("write_file"),
    path: fc.constantFrom("a.txt", "c.txt"),
    content: fc.string({ maxLength: 20 }),
  }),
  fc.record({
    tool: fc.constant("edit_file"),
    path: fc.constantFrom("a.txt", "c.txt"),
    old_str: fc.constantFrom("A", "B", ""),
    new_str: fc.constantFrom("B", "AA"),
  }),
  fc.record({ tool: fc.constant("shell_execute"), command: fc.constantFrom("make", "deny me", "fail") }),
  fc.record({ tool: fc.constantFrom("readFile", "nonsense"), path: fc.constant("a.txt") }),
);
const anyTurn = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      calls: fc.array(anyCall, { minLength: 1, maxLength: 4 }),
      isMended: fc.boolean(),
      text: fc.constantFrom("", "Let me see."),
    }),
  },
  { weight: 1, arbitrary: fc.record({ calls: fc.constant([]), isMended: fc.constant(false), text: fc.constant("") }) },
);
const anyScript = fc.array(anyTurn, { maxLength: 6 });

type Turns = typeof anyScript extends fc.Arbitrary<infer T> ? T : never;

/** The n-th request of an attempt is answered by the n-th turn of the script, whichever life asks. */
function prepare(turns: Turns): Bench {
  const bench = new Bench({ "a.txt": "A", "b.txt": "B" });
  bench.judge = ({ command }) =>
    command === "deny me"
      ? { decision: "deny", reason: "no", risk: "high" }
      : { decision: "allow", reason: "", risk: "low" };
  bench.shell.answer = (line) => (line === "fail" ? { exitCode: 1, output: "boom" } : { exitCode: 0, output: "made" });
  const answers = turns.map(({ calls, isMended, text }): Answer => {
    const mended = isMended ? { repaired: ["tool_call_from_text"] } : {};
    const made = calls.map(({ tool, ...args }) => ({ ...call(tool, args), ...mended }));
    return made.length === 0 ? say(text) : { text, toolCalls: made, finish: "tool_calls" };
  });
  bench.script = () =>
    answers[bench.ledger("work:a:1").rows.size === 0 ? 0 : turnsStarted(bench) - 1] ?? say("All done.");
  return bench;
}

function turnsStarted(bench: Bench): number {
  return [...bench.ledger("work:a:1").rows.keys()].filter((step) => /^turn-\d+$/.test(step)).length;
}

/** Requests, with the folder's own name taken out. */
function sent(bench: Bench): string[] {
  return bench.requests().map((request) => JSON.stringify(request).replaceAll(bench.root, "ROOT"));
}

function ended(bench: Bench): unknown {
  return [...bench.ledger("work:a:1").rows.values()]
    .map((row) => JSON.stringify([row.step, row.ended]))
    .toSorted((a, b) => a.localeCompare(b));
}

describe("the conversation of an attempt", () => {
  test("only grows: each request begins with the one before it, word for word", async () => {
    await fc.assert(
      fc.asyncProperty(anyScript, async (turns) => {
        using bench = prepare(turns);
        await createWorker(bench.ports)(bench.work());
        const requests = bench.requests();
        for (const [index, { messages, tools }] of requests.entries()) {
          const next = requests[index + 1];
          if (next === undefined) continue;
          expect(next.tools).toEqual(tools);
          expect(JSON.stringify(next.messages).startsWith(JSON.stringify(messages).slice(0, -1))).toBe(true);
        }
        expect(requests.every(({ messages }) => everyCallIsAnswered(messages))).toBe(true);
      }),
      { numRuns: 25 },
    );
  });
});

function everyCallIsAnswered(messages: readonly Message[]): boolean {
  const asked = messages.flatMap((message) =>
    message.role === "assistant" ? (message.toolCalls ?? []).map(({ id }) => id) : [],
  );
  const answered = messages.flatMap((message) => (message.role === "tool" ? [message.toolCallId] : []));
  return JSON.stringify(asked) === JSON.stringify(answered);
}

describe("an attempt that dies at any moment", () => {
  test("comes to the same report with the same requests, asks no recorded turn again and repeats no side effect", async () => {
    await fc.assert(
      fc.asyncProperty(anyScript, fc.nat(40), async (turns, moment) => {
        using whole = prepare(turns);
        const report = await createWorker(whole.ports)(whole.work());
        using bench = prepare(turns);
        bench.script = scriptOf(whole, bench);
        let moments = 0;
        let died = "";
        const journal = new RoleJournal(bench.ledger("work:a:1"));
        journal.at = (what, step) => {
          moments += 1;
          if (moments <= moment) return;
          died = `${what} ${step}`;
          throw new Crash();
        };
        const first = await createWorker(bench.ports)(bench.work({ journal })).catch((error: unknown) => error);
        const asked = bench.requests().length;
        const second = await createWorker(bench.ports)(bench.work());
        expect(first instanceof Crash ? report : first).toEqual(report);
        if (died.includes("call") && isUncertain(bench)) return;
        expect(second).toEqual(report);
        expect(ended(bench)).toEqual(ended(whole));
        const lost = /^(run|end) turn-\d+$/.test(died) ? 1 : 0;
        expect(bench.requests().length).toBeLessThanOrEqual(whole.requests().length + lost);
        const again = sent(bench).slice(asked);
        expect(again).toEqual(sent(whole).slice(sent(whole).length - again.length));
        expect(bench.text("a.txt")).toBe(whole.text("a.txt"));
      }),
      { numRuns: 30 },
    );
  });

  function isUncertain(bench: Bench): boolean {
    return bench.ledger("work:a:1").events.some((event) => event.type === "uncertain_effect");
  }

  /** The same answers as the whole life got, by the place of the turn. */
  function scriptOf(whole: Bench, bench: Bench): Bench["script"] {
    const replies = [...whole.ledger("work:a:1").rows.values()].filter(({ step }) => /^turn-\d+$/.test(step));
    return () => {
      const reply = replies[turnsStarted(bench) - 1]?.ended?.result as
        | { text: string; toolCalls: []; finish: "stop" }
        | undefined;
      return reply ?? say("All done.");
    };
  }

  test("never repeats a command silently: the model is told, and an event says so", async () => {
    using bench = new Bench();
    bench.script = (_asked, n) => (n === 1 ? act(call("shell_execute", { command: "deploy" })) : say("Checked."));
    const journal = new RoleJournal(bench.ledger("work:a:1"));
    journal.at = (what, step) => {
      if (what === "end" && step === "turn-1-call-1") throw new Crash();
    };
    await expect(createWorker(bench.ports)(bench.work({ journal }))).rejects.toThrow(Crash);
    expect(await createWorker(bench.ports)(bench.work())).toMatchObject({ type: "Delivered" });
    expect(bench.shell.lines).toEqual(["deploy"]);
    expect(bench.requests().at(-1)?.messages.at(-1)?.content).toContain("it is not known whether or how far it ran");
    expect(bench.ledger("work:a:1").events.map(({ type }) => type)).toContain("uncertain_effect");
  });

  test.each([
    ["was written", "end", true],
    ["was not yet written", "run", false],
  ] as const)("finds a file that %s as it is, and the change is recorded once", async (_name, what, isWritten) => {
    using bench = new Bench();
    bench.script = (_asked, n) => (n === 1 ? act(call("write_file", { path: "x", content: "new" })) : say("Done."));
    const journal = new RoleJournal(bench.ledger("work:a:1"));
    journal.at = (moment, step) => {
      if (moment === what && step === "turn-1-call-1") throw new Crash();
    };
    await expect(createWorker(bench.ports)(bench.work({ journal }))).rejects.toThrow(Crash);
    expect(existsSync(`${bench.root}/w/x`)).toBe(isWritten);
    expect(await createWorker(bench.ports)(bench.work())).toMatchObject({ type: "Delivered" });
    expect(bench.text("x")).toBe("new");
    expect(bench.ledger("work:a:1").events.filter(({ type }) => type === "files_changed")).toHaveLength(1);
  });

  test("says that a change is uncertain when the file stands neither way, and asks where that is the rule", async () => {
    using bench = new Bench();
    bench.brief = { rules: { on_uncertain: "ask" } };
    bench.script = (_asked, n) => (n === 1 ? act(call("write_file", { path: "x", content: "new" })) : say("Done."));
    const journal = new RoleJournal(bench.ledger("work:a:1"));
    journal.at = (moment, step) => {
      if (moment === "end" && step === "turn-1-call-1") throw new Crash();
    };
    await expect(createWorker(bench.ports)(bench.work({ journal }))).rejects.toThrow(Crash);
    bench.write("x", "someone else's");
    await createWorker(bench.ports)(bench.work());
    expect(bench.text("x")).toBe("someone else's");
    expect(bench.requests().at(-1)?.messages.at(-1)?.content).toContain("neither as before nor as intended");
    const ask = {
      approval_id: "apr_a_1_1_1_uncertain",
      kind: "tool" as const,
      summary: "s",
      reason: "r",
      risk: "high" as const,
      digest: "",
    };
    bench.after = [
      { type: "approval_requested", subtask_id: "a", ...ask, proposed_action: "s", risk_level: "high", attempt: 1 },
      {
        type: "approval_received",
        subtask_id: "a",
        approval_id: ask.approval_id,
        approved: false,
        by: "ann",
        reason: "leave it",
      },
    ];
    bench.ledger("work:a:1").rows.delete("turn-2");
    await createWorker(bench.ports)(bench.work());
    expect(bench.requests().at(-1)?.messages.at(-1)?.content).toContain("denied by a person: leave it");
  });
});
