/** Files and their undo through the handle. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LoomRoom } from "../support/engine-loom.ts";

describe("files that a task changed", () => {
  test("are shown, compared and read as they are", async () => {
    await using room = new LoomRoom();
    const taskId = await room.working();
    await room.write(taskId, "new.txt", "hello\n");
    expect(await room.loom.changes(taskId)).toMatchObject([{ path: "new.txt", operation: "created", subtask_id: "a" }]);
    expect(await room.loom.diff(taskId)).toContain("+hello");
    const { bytes, path } = await room.loom.file(taskId, "./new.txt");
    expect([path, new TextDecoder().decode(bytes)]).toEqual(["new.txt", "hello\n"]);
  });

  test("are shown as moved where they were moved", async () => {
    await using room = new LoomRoom();
    writeFileSync(join(room.folder, "old.txt"), "hello\n");
    const taskId = await room.working({ workspace: room.folder });
    await room.move(taskId, "old.txt", "new.txt");
    expect(await room.loom.changes(taskId)).toMatchObject([{ operation: "renamed" }, { operation: "renamed" }]);
    expect(await room.loom.diff(taskId)).toContain("rename to new.txt");
  });

  test("are the only ones that are read", async () => {
    await using room = new LoomRoom();
    const taskId = await room.working({ workspace: room.folder });
    writeFileSync(join(room.folder, "other.txt"), "theirs");
    await expect(room.loom.file(taskId, "other.txt")).rejects.toMatchObject({ code: "not_found" });
    await expect(room.loom.file(taskId, "../etc/passwd")).rejects.toMatchObject({ code: "path_refused" });
  });
});

describe("an undo", () => {
  async function written(room: LoomRoom): Promise<string> {
    const taskId = await room.working();
    await room.write(taskId, "new.txt", "hello\n");
    await room.loom.cancel(taskId, { by: "p" });
    await room.bench.store.quiet();
    return taskId;
  }
  const whole = { scope: "task", preview: false, by: "p" } as const;

  test("is shown beforehand without doing anything", async () => {
    await using room = new LoomRoom();
    const taskId = await written(room);
    const before = (await room.bench.store.log(taskId)).length;
    expect(await room.loom.undo(taskId, { ...whole, preview: true })).toMatchObject({
      restored: ["new.txt"],
      appliedSeq: before,
    });
    expect((await room.bench.store.log(taskId)).length).toBe(before);
    await expect(room.loom.file(taskId, "new.txt")).resolves.toMatchObject({ path: "new.txt" });
  });

  test("answers when it has been applied", async () => {
    await using room = new LoomRoom();
    room.playUndo();
    const taskId = await written(room);
    const undone = await room.loom.undo(taskId, whole);
    expect(undone).toMatchObject({ restored: ["new.txt"], conflicts: [], skipped: [] });
    const last = (await room.bench.store.log(taskId)).at(-1);
    expect(last).toMatchObject({ type: "undo_applied", seq: undone.appliedSeq });
    await expect(room.loom.file(taskId, "new.txt")).rejects.toMatchObject({ code: "not_found" });
  });

  test("answers with its own outcome, when two were asked for", async () => {
    await using room = new LoomRoom();
    room.playUndo();
    const taskId = await written(room);
    const [first, second] = await Promise.all([room.loom.undo(taskId, whole), room.loom.undo(taskId, whole)]);
    expect(first.restored).toEqual(["new.txt"]);
    expect(second.restored).toEqual([]);
    expect(second.appliedSeq).toBeGreaterThan(first.appliedSeq);
  });

  test("that takes long says that it goes on", async () => {
    await using room = new LoomRoom();
    const taskId = await written(room);
    const undone = room.loom.undo(taskId, whole);
    undone.catch(() => undefined);
    await room.bench.clock.advance(30_000);
    await expect(undone).rejects.toMatchObject({ code: "storage_failed" });
    const cut = room.loom.undo(taskId, whole);
    cut.catch(() => undefined);
    await room.bench.store.quiet();
    await room.supervisor.drain(0);
    await expect(cut).rejects.toMatchObject({ code: "storage_failed" });
  });

  test("is refused where it makes no sense, also beforehand", async () => {
    await using room = new LoomRoom();
    const taskId = await room.working();
    await expect(room.loom.undo(taskId, whole)).rejects.toMatchObject({ code: "wrong_state" });
    await expect(room.loom.undo(taskId, { ...whole, preview: true })).rejects.toMatchObject({ code: "wrong_state" });
    await expect(room.loom.undo(taskId, { ...whole, scope: "change", id: "nothing" })).rejects.toMatchObject({
      code: "not_found",
    });
  });
});
