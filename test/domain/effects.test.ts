import { describe, expect, test } from "vitest";
import { type EffectWork, journalScopeOf, keyOf } from "../../src/domain/effect.ts";
import { effects } from "../../src/domain/effects.ts";
import { ifKind } from "../../src/domain/narrowing.ts";
import { given } from "../support/given.ts";
import { asked, completed, created, delivered, done, executing, passed, spec, started } from "../support/happenings.ts";

describe("a subtask", () => {
  test("is wanted once all that it depends on is completed", () => {
    const plan = executing("a", "b", spec("c", { depends_on: ["a", "b"] }));
    given(plan).wants("work:a:1:1", "work:b:1:1");
    given(plan, done("a")).wants("work:b:1:1");
    given(plan, done("a"), done("b")).wants("work:c:1:1");
  });

  test("does not wait for what is remembered of its dependencies", () => {
    given(
      executing("a", spec("b", { depends_on: ["a"] })),
      started("a"),
      delivered("a"),
      passed("a"),
      completed("a"),
    ).wants("extract:a", "work:b:1:1");
  });

  test("is wanted no more when the task is closed", () => {
    given(executing("a"), started("a")).requested({ type: "CancelTask", by: "ada" }).wants();
  });
});

describe("subtasks that name the same output", () => {
  const naming = (...outputs: readonly string[]) =>
    outputs.map((output, at) => spec(`s${at}`, { expected_outputs: [output] }));

  test.each([
    ["a.txt", "a.txt"],
    ["a.txt", "./a.txt"],
    ["src", "src/a.txt"],
    ["src/a.txt", "src/"],
  ])("run one after the other: %s and %s", (one, other) => {
    const plan = executing(...naming(one, other));
    given(plan).wants("work:s0:1:1");
    given(plan, started("s0"), delivered("s0")).wants("verify:s0:1:1");
    given(plan, started("s0"), asked("s0")).wants();
    given(plan, done("s0")).wants("work:s1:1:1");
  });

  test.each([
    ["a.txt", "b.txt"],
    ["src", "src2"],
    ["a", "b/a"],
  ])("are others when the paths are: %s and %s", (one, other) => {
    given(executing(...naming(one, other))).wants("work:s0:1:1", "work:s1:1:1");
  });
});

describe("a verification", () => {
  const verifying = (verificationTier: 1 | 2 | 3, rules: object) =>
    effects(
      given(
        created({}, rules),
        executing(spec("a", { verification_tier: verificationTier })),
        started("a"),
        delivered("a"),
      ).task,
    );

  test.each([
    [1, {}, 1],
    [2, {}, 2],
    [2, { tier2_enabled: false }, 1],
    [3, {}, 2],
    [3, { tier3_enabled: true }, 3],
    [3, { tier2_enabled: false }, 1],
  ] as const)("planned at tier %i under %j aims at tier %i", (planned, rules, tier) => {
    expect(verifying(planned, rules)).toMatchObject([{ kind: "verify", tier }]);
  });
});

describe("an effect", () => {
  const works: readonly (readonly [EffectWork, string])[] = [
    [{ kind: "plan", version: 2, call: 1 }, "plan:2:1"],
    [{ kind: "work", subtaskId: "a", attempt: 2, leg: 3, tier: 1 }, "work:a:2:3"],
    [{ kind: "verify", subtaskId: "a", attempt: 2, try: 1, tier: 2 }, "verify:a:2:1"],
    [{ kind: "revert", subtaskId: "a", attempt: 2 }, "revert:a:2"],
    [{ kind: "extract", subtaskId: "a" }, "extract:a"],
    [{ kind: "check", round: 1 }, "check:1"],
    [{ kind: "answer", call: 1 }, "answer:1"],
    [{ kind: "undo", k: 1, scope: "task" }, "undo:1"],
    [{ kind: "wait", what: "a", n: 7, until: 0 }, "wait:a:7"],
  ];

  test.each(works)("of $0.kind has a key", (work, key) => expect(keyOf(work)).toBe(key));

  test.each(works)("of $0.kind keeps a journal under its key, all legs of an attempt the same", (work, key) => {
    expect(journalScopeOf(work)).toBe(work.kind === "work" ? "work:a:2" : key);
  });
});

describe("narrowing", () => {
  test("does something with one kind, and leaves others alone", () => {
    const seen: string[] = [];
    ifKind({ kind: "a" }, "a", () => seen.push("a"));
    ifKind<{ kind: "a" | "b" }, "b">({ kind: "a" }, "b", () => seen.push("b"));
    expect(seen).toEqual(["a"]);
  });
});
