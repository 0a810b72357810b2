/** Admission: who may have work in flight. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Admission, Admissions, type Candidate } from "../../src/engine/admission.ts";

const rules = { openTasksMax: 2, sharedWorkspaces: false };

function candidate(taskId: string, over: Partial<Candidate> = {}): Candidate {
  return { taskId, workspace: `/work/${taskId}`, begun: false, parked: false, ...over };
}

function admissions(candidates: readonly Candidate[], its: typeof rules): ReadonlyMap<string, Admission> {
  return new Admissions(candidates, its).all;
}

function admitted(candidates: readonly Candidate[], its = rules): string[] {
  return [...admissions(candidates, its)].flatMap(([id, verdict]) => (verdict.admitted ? [id] : []));
}

describe("more tasks than places", () => {
  test("the oldest are let in, the others wait without a reason but that", () => {
    const verdicts = admissions([candidate("a"), candidate("b"), candidate("c")], rules);
    expect([...verdicts].map(([id, { admitted: is }]) => [id, is])).toEqual([
      ["a", true],
      ["b", true],
      ["c", false],
    ]);
    expect(verdicts.get("c")?.held).toBeNull();
  });

  test("a task that waits for a person or is paused takes no place", () => {
    const parked = candidate("a", { begun: true, parked: true });
    expect(admitted([parked, candidate("b"), candidate("c"), candidate("d")])).toEqual(["a", "b", "c"]);
  });

  test("a task that has begun is never made to stand still for one that has not", () => {
    const begun = ["c", "d", "e"].map((id) => candidate(id, { begun: true }));
    expect(admitted([candidate("a"), candidate("b"), ...begun])).toEqual(["c", "d", "e"]);
  });
});

describe("a workspace", () => {
  test.each([
    ["the same", "/work/one", "/work/one"],
    ["the same, with a slash", "/work/one", "/work/one/"],
    ["one above", "/work/one", "/work"],
    ["one below", "/work", "/work/one/deep"],
    ["the root", "/work/one", "/"],
  ])("belongs to one task at a time: %s", (_, first, second) => {
    const verdicts = admissions([candidate("a", { workspace: first }), candidate("b", { workspace: second })], rules);
    expect(verdicts.get("b")).toEqual({
      admitted: false,
      held: { kind: "workspace", id: "a", reason: `task a works in ${first}` },
    });
  });

  test("is told from one whose name begins the same", () => {
    const pair = [candidate("a", { workspace: "/work/one" }), candidate("b", { workspace: "/work/one-more" })];
    expect(admitted(pair)).toEqual(["a", "b"]);
  });

  test("stays with a parked task, and with one that has begun before an older one that has not", () => {
    const same = { workspace: "/work/one" };
    const younger = candidate("b", { ...same, begun: true, parked: true });
    expect(admitted([candidate("a", same), younger])).toEqual(["b"]);
  });

  test("is everyone's where it is shared", () => {
    const pair = [candidate("a", { workspace: "/w" }), candidate("b", { workspace: "/w" })];
    expect(admitted(pair, { ...rules, sharedWorkspaces: true })).toEqual(["a", "b"]);
  });
});

test("no two admitted tasks overlap, whatever the paths", () => {
  const path = fc.array(fc.constantFrom("a", "b", "ab"), { maxLength: 4 }).map((parts) => `/${parts.join("/")}`);
  const many = fc.array(fc.record({ workspace: path, begun: fc.boolean(), parked: fc.boolean() }), { maxLength: 12 });
  fc.assert(
    fc.property(many, (drawn) => {
      const candidates = drawn.map((one, index) => ({ taskId: `t${index}`, ...one }));
      const verdicts = admissions(candidates, { ...rules, openTasksMax: 12 });
      const roots = candidates
        .filter(({ taskId }) => verdicts.get(taskId)?.admitted)
        .map(({ workspace }) => `${workspace}/`.replace("//", "/"));
      for (const [at, root] of roots.entries()) {
        for (const other of roots.slice(at + 1)) expect(root.startsWith(other) || other.startsWith(root)).toBe(false);
      }
      for (const { taskId } of candidates)
        expect(verdicts.get(taskId)?.admitted || verdicts.get(taskId)?.held?.kind === "workspace").toBe(true);
    }),
  );
});

test("one that comes later is judged as if all were judged again", () => {
  const path = fc.array(fc.constantFrom("a", "b"), { maxLength: 3 }).map((parts) => `/${parts.join("/")}`);
  const known = fc.array(fc.record({ workspace: path, begun: fc.boolean(), parked: fc.boolean() }), { maxLength: 8 });
  const later = fc.array(fc.record({ workspace: path }), { maxLength: 4 });
  fc.assert(
    fc.property(known, later, fc.boolean(), (drawn, added, sharedWorkspaces) => {
      const its = { openTasksMax: 3, sharedWorkspaces };
      const before = drawn.map((one, index) => candidate(`t${index}`, one));
      const behind = added.map((one, index) => candidate(`u${index}`, one));
      const judged = new Admissions(before, its);
      for (const one of behind) judged.add(one);
      expect([...judged.all]).toEqual([...admissions([...before, ...behind], its)]);
    }),
  );
});
