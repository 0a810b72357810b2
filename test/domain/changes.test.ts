import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FileChange, type FileState, isBulk, netChanges, operationOf, sameState } from "../../src/domain/change.ts";
import { absent, change, file } from "../support/happenings.ts";

const folder: FileState = { kind: "folder", mode: 0o755 };
const link = (target: string): FileState => ({ kind: "link", target });

describe("a change", () => {
  test.each([
    ["created", change("a", absent, file("a"))],
    ["modified", change("a", file("a"), file("b"))],
    ["deleted", change("a", file("a"), absent)],
    ["renamed", { ...change("a", file("a"), absent), moved_to: "b" }],
    ["renamed", { ...change("b", absent, file("a")), moved_from: "a" }],
  ])("is one of: %s", (operation, made) => expect(operationOf(made)).toBe(operation));
});

describe("two states of a path", () => {
  test.each([
    [absent, absent],
    [file("a"), file("a")],
    [link("x"), link("x")],
  ])("are the same: %j and %j", (a, b) => expect(sameState(a, b)).toBe(true));

  test.each([
    [folder, { ...folder, mode: 0o700 }],
    [absent, folder],
    [file("a"), file("b")],
    [file("a"), { ...file("a"), mode: 0o755 } as FileState],
    [link("x"), link("y")],
    [folder, absent],
    [file("a"), link("x")],
    [link("x"), file("a")],
  ])("differ: %j and %j", (a, b) => expect(sameState(a, b)).toBe(false));
});

test.each([
  ["node_modules", true],
  ["a/__pycache__/b.pyc", true],
  ["src/node_modules.ts", false],
])("whether tools fill %s: %s", (path, expected) => expect(isBulk(path)).toBe(expected));

describe("the net effect of changes", () => {
  test("is from where each path began to where it ended", () => {
    expect(
      netChanges([change("a", file("a"), file("b")), change("b", absent, file("c")), change("a", file("b"), absent)]),
    ).toEqual([change("a", file("a"), absent), change("b", absent, file("c"))]);
  });

  test("leaves out what ended as it began", () => {
    expect(netChanges([change("a", file("a"), file("b")), change("a", file("b"), file("a"))])).toEqual([]);
  });

  const anyState = fc.constantFrom(absent, file("a"), file("b"), folder, link("x"));
  const anyHistory = fc.array(fc.tuple(fc.constantFrom("p", "q"), anyState), { maxLength: 12 }).map((steps) => {
    const standing = new Map<string, FileState>();
    return steps.map(([path, after]): FileChange => {
      const made = change(path, standing.get(path) ?? absent, after);
      standing.set(path, after);
      return made;
    });
  });

  test("does what the changes did, one path once", () =>
    fc.assert(
      fc.property(anyHistory, (history) => {
        const net = netChanges(history);
        const end = new Map(history.map(({ path, after }) => [path, after]));
        expect(new Set(net.map(({ path }) => path)).size).toBe(net.length);
        for (const [path, after] of end) {
          const found = net.find((one) => one.path === path);
          expect(sameState(found?.after ?? absent, after)).toBe(true);
          expect(found === undefined || found.before.kind === "absent").toBe(true);
          expect(found === undefined || FileChange.safeParse(found).success).toBe(true);
        }
      }),
    ));
});
