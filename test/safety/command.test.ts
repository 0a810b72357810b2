/** The command judge against two lists of real lines: what must wait for a person, and what must not. Nothing here is run. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { argvFindings, commandFindings } from "../../src/safety/command.ts";
import { dangerousBlocks, harmlessBlocks } from "./blocks.ts";

function linesOf(file: string): string[] {
  const text = readFileSync(join(import.meta.dirname, file), "utf8");
  return text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
}

const dangerous = [...linesOf("dangerous.txt"), ...dangerousBlocks];
const harmless = [...linesOf("harmless.txt"), ...harmlessBlocks];

describe("a dangerous command line", () => {
  test("is tried in at least 120 forms", () => expect(dangerous.length).toBeGreaterThanOrEqual(120));

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
  test("is tried in at least 120 forms", () => expect(harmless.length).toBeGreaterThanOrEqual(120));

  test.each(harmless)("may run: %s", (line) => expect(commandFindings(line, undefined)).toEqual([]));
});

describe("any text at all", () => {
  test("is judged without an error", () =>
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(..."rm -f$(){}`'\"\\|&;<>\n ab/.~*#=!".split("")), maxLength: 40 }),
        (line) => {
          expect(Array.isArray(commandFindings(line, undefined))).toBe(true);
        },
      ),
      { numRuns: 2000 },
    ));

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
