/** Paths in plans: what is plainly a path counts, what may as well be prose does not. */
import { describe, expect, test } from "vitest";
import { isPath, matcherOf, mayBeEmpty, pathsInCriteria } from "../../../src/roles/verifying/named-paths.ts";
import { testFlaw } from "../../../src/roles/verifying/run-check.ts";

describe("an expected output", () => {
  test.each(["src/a.py", "README.md", "dist/", "./a", "out/*.csv", "Makefile", ".env.example"])(
    "%s is a path",
    (text) => expect(isPath(text)).toBe(true),
  );
  test.each([
    "A summary",
    "report of findings",
    "https://example.com/a.txt",
    "summary",
    "the `a.py` file",
    "...",
    "a\nb.txt",
  ])("%j is not", (text) => expect(isPath(text)).toBe(false));
});

describe("acceptance criteria", () => {
  test.each([
    ["The file src/app.py exists and contains a main function.", ["src/app.py"]],
    ["Creates `docs/guide.md`. README.md includes a link to it.", ["docs/guide.md", "README.md"]],
    ["./tests/test_a.py is present", ["tests/test_a.py"]],
  ])("%j name %j", (text, paths) => expect(pathsInCriteria(text)).toEqual(paths));

  test.each([
    "old.py is removed and no longer exists.",
    "Prints an error if config.json does not exist.",
    "The parser handles Node.js modules; file endings are kept.",
    "Version 1.2.3 is present, see https://example.com/a.html for what it contains.",
    "app.get('/x') has a handler.",
    "The file is renamed from a.md to b.md.",
    "tests exit 0. It failed with:\nError: Cannot find module './foo.js'\n  at node:internal/modules/cjs/loader.js:1:2",
    "/etc/hosts.txt contains nothing new",
    "parse('') returns [].",
  ])("%j name none", (text) => expect(pathsInCriteria(text)).toEqual([]));
});

test.each([
  ["out/*.csv", "out/a.csv", true],
  ["out/*.csv", "out/x/a.csv", false],
  ["**/*.md", "docs/deep/a.md", true],
  ["**/*.md", "a.md", true],
  ["./a?.txt", "ab.txt", true],
  ["a.txt", "abtxt", false],
])("the pattern %s on %s: %s", (pattern, path, expected) => expect(matcherOf(pattern)(path)).toBe(expected));

test.each([
  ["pkg/__init__.py", true],
  ["a/.gitkeep", true],
  ["src/py.typed", true],
  ["a.py", false],
])("%s may be empty: %s", (path, expected) => expect(mayBeEmpty(path)).toBe(expected));

describe("a run of tests", () => {
  test.each([
    ["pytest -q", "no tests ran in 0.01s"],
    ["npm test", "# tests 0\n# pass 0"],
    ["node --test", "ℹ tests 0\nℹ pass 0"],
    ["cargo test", "running 0 tests\n\ntest result: ok. 0 passed; 0 failed"],
    ["go test ./...", "?   \texample.com/a\t[no test files]"],
    ["npx vitest run", "No test files found, exiting with code 0"],
    ["npx jest --passWithNoTests", "No tests found, exiting with code 0"],
    ["python -m unittest", "Ran 0 tests in 0.000s\n\nOK"],
  ])("by %s that found none proves nothing", (command, output) =>
    expect(testFlaw(command, output)).toContain("no test was executed"),
  );

  test.each([
    ["pytest -q", "12 passed in 0.1s"],
    ["cargo test", "running 3 tests\ntest result: ok. 3 passed\n\nrunning 0 tests"],
    ["go test ./...", "ok  \texample.com/a\t0.003s\n?   \texample.com/b\t[no test files]"],
    ["node --test", "ℹ tests 4\nℹ pass 4"],
    ["make", "0 tests"],
    ["npm test", "All is well"],
  ])("by %s that found some does", (command, output) => expect(testFlaw(command, output)).toBeNull());

  test("whose exit code was hidden fails by its own words", () => {
    expect(testFlaw("npm test || true", "ℹ tests 4\nℹ pass 3\nℹ fail 1")).toContain("1 of 4 tests failed");
    expect(testFlaw("pytest", "3 skipped in 0.1s")).toContain("all 3 were skipped");
  });
});
