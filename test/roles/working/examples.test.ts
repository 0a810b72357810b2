/** Worked examples: that they are true, to the tools as they are, and bear no more of the window than they may. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Message } from "../../../src/ports/model.ts";
import { variantsOfExamples } from "../../../src/roles/working/example-jobs.ts";
import { executorExamples } from "../../../src/roles/working/examples.ts";
import { openBench } from "../../tools/bench.ts";
import { Temporary } from "../../workspace/temporary.ts";

/** What the examples take for granted. */
const files = {
  "boats.md": "harbour: north\nboats: 14\n",
  "maps/east.png": "e",
  "maps/west.png": "w",
  "crew.csv": "c",
  "tide.toml": "low = 1\nhigh = 3\n",
  "signals/last-year.csv": "s",
  "tools.txt": "rope\n",
  "plan.pdf": "p",
  "take1.wav": "t",
  "band.txt": "bass\n",
  "song.txt": "title: Rain\nsinger: Mira\n",
  "noise.tmp": "n",
  "beat.ini": "tempo = 120\nkey = C\n",
  "verse.txt": "v",
  "tapes/blue.wav": "b",
  "tapes/red.wav": "r",
};
const first = [
  "read_file",
  "write_file",
  "list_directory",
  "move_file",
  "read_file",
  "edit_file",
  "delete_file",
  "append_file",
  "move_file",
];
const everything = 100_000;

describe("worked examples", () => {
  test.each([...Array(variantsOfExamples).keys()])(
    "show calls that the tools take, and what the tools answer, variant %i",
    async (variant) => {
      using temporary = new Temporary();
      const { call, tools } = await openBench(temporary, files);
      const schemas = tools.all().map(({ schema }) => schema);
      const shown = executorExamples(schemas, { windowTokens: everything, variant });
      const results = new Map(
        shown.flatMap((message) => (message.role === "tool" ? [[message.toolCallId, message]] : [])),
      );
      const calls = shown.flatMap((message) => (message.role === "assistant" ? (message.toolCalls ?? []) : []));
      const names = calls.map(({ name }) => name);
      expect(variant > 0 || names.join() === first.join()).toBe(true);
      expect(names.toSorted()).toEqual(first.toSorted());
      for (const { id, name, arguments: args } of calls) {
        const { success, output } = await call(name, args);
        const told = results.get(id)?.content ?? "";
        expect({ name, success, output: output.slice(0, told.length) }).toEqual({ name, success: true, output: told });
      }
    },
  );

  test("of what was to be found end in a piece of what was read", async () => {
    using temporary = new Temporary();
    const { tools } = await openBench(temporary);
    for (const variant of Array(variantsOfExamples).keys()) {
      const schemas = tools.all().map(({ schema }) => schema);
      const shown = executorExamples(schemas, { windowTokens: everything, variant });
      const quotes = shown.filter((message) => message.role === "assistant" && message.isQuote === true);
      expect(quotes).toHaveLength(2);
      for (const quote of quotes) expect(shown[shown.indexOf(quote) - 1]?.content).toContain(quote.content);
    }
  });

  test("are told as a subtask is, and end in words", async () => {
    using temporary = new Temporary();
    const { tools } = await openBench(temporary);
    const shown = executorExamples(
      tools.all().map(({ schema }) => schema),
      { windowTokens: everything },
    );
    const briefings = shown.filter(({ role }) => role === "user");
    expect(briefings[1]?.content).toBe(
      "# Subtask example-2\nPut the opening hours into notes/harbour.txt: open from six to nine\nKind: change (a file changes, or a command succeeds)\nAcceptance criteria: The described work is done.",
    );
    const last = shown.filter((_, index) => index === shown.length - 1 || shown[index + 1]?.role === "user");
    expect(ends(last)).toBe(briefings.length);
  });

  test("are whole, of tools that are offered, and take at most 15 % of the window", async () => {
    using temporary = new Temporary();
    const { tools } = await openBench(temporary);
    const schemas = tools.all().map(({ schema }) => schema);
    fc.assert(
      fc.property(
        fc.subarray(schemas),
        fc.integer({ min: 0, max: 20_000 }),
        fc.nat(),
        (offered, windowTokens, variant) => {
          const shown = executorExamples(offered, { windowTokens, variant });
          expect(JSON.stringify(shown).length).toBeLessThanOrEqual(Math.max(2, windowTokens * 0.15 * 4));
          expect(ends(shown)).toBe(shown.filter(({ role }) => role === "user").length);
          const named = shown.flatMap((message) => (message.role === "tool" ? [message.name] : []));
          expect(offered.map(({ name }) => name)).toEqual(expect.arrayContaining(named));
        },
      ),
    );
    expect(executorExamples(schemas, { windowTokens: 8192 }).length).toBeGreaterThan(20);
  });
});

function ends(messages: readonly Message[]): number {
  return messages.filter((message) => message.role === "assistant" && (message.toolCalls ?? []).length === 0).length;
}
