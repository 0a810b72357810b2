/** Summaries of the common test runners, as they print them, and what is no summary. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { testCountsIn } from "../../../src/roles/verifying/test-summary.ts";

const counts = (run: number, failed = 0, skipped = 0) => ({ run, failed, skipped });

describe("a summary", () => {
  test.each([
    ["pytest", "===== 2 failed, 3 passed, 1 skipped, 2 warnings in 0.12s =====", counts(5, 2, 1)],
    ["pytest -q", "...\n3 passed in 0.01s", counts(3)],
    ["pytest with errors", "= 1 passed, 2 errors in 1.20s =", counts(3, 2)],
    ["pytest, long", "==== 812 passed, 3 xfailed in 75.31s (0:01:15) ====", counts(815)],
    ["unittest", "Ran 3 tests in 0.001s\n\nOK", counts(3)],
    ["unittest, failed", "Ran 4 tests in 0.001s\n\nFAILED (failures=1, errors=1, skipped=1)", counts(3, 2, 1)],
    ["jest", "Test Suites: 1 failed, 1 total\nTests:       1 failed, 2 skipped, 3 passed, 6 total", counts(4, 1, 2)],
    ["vitest", " Test Files  1 passed (1)\n      Tests  1 failed | 3 passed | 1 skipped (5)", counts(4, 1, 1)],
    [
      "vitest, coloured",
      "\u001b[2m      Tests \u001b[22m \u001b[1m\u001b[32m2 passed\u001b[39m\u001b[22m\u001b[90m (2)\u001b[39m",
      counts(2),
    ],
    ["mocha", "\n  3 passing (5ms)\n  1 failing\n  2 pending\n", counts(4, 1, 2)],
    ["node --test", "ℹ tests 4\nℹ suites 0\nℹ pass 2\nℹ fail 1\nℹ cancelled 0\nℹ skipped 1\nℹ todo 0", counts(3, 1, 1)],
    [
      "node --test in TAP",
      "TAP version 13\n1..2\n# tests 2\n# pass 2\n# fail 0\n# cancelled 0\n# skipped 0\n# todo 0",
      counts(2),
    ],
    ["TAP", "1..3\nok 1 - a\nnot ok 2 - b\nok 3 - c # SKIP no network", counts(2, 1, 1)],
    ["go test", "ok  \texample.com/a\t0.002s\n?   \texample.com/b\t[no test files]", counts(1)],
    [
      "go test -v",
      "--- PASS: TestA (0.00s)\n--- SKIP: TestB (0.00s)\n--- FAIL: TestC (0.00s)\nFAIL\texample.com/a\t0.002s",
      counts(2, 1, 1),
    ],
    ["go test, cached", "ok  \texample.com/a\t(cached)", counts(1)],
    [
      "cargo test",
      "running 3 tests\ntest result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\nrunning 0 tests\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out",
      counts(3, 0, 1),
    ],
    [
      "maven",
      "[INFO] Tests run: 2, Failures: 1, Errors: 0, Skipped: 0, Time elapsed: 0.1 s - in ATest\n[ERROR] Tests run: 5, Failures: 1, Errors: 1, Skipped: 1",
      counts(4, 2, 1),
    ],
    [
      "JUnit console",
      "[         3 tests found           ]\n[         2 tests successful      ]\n[         1 tests failed          ]",
      counts(3, 1),
    ],
    ["gradle", "10 tests completed, 1 failed, 2 skipped", counts(8, 1, 2)],
    ["phpunit", "OK (3 tests, 5 assertions)", counts(3)],
    ["phpunit, failed", "Tests: 3, Assertions: 5, Failures: 1, Skipped: 1.", counts(2, 1, 1)],
    ["rspec", "3 examples, 1 failure, 1 pending", counts(2, 1, 1)],
    ["minitest", "3 runs, 5 assertions, 0 failures, 1 errors, 1 skips", counts(2, 1, 1)],
    [
      "dotnet",
      "Passed!  - Failed:     0, Passed:     3, Skipped:     1, Total:     4, Duration: 5 ms",
      counts(3, 0, 1),
    ],
    ["deno", "ok | 3 passed | 1 failed (5ms)", counts(4, 1)],
    ["ctest", "67% tests passed, 1 tests failed out of 3", counts(3, 1)],
    ["two workspaces", "Tests:       3 passed, 3 total\nTests:       1 failed, 1 total", counts(4, 1)],
  ])("of %s is read", (_runner, output, expected) => expect(testCountsIn(output)).toEqual(expected));

  test.each([
    ["pytest", "collected 0 items\n\n===== no tests ran in 0.01s ====="],
    ["pytest, all skipped", "==== 3 skipped in 0.01s ===="],
    ["pytest, all deselected", "==== 5 deselected in 0.02s ===="],
    ["unittest", "Ran 0 tests in 0.000s\n\nOK"],
    ["unittest, newer", "Ran 0 tests in 0.000s\n\nNO TESTS RAN"],
    ["unittest, all skipped", "Ran 2 tests in 0.000s\n\nOK (skipped=2)"],
    ["jest", "No tests found, exiting with code 0"],
    ["jest, none", "Tests:       0 total"],
    ["jest, all skipped", "Tests:       2 skipped, 2 total"],
    ["vitest", "No test files found, exiting with code 0"],
    ["vitest, none", "      Tests  no tests"],
    ["mocha", "\n\n  0 passing (1ms)\n"],
    ["node --test", "ℹ tests 0\nℹ pass 0\nℹ fail 0"],
    ["TAP", "TAP version 13\n1..0"],
    ["go test", "?   \texample.com/a\t[no test files]\n?   \texample.com/b\t[no test files]"],
    ["go test -run", "ok  \texample.com/a\t0.002s [no tests to run]"],
    ["cargo test", "running 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out"],
    ["maven", "[INFO] No tests to run."],
    ["gradle", "> Task :compileTestJava NO-SOURCE\n> Task :test NO-SOURCE\n\nBUILD SUCCESSFUL in 1s"],
    ["phpunit", "No tests executed!"],
    ["rspec", "0 examples, 0 failures"],
    ["dotnet", "No test is available in /w/bin/a.dll. Make sure that …"],
    ["ctest", "No tests were found!!!"],
    ["somebody", "0 passed"],
  ])("of %s may say that no test was executed", (_runner, output) => expect(testCountsIn(output)?.run).toBe(0));
});

describe("what a program prints otherwise", () => {
  test.each([
    "All tests passed",
    "Hello, 3 passed by on the street",
    "ok",
    "Deployed 3 services, 0 failures expected tomorrow",
    "test: 3 passed the gate",
    "I ran 0 miles today",
    "",
    "error: 2 tests were mentioned in the README",
  ])("says nothing of tests: %s", (output) => expect(testCountsIn(output)).toBeNull());

  test("does not hide the summary among it", () =>
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 40 }), fc.nat(500), (noise, passed) => {
        const printed = noise.map((line) => `> ${line.replace(/[\r\n]/g, " ")}`);
        const half = Math.floor(printed.length / 2);
        const output = [...printed.slice(0, half), `Tests:  ${passed} passed, ${passed} total`, ...printed.slice(half)];
        expect(testCountsIn(output.join("\n"))).toEqual(counts(passed));
      }),
    ));
});

test("of a hostile output has an end", () => {
  const hostile = [
    "1 passed ",
    "Tests: 1 ",
    "ok 1 ",
    "[      ",
    "=",
    " 1 a",
    "test ",
    "\n? x [",
    "\nok 1",
    "\nok 1 # SKIP",
  ];
  fc.assert(
    fc.property(fc.constantFrom(...hostile), fc.constantFrom(...hostile), (one, other) => {
      const counted = testCountsIn(`1..1\n${one.repeat(300_000)}\n${other.repeat(300_000)}`);
      expect(counted?.failed ?? 0).toBe(0);
    }),
    { numRuns: 20 },
  );
});
