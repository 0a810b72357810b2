import { posix } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Outputs, outputPaths } from "../../src/domain/outputs.ts";

function overlap(one: string, other: string): boolean {
  const outputs = new Outputs();
  outputs.add(outputPaths([one], "/work/project/"));
  return outputs.overlaps(outputPaths([other], "/work/project/"));
}

describe("two outputs", () => {
  test.each([
    ["a", "a"],
    ["a", "./a"],
    ["a", "d/../a"],
    ["a", "/work/project/a"],
    ["a/", "a"],
    ["a//b", "a/./b"],
    ["src", "src/a.ts"],
    ["src/a.ts", "src/"],
    [".", "src/a.ts"],
    ["src/*.ts", "src/a.ts"],
    ["src/a.ts", "src/deep/../?.ts"],
    ["/work/project", "a"],
  ])("%j and %j are not worked on at the same time", (one, other) => {
    expect([overlap(one, other), overlap(other, one)]).toEqual([true, true]);
  });

  test.each([
    ["a", "b"],
    ["a", "ab"],
    ["src/a.ts", "src/b.ts"],
    ["src", "srcs/a.ts"],
    ["a", "/work/projects/a"],
    ["src/*.ts", "docs/a.md"],
  ])("%j and %j may be", (one, other) => {
    expect([overlap(one, other), overlap(other, one)]).toEqual([false, false]);
  });

  const anyPath = fc
    .array(fc.constantFrom("a", "b", "c", ".", "", ".."), { minLength: 1, maxLength: 6 })
    .map((steps) => steps.join("/"))
    .filter((path) => !path.startsWith("/") && !posix.normalize(path).startsWith(".."));

  test("overlap where one is the other, or lies in it, once both are written the same way", () =>
    fc.assert(
      fc.property(fc.array(anyPath, { maxLength: 4 }), anyPath, (added, asked) => {
        const plain = (path: string) => `/${posix.normalize(`./${path}/`)}`.replace("/./", "/");
        const expected = added.some(
          (one) => plain(one).startsWith(plain(asked)) || plain(asked).startsWith(plain(one)),
        );
        const outputs = new Outputs();
        outputs.add(outputPaths(added, "/work/project"));
        expect(outputs.overlaps(outputPaths([asked], "/work/project"))).toBe(expected);
      }),
      { numRuns: 500 },
    ));
});
