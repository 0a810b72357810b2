/** Windows that turn out to be smaller than was thought: a prompt that is refused, and one that is cut without a word. */
import { describe, expect, test } from "vitest";
import { LoomError } from "../../src/lib/errors.ts";
import { type Answer, act, Bench, call, say } from "../support/role-bench.ts";
import { noted, run, sizes, steps, talkative } from "../support/talkative-bench.ts";

describe("a model that finds the request too long", () => {
  const overflow = new LoomError("context_overflow", "Too long");

  test("is asked again with the next epoch", async () => {
    using bench = talkative(3);
    bench.window = { name: "m1", contextTokens: 100_000, maxTokens: 1000, bytesPerToken: 4 };
    let answered = 0;
    bench.script = ({ pick, request }) => {
      if (pick.role === "compactor") return say(noted);
      if (JSON.stringify(request.messages).length > 12_000) return overflow;
      answered += 1;
      return answered <= 3 ? act(call("shell_execute", { command: `step ${answered}` })) : say("Done.");
    };
    expect(await run(bench)).toMatchObject({ type: "Delivered" });
    expect(steps(bench).some((step) => step.startsWith("epoch-"))).toBe(true);
  });

  test("lets the rest of the attempt fit the window that it named", async () => {
    using bench = talkative(0);
    bench.window = { name: "m1", contextTokens: 100_000, maxTokens: 1000, bytesPerToken: 4 };
    let answered = 0;
    bench.script = ({ pick, request }) => {
      const promptTokens = Math.ceil(JSON.stringify(request).length / 4);
      if (promptTokens > 6000)
        return new LoomError("context_overflow", "Too long", { extra: { windowTokens: 6000, promptTokens } });
      if (pick.role === "compactor") return say(noted);
      answered += 1;
      return answered <= 20 ? act(call("shell_execute", { command: `step ${answered}` })) : say("Done.");
    };
    expect(await run(bench)).toMatchObject({ type: "Delivered" });
    const refused = [...bench.ledger("work:a:1").rows.values()].filter(({ ended }) =>
      JSON.stringify(ended ?? null).includes('"finish":"overflow"'),
    );
    expect(refused).toHaveLength(1);
  });

  test("fails the attempt when that does not help, and says what the sizes are", async () => {
    using bench = new Bench();
    bench.script = () =>
      new LoomError("context_overflow", "Too long", { extra: { windowTokens: 2048, promptTokens: 9999 } });
    const report = await run(bench);
    expect(report).toMatchObject({ type: "Failed", class: "context" });
    expect(JSON.stringify(report)).toMatch(/9999 tokens.*takes 2048.*larger window/);
    expect(bench.requests()).toHaveLength(2);
  });
});

describe("a prompt that the server cut without a word", () => {
  const cutAt = (bench: Bench, turn: number, answer: Partial<Exclude<Answer, Error>>) => {
    const { script } = bench;
    bench.script = async (asked, n) => {
      const reply = await script(asked, n);
      return reply instanceof Error || bench.requests().length !== turn || asked.pick.role !== "executor"
        ? reply
        : { ...reply, ...answer };
    };
  };
  const cuts = (bench: Bench) =>
    bench.ledger("work:a:1").events.filter((event) => event.type === "model_context_truncated");

  test("is an event, and the next prompt fits what the server holds", async () => {
    using bench = talkative(4);
    cutAt(bench, 4, {
      promptCut: { countedTokens: 2500, windowTokens: 2500 },
      usage: { input_tokens: 2500, output_tokens: 9 },
    });
    expect(await run(bench)).toMatchObject({ type: "Delivered" });
    expect(cuts(bench)).toEqual([
      {
        type: "model_context_truncated",
        subtask_id: "a",
        role: "executor",
        step: "turn-4",
        attempt: 1,
        iteration: 4,
        model: "m1",
        counted_tokens: 2500,
        window_tokens: 2500,
      },
    ]);
    expect(sizes(bench)[3]).toBeGreaterThan(2500);
    expect(sizes(bench)[4]).toBeLessThan(2500);
  });

  test("is noticed by a count that does not grow with the prompt", async () => {
    using bench = talkative(4);
    const counts = [0, 1500, 2800, 2800, 2000];
    const { script } = bench;
    bench.script = async (asked, n) => {
      const reply = await script(asked, n);
      const tokens = counts[bench.requests().length] ?? 1000;
      if (reply instanceof Error || asked.pick.role !== "executor") return reply;
      return { ...reply, usage: { input_tokens: tokens, output_tokens: 9 } };
    };
    await run(bench);
    expect(cuts(bench)).toMatchObject([{ step: "turn-3", counted_tokens: 2800, window_tokens: 2800 }]);
  });

  test("is not seen in counts that were estimated, or of another model", async () => {
    using bench = talkative(4);
    const { script } = bench;
    bench.script = async (asked, n) => {
      const reply = await script(asked, n);
      if (reply instanceof Error) return reply;
      const turn = bench.requests().length;
      return turn % 2 === 0
        ? { ...reply, usage: { input_tokens: 900, output_tokens: 9, estimated: true } }
        : { ...reply, model: `m${turn}`, usage: { input_tokens: 1500, output_tokens: 9 } };
    };
    await run(bench);
    expect(cuts(bench)).toEqual([]);
  });
});
