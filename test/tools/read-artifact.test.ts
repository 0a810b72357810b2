/** Long results: shown by head and tail, kept whole, and read on in parts that join to what was kept. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Temporary } from "../workspace/temporary.ts";
import { openBench } from "./bench.ts";

const bench = (temporary: Temporary, texts: Readonly<Record<string, string>> = {}, resultChars = 500) =>
  openBench(
    temporary,
    {},
    {
      resultChars,
      artifacts: { read: (taskId, id) => Promise.resolve(taskId === "task_1" ? (texts[id] ?? null) : null) },
    },
  );

describe("read_artifact", () => {
  test("shows a part, says which, and how to go on", async () => {
    using temporary = new Temporary();
    const { call } = await bench(temporary, { art_a_1_2_1: "0123456789".repeat(100) });
    expect(await call("read_artifact", { id: "art_a_1_2_1", offset: 10, limit: 20 })).toMatchObject({
      success: true,
      output: "01234567890123456789\n[Characters 10-30 of 1000. Continue with offset=30.]",
    });
    expect((await call("read_artifact", { id: "art_a_1_2_1", offset: 995 })).output).toBe(
      "56789\n[Characters 995-1000 of 1000: the end.]",
    );
  });

  test("reads nothing, changes nothing, and needs nobody's leave", async () => {
    using temporary = new Temporary();
    const { prepare, tool } = await bench(temporary);
    expect(tool("read_artifact")).toMatchObject({ effectClass: "pure", risk: "low" });
    expect((await prepare("read_artifact", { id: "x" })).action).toEqual({
      tool: "read_artifact",
      reads: [],
      writes: [],
      deletes: [],
      hosts: [],
    });
  });

  test.each([
    [{ id: "art_b_1_1_1" }, /no artifact "art_b_1_1_1" in this task/],
    [{ id: "art_a_1_2_1", offset: 4 }, /behind the end: the artifact has 3 characters/],
  ])("says what is wrong with %j", async (args, error) => {
    using temporary = new Temporary();
    const { call } = await bench(temporary, { art_a_1_2_1: "abc" });
    const result = await call("read_artifact", args);
    expect(result.success).toBe(false);
    expect(result.error).toMatch(error);
  });

  test("read on to the end gives the whole, in parts that are never too long", async () => {
    using temporary = new Temporary();
    const anyText = fc.oneof(
      fc.string({ minLength: 1, maxLength: 2500 }),
      fc.string({ minLength: 1, unit: "grapheme" }),
    );
    let text = "";
    const { call } = await openBench(
      temporary,
      {},
      { resultChars: 400, artifacts: { read: () => Promise.resolve(text) } },
    );
    await fc.assert(
      fc.asyncProperty(
        anyText,
        fc.option(fc.integer({ min: 1, max: 900 }), { nil: undefined }),
        async (whole, limit) => {
          text = whole;
          let read = "";
          for (let parts = 0; read.length < whole.length && parts < 3000; parts += 1) {
            const args = { id: "art_goal", offset: read.length, ...(limit === undefined ? {} : { limit }) };
            const { output } = await call("read_artifact", args);
            expect(output.length).toBeLessThanOrEqual(402);
            read += output.slice(0, output.lastIndexOf("\n[Characters "));
          }
          expect(read).toBe(whole);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe("a result that is too long to be shown", () => {
  test("is kept whole beside its head and tail: of commands, whether they succeed or not", async () => {
    using temporary = new Temporary();
    const { call } = await bench(temporary);
    for (const end of ["exit 0", "exit 3"]) {
      const { output, whole = "" } = await call("shell_execute", { command: `seq 1 1000; ${end}` });
      expect(output.length).toBeLessThanOrEqual(500);
      expect(output).toMatch(/^1\n2\n[\s\S]*left out[\s\S]*1000\n?$/);
      expect(whole.split("\n").filter((line) => line !== "")).toHaveLength(1000);
    }
  });

  test("is not kept twice where it is shown whole", async () => {
    using temporary = new Temporary();
    const { call } = await bench(temporary);
    expect(await call("shell_execute", { command: "echo short" })).not.toHaveProperty("whole");
  });

  test("is kept whole of listings and searches", async () => {
    using temporary = new Temporary();
    const files = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`some-long-name-${n}.txt`, `needle ${n}`]));
    const { call } = await openBench(temporary, files, { resultChars: 300 });
    for (const [tool, args] of [
      ["list_directory", { path: "." }],
      ["glob_find", { pattern: "*.txt" }],
      ["search_files", { pattern: "needle" }],
    ] as const) {
      const { output, whole = "" } = await call(tool, args);
      expect(output.length).toBeLessThanOrEqual(300);
      expect(whole.match(/some-long-name-\d+\.txt/g)).toHaveLength(60);
    }
  });
});
