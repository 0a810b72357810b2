import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dependentsOf, fallbackPlan, isLookup, isQuestion, planFlaws, SubtaskSpec } from "../../src/domain/plan.ts";
import { spec } from "../support/happenings.ts";

describe("a proposed plan", () => {
  test("is well-formed when its ids are unique and its dependencies are in it", () => {
    expect(planFlaws([spec("a"), spec("b", { depends_on: ["a"] })])).toEqual([]);
  });

  test("may depend on what was finished under an earlier plan", () => {
    expect(planFlaws([spec("b", { depends_on: ["a"] })], new Set(["a"]))).toEqual([]);
  });

  test("may end in synthesis that depends on synthesis", () => {
    const sum = spec("sum", { is_synthesis: true });
    expect(planFlaws([sum, spec("report", { is_synthesis: true, depends_on: ["sum"] })])).toEqual([]);
  });

  test.each([
    ["no subtask at all", [], "The plan has no subtasks; give at least one."],
    [
      "too many subtasks",
      Array.from({ length: 201 }, (_, index) => spec(`s${index}`)),
      "The plan has 201 subtasks; at most 200 are allowed.",
    ],
    ["an id twice", [spec("a"), spec("a")], 'Subtask id "a" is used more than once; ids must be unique.'],
    ["a reserved id", [spec("plan")], 'Subtask id "plan" is reserved; choose another.'],
    [
      "an unknown dependency",
      [spec("a", { depends_on: ["x"] })],
      'Subtask "a" depends on "x", which is not in the plan.',
    ],
    [
      "work upon synthesis",
      [spec("sum", { is_synthesis: true }), spec("a", { depends_on: ["sum"] })],
      'Subtask "a" depends on the synthesis subtask "sum"; only synthesis subtasks may.',
    ],
    ["a subtask that waits for itself", [spec("a", { depends_on: ["a"] })], "The dependencies form a cycle: a -> a."],
    [
      "a cycle behind a way into it",
      [spec("in", { depends_on: ["a"] }), spec("a", { depends_on: ["b"] }), spec("b", { depends_on: ["a"] })],
      "The dependencies form a cycle: a -> b -> a.",
    ],
  ])("is sent back for %s", (_, subtasks, flaw) => {
    expect(planFlaws(subtasks)).toEqual([flaw]);
  });

  test("has every flaw named, in plan order", () => {
    expect(planFlaws([spec("answer"), spec("b", { depends_on: ["x", "y"] })])).toHaveLength(3);
  });

  test("without flaws can be worked off: there is always one whose dependencies are done", () =>
    fc.assert(
      fc.property(anySpecs, (subtasks) => {
        fc.pre(planFlaws(subtasks).length === 0);
        const done = new Set<string>();
        while (done.size < subtasks.length) {
          const next = subtasks.find(
            ({ id, depends_on }) => !done.has(id) && depends_on.every((other) => done.has(other)),
          );
          expect(next).toBeDefined();
          done.add(next?.id ?? "");
        }
      }),
    ));
});

const letters = ["a", "b", "c", "d", "e"];
const anySpecs = fc
  .uniqueArray(fc.constantFrom(...letters), { minLength: 1 })
  .chain((ids) =>
    fc.tuple(...ids.map((id) => fc.subarray(letters, { maxLength: 2 }).map((depends_on) => spec(id, { depends_on })))),
  );

describe("what depends on a subtask", () => {
  test("is found through others, in plan order", () => {
    const plan = [spec("d", { depends_on: ["c"] }), spec("a"), spec("b"), spec("c", { depends_on: ["a"] })];
    expect(dependentsOf("a", plan)).toEqual(["d", "c"]);
  });

  test("is nothing for a subtask at the end", () => {
    expect(dependentsOf("b", [spec("a"), spec("b", { depends_on: ["a"] })])).toEqual([]);
  });
});

describe("a goal", () => {
  test.each([
    "Why does it fail?",
    "is it safe",
    "Explain the parser",
    "summarise the log",
    "Fix it, or can you not?",
    "Tell me the name in it",
    "Read the log and say what failed",
    "count the lines",
  ])("that reads %j asks for an answer", (goal) => expect(isQuestion(goal)).toBe(true));

  test.each([
    "Fix the parser",
    "Add what is missing",
    "whatever works",
    "",
    "Read the log and fix it",
    "tell the users",
  ])("that reads %j asks for work", (goal) => expect(isQuestion(goal)).toBe(false));
});

describe("what a job looks for", () => {
  test.each([
    "What is the port?",
    "How many lines has it?",
    "how much is it",
    "List the files",
    "Tell me the name",
    "",
  ])("may stand there word for word: %j", (job) => expect(isLookup(job)).toBe(true));

  test.each([
    "Explain the parser",
    " Summarise it",
    "summarize it",
    "Why does it fail?",
    "How does it work?",
    "Tell me about it",
  ])("is told in words of one's own: %j", (job) => expect(isLookup(job)).toBe(false));
});

describe("the plan that stands in for a planner that failed", () => {
  test("is one critical subtask that says the goal", () => {
    const plan = fallbackPlan("Fix the parser", "execute-goal");
    expect(plan).toMatchObject({ id: "execute-goal", description: "Fix the parser", is_critical_path: true });
    expect(planFlaws([plan])).toEqual([]);
  });

  test("changes something, or answers where the goal is a question", () => {
    expect(fallbackPlan("Fix the parser", "x").kind).toBe("change");
    expect(fallbackPlan("Why does it fail?", "x").kind).toBe("answer");
  });

  test("is valid however long the goal is", () => {
    expect(SubtaskSpec.safeParse(fallbackPlan("x".repeat(100_000), "x")).success).toBe(true);
  });
});
