/** Putting back: a subtask that was rejected, a change that a person wants undone; also after a crash in the middle. */
import { describe, expect, test } from "vitest";
import { createReverter } from "../../../src/roles/undoing/revert.ts";
import { createUndoer } from "../../../src/roles/undoing/undo.ts";
import { createWorker } from "../../../src/roles/working/work.ts";
import { act, Bench, call, deliver, say } from "../../support/role-bench.ts";
import { Crash, RoleJournal } from "../../support/role-journal.ts";

async function changed(): Promise<Bench> {
  const bench = new Bench({ "a.txt": "A", "b.txt": "B" });
  const turn = act(
    call("read_file", { path: "a.txt" }),
    call("read_file", { path: "b.txt" }),
    call("edit_file", { path: "a.txt", old_str: "A", new_str: "changed" }),
    call("edit_file", { path: "b.txt", old_str: "B", new_str: "changed" }),
    call("write_file", { path: "new/c.txt", content: "C" }),
  );
  await deliver(bench, createWorker(bench.ports), (_asked, n) => (n === 1 ? turn : say("Done.")));
  return bench;
}

const revert = (bench: Bench, over = {}) =>
  createReverter(bench.ports)(bench.execution({ kind: "revert", subtaskId: "a", attempt: 1 }, over));

describe("a subtask that is reverted", () => {
  test("leaves its files as they were", async () => {
    using bench = await changed();
    const report = await revert(bench);
    expect(report).toMatchObject({ type: "Reverted", outcome: { conflicts: [] } });
    expect([bench.text("a.txt"), bench.text("b.txt")]).toEqual(["A", "B"]);
    expect(() => bench.text("new/c.txt")).toThrow("ENOENT");
    expect(report).toMatchObject({
      undoneIds: expect.arrayContaining(["chg_a_1_1_3", "chg_a_1_1_4", "chg_a_1_1_5"]) as string[],
    });
    const steps = [...bench.ledger("revert:a:1").rows.values()];
    expect(steps).toMatchObject([{ step: "undo", effectClass: "workspace" }]);
  });

  test("names and leaves what someone else changed since", async () => {
    using bench = await changed();
    bench.write("b.txt", "mine");
    expect(await revert(bench)).toMatchObject({ outcome: { conflicts: [{ path: "b.txt" }] } });
    expect([bench.text("a.txt"), bench.text("b.txt")]).toEqual(["A", "mine"]);
  });

  test("tells the whole of it when Loom died in the middle", async () => {
    using whole = await changed();
    const expected = await revert(whole);
    using bench = await changed();
    const journal = new RoleJournal(bench.ledger("revert:a:1"), "revert:a:1");
    journal.at = (moment) => {
      if (moment === "end") throw new Crash();
    };
    await expect(revert(bench, { journal })).rejects.toThrow(Crash);
    const report = await revert(bench);
    if (report.type !== "Reverted" || expected.type !== "Reverted") throw new Error(report.type);
    expect(report.outcome.restored.toSorted()).toEqual(expected.outcome.restored.toSorted());
    expect(report.outcome.skipped).toEqual([]);
    const paths = (changes: readonly { readonly path: string }[]) =>
      changes
        .map(({ path }) => path)
        .filter((path) => path.endsWith(".txt"))
        .toSorted();
    expect(paths(report.changes)).toEqual(paths(expected.changes));
    expect(await revert(bench)).toEqual(report);
  });

  test("fails when its workspace is gone", async () => {
    using bench = await changed();
    bench.brief = { workspace: "/nowhere/at/all" };
    expect(await revert(bench)).toMatchObject({ type: "Failed" });
  });
});

describe("an undo", () => {
  const undo = (bench: Bench, scope: "change" | "subtask" | "task", id?: string) =>
    createUndoer(bench.ports)(bench.execution({ kind: "undo", k: 1, scope, ...(id === undefined ? {} : { id }) }));

  test("puts back one change and leaves the others", async () => {
    using bench = await changed();
    expect(await undo(bench, "change", "chg_a_1_1_3")).toMatchObject({
      type: "UndoDone",
      outcome: { restored: ["a.txt"] },
      undoneIds: ["chg_a_1_1_3"],
    });
    expect([bench.text("a.txt"), bench.text("b.txt")]).toEqual(["A", "changed"]);
  });

  test("puts back the whole task", async () => {
    using bench = await changed();
    expect(await undo(bench, "task")).toMatchObject({ type: "UndoDone" });
    expect([bench.text("a.txt"), bench.text("b.txt")]).toEqual(["A", "B"]);
  });

  test("fails when its workspace is gone", async () => {
    using bench = await changed();
    bench.brief = { workspace: "/nowhere/at/all" };
    expect(await undo(bench, "task")).toMatchObject({ type: "Failed" });
  });
});
