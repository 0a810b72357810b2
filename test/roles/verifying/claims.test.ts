/** What is claimed and what is demanded of tests, and what only sounds like it. */
import { describe, expect, test } from "vitest";
import { commandsClaimed, testsClaimed, testsDemanded, wasRun } from "../../../src/roles/verifying/claims.ts";

describe("that tests pass", () => {
  test.each([
    "All tests pass.",
    "I fixed add(). The tests now pass.",
    "Tests: 12 passed",
    "The test suite is green!",
    "12/12 tests passed",
    "It passes all 14 tests",
    "I changed nothing else, and all unit tests are passing.",
    "pytest: 3 passed",
    "I ran `npm test` and it succeeded.",
    "`node --test` exited with code 0",
  ])("is claimed by: %s", (said) => expect(testsClaimed(said).pass).toBe(true));

  test.each([
    "The tests should pass now.",
    "I could not run the tests.",
    "All tests will pass once the package is installed.",
    "The tests do not pass yet.",
    "I added a test for the empty line.",
    "The helper passes the option to the test runner.",
    "If the tests pass, merge it.",
    "I passed the test data on.",
    "He passed by.",
    "",
  ])("is not claimed by: %s", (said) => expect(testsClaimed(said)).toEqual({ pass: false, commands: [] }));

  test.each([
    ["All tests pass.", []],
    ["`npm test` should exit 0", ["npm test"]],
    ["The tests must pass", []],
    ["pytest passes", ["pytest"]],
  ])("is demanded by: %s", (criteria, commands) => expect(testsDemanded(criteria)).toEqual({ pass: true, commands }));

  test.each([
    "`npm test` is documented in README.md",
    "There is a test for zero.",
    "It does not depend on `pytest` passing",
  ])("is not demanded by: %s", (criteria) => expect(testsDemanded(criteria).pass).toBe(false));

  test("names the commands that are said to pass, and no others", () => {
    expect(testsClaimed("`npm test` passes. Use `pytest` for the rest.").commands).toEqual(["npm test"]);
  });
});

describe("a command that is said to have been run", () => {
  test.each([
    ["I ran `npm run build` and it worked.", ["npm run build"]],
    ["Verified with `node add.js 2 3`", ["node add.js 2 3"]],
    ["I executed `./check.sh`, then `git status`.", ["./check.sh", "git status"]],
    ["I ran `parse` over it", []],
    ["You can run `npm test`.", []],
    ["I have not run `npm test`.", []],
    ["`npm start` starts it; I ran out of time", []],
  ])("in: %s", (said, commands) => expect(commandsClaimed(said)).toEqual(commands));

  test("was run if the record has it, alone, within a line, or with its exit code hidden", () => {
    expect(wasRun("npm  test", ["cd app && npm test 2>&1"])).toBe(true);
    expect(wasRun("node --test || true", ["node --test | tail"])).toBe(true);
    expect(wasRun("npm test", ["npm run build", "echo test"])).toBe(false);
    expect(wasRun("npm test", [])).toBe(false);
  });
});
