/**
 * Our reading of shell lines against bash itself: words are what bash makes of them, and whatever bash would run of a jumble of
 * quotes, operators and here-documents has been seen by the judge, or the line is asked about.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readLine } from "../../src/safety/command.ts";

const bash = "/bin/bash";
/** The same lines each time, so that a change is judged by itself; another number looks at other lines. */
const seed = Number(process.env["LOOM_ORACLE_SEED"] ?? 20_261_121);
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "loom-oracle-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function ask(script: string, input: string): string {
  const { stdout } = spawnSync(bash, ["-c", script], {
    cwd: folder,
    input,
    encoding: "utf8",
    timeout: 60_000,
    env: { PATH: "/nowhere", LC_ALL: "C.UTF-8" },
  });
  return stdout;
}

function isUnderstood(line: string): boolean {
  return !readLine(line, undefined).findings.some(({ reason }) => reason.startsWith("cannot be read"));
}

/** Understood, and nothing of it is left to the run. */
function isPlain(line: string): boolean {
  return (
    isUnderstood(line) &&
    readLine(line, undefined).commands.every(({ words }) => words.every(({ dynamic }) => !dynamic))
  );
}

const fragments = [
  ..."abc-=/.:,%@+^".split(""),
  "'a b'",
  "'\"'",
  '"a  b"',
  '"it\'s"',
  "\\ ",
  "\\'",
  '\\"',
  "\\\\",
  "\\\n",
  "$'x\\ty'",
  "{a,b}",
  "{c,}",
  "{1..3}",
  "{d}",
  "$A",
  '"$A"',
  "$B",
  '"$B"x',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's, not ours
  "${A}",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's, not ours
  '"${B}"',
  "$N",
  '"$N"',
  "''",
  '""',
  "#",
  "$",
  " ",
  " ",
  "\t",
];
const setting = "A='p q'; B=' r  s '; N=; ";
const words = fc
  .array(fc.constantFrom(...fragments), { minLength: 1, maxLength: 8 })
  .map((parts) => parts.join(""))
  // The number of a process is another each time.
  .filter((line) => !line.includes("$$"));

describe.skipIf(!existsSync(bash))("the words of a command", () => {
  test("are those that bash makes of it", () => {
    let understood = 0;
    let all = 0;
    fc.assert(
      fc.property(fc.array(words, { minLength: 60, maxLength: 60 }), (lines) => {
        const own = lines.map((line) => `${setting}printf '%s\\0' ${line}`).filter(isPlain);
        all += lines.length;
        understood += own.length;
        const script = own.map((line) => `${line}\nprintf '\\1'\n`).join("");
        const told = ask(`set -f\n${script}`, "").split("\u0001").slice(0, -1);
        for (const [at, line] of own.entries()) {
          const command = readLine(line, undefined).commands.find(({ name }) => name === "printf");
          const ours = command?.words.slice(2).map(({ text }) => text) ?? [];
          // Without arguments, printf prints its format once.
          expect({ line, words: ours.length === 0 ? [""] : ours }).toEqual({
            line,
            words: told[at]?.split("\0").slice(0, -1),
          });
        }
      }),
      { numRuns: 25, seed },
    );
    expect(understood / all).toBeGreaterThan(0.7);
  });
});

const balanced = [
  ..."t1 t2 t3 t4 t5".split(" ").flatMap((name) => [name, `${name} `, ` ${name}`, `\n${name}`]),
  ..." ,\n,;,&&,||,|,; ,& ,#,\\\n".split(","),
  ...'$(t1),`t2`,(t3),{ t4; },"$(t5)",\'$(t1)\',"`t2`","a\\"b",\'a"b\',$\'a\\\'b\',\\\',\\",if t1; then t2; fi,! t3,for x in t1 t2; do $x; done,x=t4; ,$x,[[ t1 ]],>f,<(t5),2>&1'.split(
    ",",
  ),
  "<<E\n$(t1)\nE\n",
  "<<'E'\n$(t2)\nE\n",
  "<<-E\n\t`t3`\n\tE\n",
  '<<E\n\\$(t4) "\nE\n',
  "$(cat <<E\nt1\nE\n)",
];
const pieces = [
  ..."t1 t2 t3 t4 t5".split(" "),
  ..."t1 t2 t3".split(" "),
  ...Array.from({ length: 12 }, () => " "),
  ...Array.from({ length: 5 }, () => "\n"),
  ...";,&&,||,|,(,),!,'\",\",',\",`,$(,$((,)),<(,\\,\\\n,#,$',$\",\\`,{ ,;},<<E,<<'E',<<-E,<<\\E,E,E,>f,2>&1,<<<".split(
    ",",
  ),
  ..."if then else elif fi for x in do done x= $x [[ ]] [ ] && ; ;".split(" "),
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's, not ours
  "${x}",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's, not ours
  "${x:-t5}",
];
const piece = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...balanced) },
  { weight: 1, arbitrary: fc.constantFrom(...pieces) },
);
const jumble = fc
  .array(piece, { minLength: 3, maxLength: 12 })
  .map((parts) => parts.join(""))
  // A function that calls itself would not end.
  .filter((line) => !/\(\s*\)/.test(line));

/** Runs each jumble in a shell that finds no program, and tells which it looked for, once all of it has ended. */
const driver = `
command_not_found_handle() { printf '%s\\002' "$1" >&9; return 127; }
export -f command_not_found_handle
while IFS= read -r -d '' line; do
  ran=$(${bash} -c "$line" 9>&1 >/dev/null 2>&1 </dev/null)
  printf '%s\\001' "$ran"
done`;

describe.skipIf(!existsSync(bash))("what bash would run of any line", () => {
  test("has been seen by the judge, or the line is asked about", () => {
    let understood = 0;
    fc.assert(
      fc.property(fc.array(jumble, { minLength: 40, maxLength: 40 }), (lines) => {
        const own = lines.filter(isUnderstood);
        understood += own.length;
        const told = ask(driver, own.map((line) => `${line}\0`).join("")).split("\u0001");
        for (const [at, line] of own.entries()) {
          const seen = new Set(readLine(line, undefined).commands.map(({ name }) => name));
          const ran = told[at]?.split("\u0002").slice(0, -1) ?? [];
          const unseen = ran
            .map((name) => name.split("/").at(-1) ?? "")
            .filter((name) => !seen.has(name.toLowerCase()));
          expect({ line, unseen }).toEqual({ line, unseen: [] });
        }
      }),
      { numRuns: 25, seed },
    );
    expect(understood).toBeGreaterThan(200);
  });
});
