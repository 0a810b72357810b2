/**
 * What a test run says of itself: how many tests were executed, failed and skipped, out of the output of the common runners.
 * Pure, and linear in the length of the output, which is hostile: each line is matched from its beginning.
 */
import type { TestCounts } from "../../domain/verdict.ts";

/** Summaries stand at the end; a runner that found nothing may say so first. */
const tailCharsMax = 200_000;
const headCharsMax = 20_000;
const lineCharsMax = 1000;

const escapes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]{0,20}[A-Za-z]`, "g");
const hints =
  /test|pass|fail|example|spec|^ok|^not ok|item|^1\.\.|skip|pending|^FAIL|assertions|deselected|successful|^Ran |runs/i;

/** @returns the sum of all summaries in the output; null when there is none, which says nothing */
export function testCountsIn(output: string): TestCounts | null {
  const lines = linesOf(output);
  const found = readers.flatMap((reader) => reader(lines) ?? []);
  if (found.length === 0) return null;
  return found.reduce(plus);
}

type Reader = (lines: readonly string[]) => TestCounts | null;

const none: TestCounts = { run: 0, failed: 0, skipped: 0 };

function plus(a: TestCounts, b: TestCounts): TestCounts {
  return { run: a.run + b.run, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

function linesOf(output: string): string[] {
  const shown =
    output.length <= headCharsMax + tailCharsMax
      ? output
      : `${output.slice(0, headCharsMax)}\n${output.slice(-tailCharsMax)}`;
  return shown
    .split(/\r\n|\r|\n/)
    .filter((line) => line.length <= lineCharsMax && hints.test(line))
    .map((line) => line.replace(escapes, "").trim());
}

/** A reader of one line; the counts of all lines that it knows are added up. */
function each(read: (line: string) => TestCounts | null): Reader {
  return (lines) => {
    const counts = lines.flatMap((line) => read(line) ?? []);
    return counts.length === 0 ? null : counts.reduce(plus);
  };
}

/** @returns the sum of the numbers that `form` finds; null where it fits no line */
function totalOf(lines: readonly string[], form: RegExp): number | null {
  const found = lines.flatMap((line) => form.exec(line)?.[1] ?? []);
  return found.length === 0 ? null : found.reduce((total, digits) => total + Number(digits), 0);
}

/** Numbers of a line like `2 failed, 1 skipped, 3 passed`, by the word behind each. */
function byWord(list: string): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  for (const [, digits = "0", word = ""] of list.matchAll(/\b(\d{1,9}) ([a-z]+)/gi))
    numbers.set(word.toLowerCase(), Number(digits));
  return numbers;
}

/** Numbers of a line like `Tests run: 3, Failures: 1`, by the word before each. */
function byLabel(list: string): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  for (const [, label = "", digits = "0"] of list.matchAll(/([a-z]+(?: run)?)[:=] {0,8}(\d{1,9})\b/gi))
    numbers.set(label.toLowerCase(), Number(digits));
  return numbers;
}

function sum(numbers: ReadonlyMap<string, number>, ...names: readonly string[]): number {
  return names.reduce((total, name) => total + (numbers.get(name) ?? 0), 0);
}

/** `=== 2 failed, 3 passed, 1 skipped in 0.12s ===` */
function pytest(line: string): TestCounts | null {
  const bare = line.replace(/^=+ /, "");
  if (/^(?:no tests ran|collected 0 items)\b/.test(bare)) return none;
  if (!/^\d+ (?:passed|failed|skipped|xfailed|xpassed|errors?|deselected|warnings?)\b/.test(bare)) return null;
  if (!/ in \d+(?:\.\d+)?s\b/.test(bare)) return null;
  const words = byWord(bare);
  const failed = sum(words, "failed", "error", "errors");
  return { run: failed + sum(words, "passed", "xfailed", "xpassed"), failed, skipped: sum(words, "skipped") };
}

/** `Ran 3 tests in 0.001s`, and later `FAILED (failures=1, skipped=1)` or `OK (skipped=1)` */
function unittest(lines: readonly string[]): TestCounts | null {
  const ran = lines.flatMap((line) => /^Ran (\d{1,9}) tests? in \d/.exec(line)?.[1] ?? []);
  if (ran.length === 0) return null;
  const ends = lines.filter((line) => /^(?:OK|FAILED|NO TESTS RAN)(?: \(|$)/.test(line)).map(byLabel);
  const skipped = ends.reduce((total, end) => total + sum(end, "skipped"), 0);
  const failed = ends.reduce((total, end) => total + sum(end, "failures", "errors"), 0);
  const all = ran.reduce((total, digits) => total + Number(digits), 0);
  return { run: Math.max(0, all - skipped), failed, skipped };
}

/** `Tests:       1 failed, 2 skipped, 3 passed, 6 total` */
function jest(line: string): TestCounts | null {
  if (/^No tests found\b/.test(line)) return none;
  if (!/^Tests: +\d/.test(line) || !/\b\d+ total$/.test(line)) return null;
  const words = byWord(line);
  const failed = sum(words, "failed");
  return { run: failed + sum(words, "passed"), failed, skipped: sum(words, "skipped", "todo", "pending") };
}

/** `Tests  1 failed | 3 passed | 1 skipped (5)` */
function vitest(line: string): TestCounts | null {
  if (/^(?:No test files found|No test suite found in|Tests +no tests)\b/.test(line)) return none;
  if (!/^Tests +\d+ (?:passed|failed|skipped|todo)\b/.test(line)) return null;
  const words = byWord(line);
  const failed = sum(words, "failed");
  return { run: failed + sum(words, "passed"), failed, skipped: sum(words, "skipped", "todo") };
}

/** `3 passing (5ms)`, `1 failing`, `2 pending` */
function mocha(lines: readonly string[]): TestCounts | null {
  const passing = lines.flatMap((line) => /^(\d{1,9}) passing\b/.exec(line)?.[1] ?? []).map(Number);
  if (passing.length === 0) return null;
  const of = (word: RegExp) => lines.reduce((total, line) => total + Number(word.exec(line)?.[1] ?? 0), 0);
  const failed = of(/^(\d{1,9}) failing$/);
  return { run: passing.reduce((a, b) => a + b, failed), failed, skipped: of(/^(\d{1,9}) pending$/) };
}

/** `ℹ tests 3`, `# fail 1`, … as node prints them; other TAP is counted by its lines. */
function tap(lines: readonly string[]): TestCounts | null {
  const total = (name: string): number | null => totalOf(lines, new RegExp(`^[#ℹ] ${name} (\\d{1,9})$`));
  const tests = total("tests");
  const skipped = (total("skipped") ?? total("skip") ?? 0) + (total("todo") ?? 0);
  if (tests !== null)
    return { run: Math.max(0, tests - skipped), failed: (total("fail") ?? 0) + (total("cancelled") ?? 0), skipped };
  return tapLines(lines);
}

