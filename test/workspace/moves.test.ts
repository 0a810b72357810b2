/** Deletes and moves: what they take, what they leave, and where they are refused. */
import { readdirSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openProject, snapshot, Temporary } from "./temporary.ts";

const refused = { code: "path_refused" };

describe("a delete", () => {
  test("takes a file, a link or an empty folder", async () => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary, { "a.txt": "a", "src/": "" });
    symlinkSync("a.txt", join(workspace.root, "link"));
    for (const path of ["link", "src", "a.txt"]) await workspace.apply(await workspace.planDelete(path));
    expect(readdirSync(workspace.root)).toEqual([]);
  });

  test("is refused of what is not there and of a folder that holds something", async () => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary, { "src/a.txt": "a" });
    await expect(workspace.planDelete("none")).rejects.toMatchObject({ code: "not_found" });
    await expect(workspace.planDelete("src")).rejects.toThrow("Directory not empty. Remove contents first.");
  });
});

describe("a move", () => {
  test("of a file is two changes that name each other, and one rename", async () => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary, { "a.txt": "a" });
    const plan = await workspace.planMove("a.txt", "new/b.txt");
    expect(plan.changes.map(({ path, moved_to, moved_from }) => ({ path, moved_to, moved_from }))).toEqual([
      { path: "a.txt", moved_to: "new/b.txt" },
      { path: "new/b.txt", moved_from: "a.txt" },
      { path: "new" },
    ]);
    const { ino } = statSync(join(workspace.root, "a.txt"));
    await workspace.apply(plan);
    expect(statSync(join(workspace.root, "new/b.txt")).ino).toBe(ino);
    expect(readdirSync(workspace.root)).toEqual(["new"]);
  });

  test("of a folder takes all that is in it", async () => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary, { "src/a.txt": "a", "src/deep/b.txt": "b", "src/empty/": "" });
    symlinkSync("a.txt", join(workspace.root, "src/link"));
    const before = snapshot(join(workspace.root, "src"));
    const plan = await workspace.planMove("src", "lib/inner");
    await workspace.apply(plan);
    expect(snapshot(join(workspace.root, "lib/inner"))).toEqual(before);
    expect(await workspace.standing(plan.changes)).toBe("after");
  });

  test("is refused where it would lose or mislead something", async () => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary, {
      "a.txt": "a",
      "b.txt": "b",
      "src/deep/c.txt": "",
      "src/.git/HEAD": "",
      "d/": "",
    });
    symlinkSync("../a.txt", join(workspace.root, "d/up"));
    await expect(workspace.planMove("none", "c.txt")).rejects.toMatchObject({ code: "not_found" });
    await expect(workspace.planMove("a.txt", "b.txt")).rejects.toThrow("Destination already exists");
    await expect(workspace.planMove("src/deep", "src/deep/er")).rejects.toMatchObject(refused);
    await expect(workspace.planMove("src", "lib")).rejects.toThrow("belongs to git");
    await expect(workspace.planMove("d/up", "up")).rejects.toThrow("lead out of the workspace");
    temporary.write(Object.fromEntries(Array.from({ length: 201 }, (_, n) => [`project/many/${n}`, ""])));
    await expect(workspace.planMove("many", "more")).rejects.toThrow("more than 200 entries");
  });
});
