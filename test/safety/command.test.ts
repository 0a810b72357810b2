/**
 * The command judge against three lists of lines: what must wait for a person, what must not, and what stands in real projects.
 * The lists are files that anyone may extend; the format is told at their heads. Nothing here is run.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readLine, readVector } from "../../src/safety/command.ts";
import { effortMax } from "../../src/safety/reading.ts";

const commandFindings = (line: string, root: string | undefined) => readLine(line, root).findings;
const argvFindings = (argv: readonly string[], root: string | undefined) => readVector(argv, root).findings;

function linesOf(file: string): string[] {
  const text = readFileSync(join(import.meta.dirname, file), "utf8");
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  return lines.map((line) => line.replaceAll("⏎", "\n"));
}

const dangerous = linesOf("dangerous.txt");
const harmless = linesOf("harmless.txt");
const real = linesOf("harmless-real.txt");

describe("a dangerous command line", () => {
  test("is tried in at least 1100 forms, no two the same", () => {
    expect(new Set(dangerous).size).toBe(dangerous.length);
    expect(dangerous.length).toBeGreaterThanOrEqual(1100);
  });

  test.each(dangerous)("waits for a person: %s", (line) => {
    const findings = commandFindings(line, undefined);
    expect(findings).not.toEqual([]);
    for (const { reason } of findings) expect(reason).toMatch(/^[a-z].{8,}/s);
  });

  test("waits behind any harmless one, however they are joined", () =>
    fc.assert(
      fc.property(
        fc.constantFrom(...harmless.filter((line) => !/[\n#&]/.test(line))),
        fc.constantFrom(";", "&&", "||", "|", "&", "\n"),
        fc.constantFrom("rm -rf build", "sudo ls", "cat .env", "git push --force", "chmod 777 x"),
        (first, joint, second) => {
          expect(commandFindings(`${first} ${joint} ${second}`, undefined)).not.toEqual([]);
        },
      ),
    ));

  test("waits however deep it is wrapped", () =>
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom("env A=1 ", "nice -n 5 ", "timeout 9 ", "nohup ", "command ", "exec ", "time ", "xargs -n1 "),
          { maxLength: 6 },
        ),
        (wrappers) => {
          expect(commandFindings(`${wrappers.join("")}rm -rf build`, undefined)).not.toEqual([]);
        },
      ),
    ));
});

describe("a harmless command line", () => {
  test("is tried in at least 280 forms, and in at least 700 of real projects", () => {
    expect(harmless.length).toBeGreaterThanOrEqual(280);
    expect(real.length).toBeGreaterThanOrEqual(700);
  });

  test("of a real Makefile or package.json is asked about in at most 2 of 100 cases", () => {
    const asked = real.filter((line) => commandFindings(line, undefined).length > 0);
    // The lines themselves, so that a failure tells them.
    expect(asked.slice(Math.floor(real.length * 0.02))).toEqual([]);
  });

  test.each(harmless)("may run: %s", (line) => expect(commandFindings(line, undefined)).toEqual([]));
});

describe("any text at all", () => {
  const noise = fc.string({ unit: fc.constantFrom(..."rm -f$(){}`'\"\\|&;<>\n ab/.~*#=!".split("")), maxLength: 40 });

  test("is judged without an error", () =>
    fc.assert(
      fc.property(noise, (line) => {
        expect(Array.isArray(commandFindings(line, undefined))).toBe(true);
      }),
      { numRuns: 2000 },
    ));

  test("of up to 10 000 characters is judged without an error, however long its parts repeat", () =>
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ maxLength: 10_000, unit: "binary" }),
          fc.tuple(noise, fc.nat(400)).map(([text, times]) => text.repeat(times)),
        ),
        (line) => {
          expect(readLine(line.slice(0, 10_000), undefined).effort).toBeLessThanOrEqual(effortMax + 10_000);
        },
      ),
      { numRuns: 300 },
    ));

  const assigned = (name: string, count: number) =>
    Array.from({ length: count }, (_none, at) => `${name}=v${at}`).join("; ");
  test.each([
    ["variables of many values", `${assigned("A", 60)}; ${assigned("B", 60)}; echo $A $B`],
    ["scripts within scripts", `${assigned("A", 60)}; ${'sh -c "sh -c \\"'.repeat(3)}$A`],
    ["loops within loops", `${"for a in x y z; do ".repeat(8)}A=$a$A; ${"done; ".repeat(8)}`],
    ["braces within braces", `echo ${"{a,b}".repeat(12)}`],
    ["braces in braces", `echo ${"{a,".repeat(500)}${"}".repeat(500)}`],
    ["commands in commands", `${"$(".repeat(4000)}ls`],
    ["parentheses", "(".repeat(9000)],
    ["quotes", "'\"".repeat(4000)],
    ["wrappers", "env ".repeat(2500)],
    ["unknown programs that may be wrappers", "strace rm ".repeat(900)],
    ["lines within lines", `${"tool 'a b' ".repeat(900)}`],
    ["here-documents", "cat <<E\n".repeat(1000)],
    ["one long word", "a".repeat(10_000)],
    ["one long mode", `chmod ${"u".repeat(9000)} x`],
    ["comments in SQL", `psql -c '${"/*".repeat(4000)}'`],
    ["calls in code", `python3 -c '${'open("a'.repeat(1200)}'`],
    ["patterns", `cat ${"*a".repeat(2000)}`],
  ])("is judged in bounded effort: %s", (_what, line) => {
    expect(readLine(line, undefined).effort).toBeLessThanOrEqual(effortMax + 10_000);
  });

  test("that runs more commands than can be looked over is asked about", () => {
    const line = `${assigned("A", 40)}; ${"echo $A $A $A $A; ".repeat(200)}`;
    expect(commandFindings(line, undefined)).toMatchObject([
      { floor: true, reason: "runs more commands than can be looked over" },
    ]);
  });

  test("is asked about when it is too long, nested too deeply or not text", () => {
    const deep = `${"$(".repeat(30)}ls${")".repeat(30)}`;
    const wrapped = `${"nice ".repeat(30)}ls`;
    for (const line of ["a".repeat(300_000), "ls\0", deep, wrapped, "echo \uE000"]) {
      expect(commandFindings(line, undefined)).toHaveLength(1);
    }
  });
});

describe("absolute paths in a command", () => {
  const root = "/home/me/project";
  test.each([
    "cat /home/me/project/src/a.ts",
    "cd /home/me/project && npm test",
    "cd /home/me/project/src && cat ../README.md",
    "ls /home/me/project/",
  ])("may lie inside the workspace when its root is known: %s", (line) => {
    expect(commandFindings(line, root)).toEqual([]);
    expect(commandFindings(line, undefined)).not.toEqual([]);
  });
  test.each(["cat /home/me/project2/a", "cat /home/me/project/../x", "cd /home/me && ls", "cat /home/me/project/.env"])(
    "must not leave it: %s",
    (line) => expect(commandFindings(line, root)).not.toEqual([]),
  );
});

describe("an argument vector", () => {
  test("is judged like the same words in a line, without a shell's reading of them", () => {
    expect(argvFindings(["git", "commit", "-m", "$(rm -rf x) > y; z"], undefined)).toEqual([]);
    expect(argvFindings(["git", "push", "-f"], undefined)).toHaveLength(1);
    expect(argvFindings([], undefined)).toEqual([]);
  });
});