function tapLines(lines: readonly string[]): TestCounts | null {
  if (!lines.some((line) => /^1\.\.\d{1,9}(?: |$)/.test(line))) return null;
  const results = lines.filter((line) => /^(?:not )?ok \d/.test(line));
  const ran = results.filter((line) => !/# (?:SKIP|TODO)/i.test(line));
  const failed = ran.filter((line) => line.startsWith("not")).length;
  return { run: ran.length, failed, skipped: results.length - ran.length };
}

/** `ok  pkg 0.1s`, `? pkg [no test files]`; with -v a line for each test */
function goTest(lines: readonly string[]): TestCounts | null {
  const packages = lines.filter((line) => /^(?:ok|FAIL|\?)\s+[^\s|]+\s+(?:\d|\(cached\)|\[|coverage:)/.test(line));
  if (packages.length === 0) return null;
  const of = (word: string) => lines.filter((line) => line.startsWith(`--- ${word}: `)).length;
  const [passed, failed, skipped] = [of("PASS"), of("FAIL"), of("SKIP")];
  // Without -v only failures are named; a package that is ok has run one test at least, unless it says otherwise.
  const silent = packages.filter((line) => line.startsWith("ok") && !/\[no tests to run\]/.test(line)).length;
  const broken = packages.filter((line) => line.startsWith("FAIL")).length;
  const hasEach = passed + skipped > 0;
  return {
    run: hasEach ? passed + failed : silent + Math.max(failed, broken),
    failed: Math.max(failed, broken),
    skipped,
  };
}

/** `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out` */
function cargo(line: string): TestCounts | null {
  if (!line.startsWith("test result: ")) return /^running 0 tests$/.test(line) ? none : null;
  const words = byWord(line);
  const failed = sum(words, "failed");
  return { run: failed + sum(words, "passed", "measured"), failed, skipped: sum(words, "ignored") };
}

/** `Tests run: 5, Failures: 1, Errors: 0, Skipped: 1`: the totals where they are told, else the lines of each class. */
function surefire(lines: readonly string[]): TestCounts | null {
  const bare = lines.map((line) => line.replace(/^\[[A-Z]+\] +/, ""));
  const told = bare.filter((line) => /^Tests run: \d/.test(line));
  const totals = told.filter((line) => !line.includes("Time elapsed"));
  const counts = (totals.length > 0 ? totals : told).map((line) => {
    const labels = byLabel(line);
    const skipped = sum(labels, "skipped");
    return { run: Math.max(0, sum(labels, "tests run") - skipped), failed: sum(labels, "failures", "errors"), skipped };
  });
  if (counts.length > 0) return counts.reduce(plus);
  return bare.some((line) => /^(?:No tests to run\b|There are no tests to run\b)/.test(line)) ? none : null;
}

/** `[ 3 tests successful ]` of the JUnit console; `10 tests completed, 1 failed, 2 skipped` of Gradle */
function junit(lines: readonly string[]): TestCounts | null {
  const of = (word: string): number | null => totalOf(lines, new RegExp(`^\\[ *(\\d{1,9}) tests ${word} *\\]$`));
  const successful = of("successful");
  if (successful !== null) {
    const failed = of("failed") ?? 0;
    return { run: successful + failed, failed, skipped: of("skipped") ?? 0 };
  }
  return gradle(lines);
}

function gradle(lines: readonly string[]): TestCounts | null {
  const completed = lines.find((line) => /^\d{1,9} tests? completed\b/.test(line));
  if (completed !== undefined) {
    const words = byWord(completed);
    const skipped = sum(words, "skipped");
    return { run: Math.max(0, sum(words, "tests", "test") - skipped), failed: sum(words, "failed"), skipped };
  }
  const tasks = lines.filter((line) => /^> Task :(?:\S+:)?test\b/.test(line));
  return tasks.length > 0 && tasks.every((line) => line.endsWith("NO-SOURCE")) ? none : null;
}

/** `OK (3 tests, 5 assertions)`, `Tests: 3, Assertions: 5, Failures: 1, Skipped: 1.` */
function phpunit(line: string): TestCounts | null {
  if (line.startsWith("No tests executed!")) return none;
  const good = /^OK \((\d{1,9}) tests?, \d+ assertions?\)/.exec(line)?.[1];
  if (good !== undefined) return { run: Number(good), failed: 0, skipped: 0 };
  if (!/^Tests: \d+, Assertions: \d/.test(line)) return null;
  const labels = byLabel(line);
  const skipped = sum(labels, "skipped", "incomplete");
  return { run: Math.max(0, sum(labels, "tests") - skipped), failed: sum(labels, "failures", "errors"), skipped };
}

/** `3 examples, 1 failure, 1 pending`; `3 runs, 5 assertions, 0 failures, 0 errors, 0 skips`; `3 tests, 0 failures` */
function ruby(line: string): TestCounts | null {
  if (!/^\d{1,9} (?:examples?|runs|tests?),/.test(line) || !/\b\d+ failures?\b/.test(line)) return null;
  const words = byWord(line);
  const skipped = sum(words, "pending", "skips", "skipped", "excluded");
  const all = sum(words, "example", "examples", "runs", "test", "tests");
  return { run: Math.max(0, all - skipped), failed: sum(words, "failure", "failures", "errors"), skipped };
}

/** `Passed!  - Failed: 0, Passed: 3, Skipped: 0, Total: 3` */
function dotnet(line: string): TestCounts | null {
  if (/^No test is available in\b/.test(line) || /^No test matches the given\b/.test(line)) return none;
  if (!/^(?:Passed|Failed|Skipped)! +- Failed: /.test(line)) return null;
  const labels = byLabel(line);
  const failed = sum(labels, "failed");
  return { run: failed + sum(labels, "passed"), failed, skipped: sum(labels, "skipped") };
}

/** `ok | 3 passed | 0 failed (5ms)` of deno; `100% tests passed, 0 tests failed out of 3` of ctest */
function denoOrCtest(line: string): TestCounts | null {
  if (/^(?:No tests were found!!!|error: No test modules found)/.test(line)) return none;
  if (/^(?:ok|FAILED) \| \d+ passed/.test(line)) {
    const words = byWord(line);
    const failed = sum(words, "failed");
    return { run: failed + sum(words, "passed"), failed, skipped: sum(words, "ignored") };
  }
  const [, failed, all] = /^\d+% tests passed, (\d{1,9}) tests? failed out of (\d{1,9})/.exec(line) ?? [];
  return all === undefined ? null : { run: Number(all), failed: Number(failed), skipped: 0 };
}

/** Words that say by themselves that nothing was tested, whoever prints them. */
function saysNothing(line: string): TestCounts | null {
  return /^(?:no tests? (?:ran|run|found|executed|collected)|0 tests? (?:ran|run|found|executed|passed)|0 passed|0 passing|ran 0 tests?)[.!]?$/i.test(
    line,
  )
    ? none
    : null;
}

const readers: readonly Reader[] = [
  each(pytest),
  unittest,
  each(jest),
  each(vitest),
  mocha,
  tap,
  goTest,
  each(cargo),
  surefire,
  junit,
  each(phpunit),
  each(ruby),
  each(dotnet),
  each(denoOrCtest),
  each(saysNothing),
];
