/** What comes after the work: memories extracted, the answer written, the task's own checks run. */
import { describe, expect, test } from "vitest";
import { LoomError } from "../../src/lib/errors.ts";
import { createAnswerer } from "../../src/roles/answer.ts";
import { createExtractor } from "../../src/roles/extracting/extract.ts";
import { createChecker } from "../../src/roles/verifying/check.ts";
import { createWorker } from "../../src/roles/working/work.ts";
import { act, Bench, call, deliver, say } from "../support/role-bench.ts";
import { completed, spec } from "../support/role-task.ts";

/** A bench on which subtask a was done. */
async function done(over: Parameters<typeof spec>[0] = {}, text = "I wrote hello.txt."): Promise<Bench> {
  const bench = new Bench();
  bench.subtasks = [spec(over), spec({ id: "b", description: "Sign it.", depends_on: ["a"] })];
  const wrote = act(call("write_file", { path: "hello.txt", content: "hi" }));
  await deliver(bench, createWorker(bench.ports), (_asked, n) => (n === 1 ? wrote : say(text)));
  bench.after.push(completed("a", text.slice(0, 100)));
  bench.asked.length = 0;
  return bench;
}

const yielding = { yielding: AbortSignal.abort(), aborted: new AbortController().signal };

describe("extraction", () => {
  const extract = (bench: Bench, over = {}) =>
    createExtractor(bench.ports)(bench.execution({ kind: "extract", subtaskId: "a" }, over));

  test("sees what was done and what is still to come", async () => {
    using bench = await done();
    bench.script = () => say('{"entries":[]}');
    expect(await extract(bench)).toMatchObject({ type: "Extracted", entries: [] });
    const [request] = bench.requests("extractor");
    expect(request?.messages[0]?.content.startsWith("You are an extractor of Loom")).toBe(true);
    for (const part of ["write_file", "I wrote hello.txt.", "- b: Sign it."])
      expect(request?.messages[1]?.content).toContain(part);
    expect(bench.asked[0]?.pick).toMatchObject({ tier: 1, priority: "extract" });
  });

  test.each([
    '[{"type":"Decision","summary":"Greets in hello.txt.","tags":"hello","relevance_to":["b","zzz"]}]',
    '```json\n{"entries":[{"type":"decision","summary":"Greets in hello.txt.","tags":["hello"],"relevance_to":"b"}]}\n```',
  ])("reads %j", async (text) => {
    using bench = await done();
    bench.script = () => say(text);
    expect(await extract(bench)).toMatchObject({
      entries: [
        {
          entry_type: "decision",
          summary: "Greets in hello.txt.",
          detail: "",
          tags: ["hello"],
          relevance_to: ["b"],
        },
      ],
    });
  });

  test("makes a discovery of an unknown type, and drops what says nothing or says it again", async () => {
    using bench = await done();
    bench.script = () =>
      say(
        '[{"type":"wisdom","summary":"hello.txt says hi"},{"type":"error"},7,{"type":"user_instruction","summary":"Greet the world"},{"summary":"Hello.txt says hi"}]',
      );
    expect(await extract(bench)).toMatchObject({
      entries: [
        { entry_type: "discovery", summary: "hello.txt says hi" },
        { entry_type: "discovery", summary: "Greet the world" },
      ],
    });
  });

  test("does not note the example of its prompt as a fact", async () => {
    using bench = await done();
    bench.script = ({ request }) => say(/\{"entries".*$/.exec(request.messages[0]?.content ?? "")?.[0] ?? "");
    expect(await extract(bench)).toMatchObject({ type: "Extracted", entries: [] });
  });

  test("asks for subtasks to come by their ids, and for none where none is to come", async () => {
    using bench = await done();
    bench.script = () => say('{"entries":[]}');
    await extract(bench);
    bench.ledgers.delete("extract:a");
    bench.after.push(completed("b", "Signed."));
    await extract(bench);
    const [open, last] = bench.asked.map(({ request }) => JSON.stringify(request.schema));
    expect(open).toContain('"relevance_to":{"type":"array","items":{"type":"string","enum":["b"]},"maxItems":1}');
    expect(last).not.toContain("relevance_to");
  });

  describe("of a model that must be shown how to answer", () => {
    test("is not asked for where nothing is to come: what was verified is noted", async () => {
      using bench = await done();
      bench.showsExamples = true;
      bench.after.push(completed("b", "Signed."));
      expect(await extract(bench)).toEqual({
        type: "Extracted",
        key: "extract:a",
        entries: [
          {
            entry_type: "artifact",
            summary: "I wrote hello.txt.",
            detail: "hello.txt (created)",
            tags: [],
            relevance_to: [],
          },
        ],
      });
      expect(bench.asked).toEqual([]);
    });

    test("is asked for where a later subtask may need it", async () => {
      using bench = await done();
      bench.showsExamples = true;
      bench.script = () => say('{"entries":[]}');
      await extract(bench);
      expect(bench.requests("extractor")).toHaveLength(1);
    });
  });

  test("gets one try: no JSON and no model are failures", async () => {
    using bench = await done();
    bench.script = () => say("Nothing of note.");
    expect(await extract(bench)).toMatchObject({ type: "Failed", class: "no_output" });
    bench.ledgers.delete("extract:a");
    bench.script = () => new LoomError("model_unavailable", "down");
    expect(await extract(bench)).toMatchObject({ type: "Failed", class: "model", feedback: "down" });
    expect(await extract(bench, { stop: yielding })).toMatchObject({ type: "Yielded" });
    bench.script = () => new TypeError("oops");
    await expect(extract(bench)).rejects.toThrow("oops");
  });
});

describe("the answer", () => {
  const answer = (bench: Bench, over = {}) =>
    createAnswerer(bench.ports)(bench.execution({ kind: "answer", call: 1 }, over));

  test("is written from results, changes and the goal", async () => {
    using bench = await done();
    bench.script = () => say('{"summary":"Greeted.","answer":"hello.txt says hi."}');
    expect(await answer(bench)).toEqual({
      type: "Answered",
      key: "answer:1",
      summary: "Greeted.",
      answer: "hello.txt says hi.",
    });
    const [request] = bench.requests("planner");
    expect(request?.messages[0]?.content.startsWith("You write the final answer for Loom")).toBe(true);
    for (const part of ["Greet the world.", "- a: I wrote hello.txt.", "- hello.txt (created)"])
      expect(request?.messages[1]?.content).toContain(part);
  });

  test("rests on the whole text of a subtask that was to answer, not on its summary", async () => {
    using bench = await done({ kind: "answer" }, `Long. ${"word ".repeat(1000)}The end.`);
    bench.script = () => say("Fine.");
    await answer(bench);
    expect(bench.requests("planner")[0]?.messages[1]?.content).toContain("The end.");
  });

  test.each([
    ["Just text.", { summary: "Just text.", answer: "Just text." }],
    ['{"answer":"42"}', { summary: "42", answer: "42" }],
    ['```json\n{"summary":"S"}\n```', { summary: "S", answer: "S" }],
    ["{not json at all", { answer: "{not json at all" }],
  ])("may be %j", async (text, read) => {
    using bench = await done();
    bench.script = () => say(text);
    expect(await answer(bench)).toMatchObject({ type: "Answered", ...read });
  });

  test("that is empty or cut is none", async () => {
    using bench = await done();
    bench.script = () => say("  ");
    expect(await answer(bench)).toMatchObject({ type: "Failed", class: "no_output" });
    bench.ledgers.delete("answer:1");
    bench.script = () => ({ text: "And so", finish: "length" });
    expect(await answer(bench)).toMatchObject({ type: "Failed", class: "no_output" });
    bench.ledgers.delete("answer:1");
    bench.script = () => new LoomError("model_unavailable", "down");
    expect(await answer(bench)).toMatchObject({ type: "ModelDown" });
    expect(await answer(bench, { stop: yielding })).toMatchObject({ type: "Yielded" });
    bench.script = () => new TypeError("oops");
    await expect(answer(bench)).rejects.toThrow("oops");
  });
});

describe("the task's own checks", () => {
  const check = (bench: Bench, over = {}) =>
    createChecker(bench.ports)(bench.execution({ kind: "check", round: 1 }, over));

  function checked(): Bench {
    const bench = new Bench();
    bench.brief = {
      checks: [
        { name: "build", run: "make" },
        { name: "clean", run: "rm -rf x" },
        { name: "lint", run: "lint" },
      ],
    };
    bench.judge = ({ command }) =>
      command?.startsWith("rm")
        ? { decision: "ask", reason: "removes things", risk: "high" }
        : { decision: "allow", reason: "", risk: "low" };
    bench.shell.answer = (line) => (line === "make" ? { exitCode: 0, output: "ok" } : { exitCode: 2, output: "bad" });
    return bench;
  }

  test("are all run, but for what the policy gates, which counts as failed", async () => {
    using bench = checked();
    const report = await check(bench);
    expect(report).toMatchObject({
      type: "ChecksRan",
      results: [
        { name: "build", passed: true },
        { name: "clean", passed: false, detail: expect.stringContaining("removes things") as string },
        { name: "lint", passed: false, detail: expect.stringContaining("exit code 2") as string },
      ],
    });
    expect(bench.shell.lines).toEqual(["make", "lint"]);
    expect(await check(bench)).toEqual(report);
    expect(bench.shell.lines).toHaveLength(2);
  });

  test("fail when they take too long or cannot be run, and wait when the task is paused", async () => {
    using bench = checked();
    bench.shell.answer = () => {
      throw new Error("no shell");
    };
    expect(await check(bench)).toMatchObject({ results: [{ passed: false, detail: "no shell" }, {}, {}] });
    bench.ledgers.clear();
    bench.shell.answer = () => ({ exitCode: 0, output: "", timedOut: true }) as { exitCode: number; output: string };
    expect(await check(bench)).toMatchObject({
      results: [{ passed: false, detail: expect.stringContaining("did not end") as string }, {}, {}],
    });
    expect(await check(bench, { stop: yielding })).toMatchObject({ type: "Yielded" });
    bench.brief = { ...bench.brief, workspace: "/nowhere/at/all" };
    expect(await check(bench)).toMatchObject({ type: "Failed" });
  });
});
