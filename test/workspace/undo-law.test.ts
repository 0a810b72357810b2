/** Law 8: undo restores the workspace byte for byte, except paths that someone else changed since, which it names and leaves. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Scene, scene } from "./scene.ts";
import { Temporary } from "./temporary.ts";

const paths = ["a", "b", "d", "d/e", "d/e/f", "g/h"];
const anyPath = fc.constantFrom(...paths);
const anyStep = fc.oneof(
  fc.record({ kind: fc.constant("write" as const), path: anyPath, text: fc.constantFrom("", "1", "2", "\r\n", "\0") }),
  fc.record({ kind: fc.constant("delete" as const), path: anyPath }),
  fc.record({ kind: fc.constant("move" as const), path: anyPath, to: anyPath }),
);

async function play(
  { write, remove, move }: Scene,
  steps: readonly (typeof anyStep extends fc.Arbitrary<infer S> ? S : never)[],
): Promise<void> {
  for (const [index, step] of steps.entries()) {
    const id = `s${index % 2}`;
    if (step.kind === "write") await write(step.path, step.text, id).catch(() => undefined);
    else if (step.kind === "delete") await remove(step.path, id).catch(() => undefined);
    else await move(step.path, step.to, id).catch(() => undefined);
  }
}

/** @returns whether someone else could write there: not over a folder, or below a file */
function interfere({ workspace, elsewhere }: Scene, path: string): boolean {
  try {
    mkdirSync(join(workspace.root, path, ".."), { recursive: true });
    elsewhere(path, "someone else's");
    return true;
  } catch {
    return false;
  }
}

describe("whatever was done through the workspace", () => {
  const starts = [{}, { a: "a", "d/e/f": "f" }, { a: "a", b: "b", d: "d", "g/": "" }];

  test("undo of all of it restores every byte", async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...starts), fc.array(anyStep, { maxLength: 12 }), async (files, steps) => {
        using temporary = new Temporary();
        const played = await scene(temporary, files);
        const before = played.tree();
        await play(played, steps);
        const after = played.tree();
        const { outcome, changes } = await played.undo();
        expect(outcome.conflicts).toEqual([]);
        expect(played.tree()).toEqual(before);
        await played.undo(played.history.all.slice(played.history.all.length - changes.length));
        expect(played.tree()).toEqual(after);
      }),
      { numRuns: 40 },
    );
  });

  test("undo of all of it restores every byte, but for what someone else changed, which it names", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...starts),
        fc.array(anyStep, { maxLength: 10 }),
        anyPath,
        async (files, steps, path) => {
          using temporary = new Temporary();
          const played = await scene(temporary, files);
          const before = played.tree();
          await play(played, steps);
          const foreign = interfere(played, path);
          const { outcome } = await played.undo();
          const left = new Set([...outcome.conflicts.map((conflict) => conflict.path), ...outcome.skipped]);
          const touched = new Set(played.history.all.map((change) => change.path));
          const tree = played.tree();
          const standing = foreign ? temporary.text(`project/${path}`) : "";
          expect(standing).toBe(foreign ? "someone else's" : "");
          expect(left.has(path)).toBe(foreign && touched.has(path) ? true : left.has(path));
          const restored = [...touched].filter((name) => !left.has(name));
          expect(restored.map((name) => [name, tree[name]])).toEqual(restored.map((name) => [name, before[name]]));
        },
      ),
      { numRuns: 40 },
    );
  });
});
