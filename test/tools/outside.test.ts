/** Whatever path a model writes, no tool reads or writes outside the workspace. */
import { existsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LoomError } from "../../src/lib/errors.ts";
import { snapshot, Temporary } from "../workspace/temporary.ts";
import { openBench } from "./bench.ts";

describe("any tool, whatever path it is given", () => {
  test("neither reads nor writes outside the workspace", async () => {
    using temporary = new Temporary();
    const { call, workspace, tools } = await openBench(temporary, {
      "a.txt": "inside",
      "src/b.txt": "inside",
      "project2/c": "",
      ".git/HEAD": "ref",
    });
    temporary.write({ "secret.txt": "the secret", "other/secret.txt": "the secret" });
    symlinkSync("../../other", join(workspace.root, "src/away"));
    symlinkSync("../secret.txt", join(workspace.root, "leak"));
    symlinkSync("src", join(workspace.root, "near"));
    const outside = () =>
      Object.fromEntries(
        Object.entries(snapshot(temporary.path)).filter(
          ([path]) => !path.startsWith("project/") && !path.startsWith("home/"),
        ),
      );
    const before = outside();
    const part = fc.oneof(
      fc.constantFrom(
        "..",
        ".",
        "~",
        "",
        "a.txt",
        "A.TXT",
        "src",
        "near",
        "away",
        "leak",
        "secret.txt",
        "other",
        "project",
        "\0",
        ".git",
        "*",
        "-x",
        "..\\..",
      ),
      fc.constantFrom(temporary.path, workspace.root, "/proc/self/cwd", "/dev/fd/0", "x".repeat(300)),
      fc.string({ unit: "binary", maxLength: 4 }),
    );
    const anyPath = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));
    const formOf = (name: string, path: string) =>
      ({
        write_file: { path, content: "inside" },
        append_file: { path, content: "inside" },
        edit_file: { path, old_str: "inside", new_str: "inside too" },
        move_file: { source: path, destination: "moved.txt" },
        search_files: { pattern: "secret", path },
        glob_find: { pattern: "*", path },
        git_command: { args: ["diff", path, "a.txt"] },
        read_artifact: { id: path.slice(0, 200) },
      })[name] ?? { path };
    const names = tools
      .all()
      .map(({ schema }) => schema.name)
      .filter((name) => !["shell_execute", "web_fetch", "ask_user"].includes(name));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), anyPath, async (name, path) => {
        const result = await call(name, formOf(name, path)).catch(refusalOnly);
        expect(result.output).not.toContain("the secret");
      }),
      { numRuns: 120 },
    );
    expect(outside()).toEqual(before);
    expect(existsSync(temporary.at("moved.txt"))).toBe(false);
  });
});

/** Nothing but a refusal may come of a bad path. */
function refusalOnly(error: unknown): { readonly output: string } {
  expect(error).toBeInstanceOf(LoomError);
  return { output: "" };
}
