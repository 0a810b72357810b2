/** The conversation near its window: one compaction begins a new epoch, in which what people said and the task stand word for word. */
import { describe, expect, test } from "vitest";
import { LoomError } from "../../src/lib/errors.ts";
import { createWorker } from "../../src/roles/work.ts";
import { act, Bench, call, say } from "../support/role-bench.ts";
import { told } from "../support/role-task.ts";

const run = (bench: Bench) => createWorker(bench.ports)(bench.work());
const sizes = (bench: Bench) =>
  bench.requests().map(({ messages, tools }) => (JSON.stringify(messages).length + JSON.stringify(tools).length) / 4);

/** Each turn brings 4 000 characters, unlike any other. */
function talkative(turns: number): Bench {
  const bench = new Bench();
  bench.window = { name: "m1", contextTokens: 8000, maxTokens: 1000, bytesPerToken: 4 };
  bench.shell.answer = (line) => ({ exitCode: 0, output: `${line}: ${"word ".repeat(800)}` });
  bench.script = (_asked, n) => (n <= turns ? act(call("shell_execute", { command: `step ${n}` })) : say("Done."));
  return bench;
}

describe("a conversation that nears the window", () => {
  test("is compacted once at 0.8 to at most 0.5 of it, and keeps task, subtask and instructions", async () => {
    using bench = talkative(12);
    bench.after.push(told("Mind the gap."));
    expect(await run(bench)).toMatchObject({ type: "Delivered" });
    const all = sizes(bench);
    expect(Math.max(...all)).toBeLessThan(8000);
    const drops = all.flatMap((size, index) => (index > 0 && size < (all[index - 1] ?? 0) ? [size] : []));
    expect(drops.length).toBeGreaterThan(0);
    expect(Math.max(...drops)).toBeLessThan(0.56 * 8000);
    const [first] = bench.requests();
    for (const { messages } of bench.requests()) {
      expect(messages.slice(0, 2)).toEqual(first?.messages.slice(0, 2));
      expect(messages.filter(({ content }) => content.includes("Mind the gap."))).toHaveLength(1);
    }
    const last =
      bench
        .requests()
        .at(-1)
        ?.messages.map(({ content }) => content)
        .join("\n") ?? "";
    expect(last).toContain("What was done so far");
    expect(last).toContain("step 11: word");
    expect([...bench.ledger("work:a:1").rows.keys()]).toContain("compact-1");
  });

  test("grows on within each epoch, and is the same on a replay", async () => {
    using bench = talkative(12);
    await run(bench);
    const compactions = new Set(
      sizes(bench).flatMap((size, index, all) => (index > 0 && size < (all[index - 1] ?? 0) ? [index] : [])),
    );
    for (const [index, { messages }] of bench.requests().entries()) {
      const before = bench.requests()[index - 1];
      if (before === undefined || compactions.has(index)) continue;
      expect(messages.slice(0, before.messages.length)).toEqual(before.messages);
    }
    const last = bench.requests().at(-1);
    bench.ledger("work:a:1").rows.delete("turn-13");
    bench.window = { name: "m1", contextTokens: 1_000_000, maxTokens: 1000, bytesPerToken: 4 };
    await run(bench);
    expect(bench.requests().at(-1)).toEqual(last);
  });

  test("believes the model's own count of tokens", async () => {
    using bench = talkative(6);
    bench.window = { name: "m1", contextTokens: 20_000, maxTokens: 1000, bytesPerToken: 4 };
    const script = bench.script;
    bench.script = async (asked, n) => {
      const answer = await script(asked, n);
      const tokens = JSON.stringify(asked.request.messages).length;
      return answer instanceof Error ? answer : { ...answer, usage: { input_tokens: tokens, output_tokens: 1 } };
    };
    await run(bench);
    expect([...bench.ledger("work:a:1").rows.keys()]).toContain("compact-1");
  });

  test("shortens a result that is too long for the window when it comes in", async () => {
    using bench = talkative(1);
    bench.shell.answer = () => ({ exitCode: 0, output: `begin ${"x".repeat(50_000)} end` });
    await run(bench);
    const result = bench.requests()[1]?.messages.at(-1)?.content ?? "";
    expect(result.length).toBeLessThan(8500);
    expect(result).toMatch(/^begin [\s\S]*left out[\s\S]* end$/);
  });
});

describe("a model that finds the request too long", () => {
  const overflow = new LoomError("context_overflow", "Too long");

  test("is asked again after a compaction", async () => {
    using bench = talkative(3);
    bench.window = { name: "m1", contextTokens: 100_000, maxTokens: 1000, bytesPerToken: 4 };
    const script = bench.script;
    let answered = 0;
    bench.script = (asked) => {
      if (JSON.stringify(asked.request.messages).length > 12_000) return overflow;
      answered += 1;
      return script(asked, answered);
    };
    expect(await run(bench)).toMatchObject({ type: "Delivered" });
    expect([...bench.ledger("work:a:1").rows.keys()]).toContain("compact-1");
  });

  test("fails the attempt when that does not help", async () => {
    using bench = new Bench();
    bench.script = () => overflow;
    expect(await run(bench)).toMatchObject({ type: "Failed", class: "context" });
    expect(bench.requests()).toHaveLength(2);
  });
});

describe("a reply that was cut at the token limit", () => {
  test("is shown by its beginning, word for word, and never in the middle of a character", async () => {
    using bench = new Bench();
    const text = `${"x".repeat(399)}${"😀".repeat(500)}`;
    bench.script = (_asked, n) => (n === 1 ? { text, toolCalls: [], finish: "length" } : say("Done."));
    await run(bench);
    const shown = bench.requests()[1]?.messages.find(({ role }) => role === "assistant");
    expect(shown).toEqual({ role: "assistant", content: "x".repeat(399), cut: true });
  });
});
