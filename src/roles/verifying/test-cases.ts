/**
 * Test cases of a source file: their names, whether they are skipped, and whether they check anything. Pure; reads lines, not
 * syntax, so it knows the usual forms of the usual languages and says nothing of others.
 */

export interface TestCase {
  readonly name: string;
  readonly isSkipped: boolean;
  /** Nothing in it looks like a check that could fail. */
  readonly isHollow: boolean;
}

const sources = /\.(?:py|[cm]?[jt]sx?|go|rs|java|kt|cs|rb|php|exs|dart|swift)$/i;
const testNames =
  /(?:^|\/)(?:tests?|__tests__|specs?)\/|(?:^|\/)test_[^/]*$|[._-](?:test|tests|spec)\.[^/]+$|(?:^|\/)tests?\.[^/]+$|Tests?\.(?:java|kt|cs|php|swift)$/;

/** @returns whether a path is that of a source file of tests, by its name */
export function isTestFile(path: string): boolean {
  return sources.test(path) && testNames.test(path);
}

const linesMax = 50_000;
const lineCharsMax = 2000;
/** Decorators and attributes above a case belong to it. */
const linesAbove = 6;

/** @returns the cases in order; those of one name are told apart by their number */
export function testCasesIn(path: string, text: string): TestCase[] {
  const lines = withoutBlockComments(text)
    .split(/\r?\n/)
    .slice(0, linesMax)
    .map((line) => line.slice(0, lineCharsMax));
  const starts = lines.flatMap((line, at) => {
    const name = nameIn(path, lines, { line, at });
    return name === null ? [] : [{ name, at }];
  });
  const skippedTo = skippedGroups(lines);
  const seen = new Map<string, number>();
  return starts.map(({ name, at }, index) => {
    const nth = (seen.get(name) ?? 0) + 1;
    seen.set(name, nth);
    const end = starts[index + 1]?.at ?? lines.length;
    const above = lines.slice(Math.max(starts[index - 1]?.at ?? 0, at - linesAbove), at);
    const body = lines.slice(at, end);
    return {
      name: nth === 1 ? name : `${name} #${nth}`,
      isSkipped:
        at < (skippedTo[at] ?? 0) ||
        body.some((line) => skips.test(line)) ||
        attributesOf(above).some((line) => skips.test(line)),
      isHollow: !checksAnything(body),
    };
  });
}

function withoutBlockComments(text: string): string {
  let kept = "";
  for (let at = 0; at < text.length; ) {
    const open = text.indexOf("/*", at);
    const close = open === -1 ? -1 : text.indexOf("*/", open + 2);
    if (close === -1) return kept + text.slice(at);
    kept += text.slice(at, open) + text.slice(open, close).replace(/[^\n]/g, "");
    at = close + 2;
  }
  return kept;
}

const calls = /^\s*(?:await )?(?:x|f)?(?:it|test|specify)(?:\.\w{1,20}){0,3}\(\s*(["'`])(.{0,300}?)\1/;
const functions = [
  /^\s*(?:async )?def (test\w*)\s*\(/,
  /^func (Test\w+)\s*\(/,
  /^\s*(?:public )?function (test\w*)\s*\(/,
  /^\s*(?:x|f)?(?:it|test|specify) ?["'](.{1,300}?)["'] do\b/,
  /^\s*func (test\w+)\s*\(/,
];
const attribute = /^\s*(?:#\[(?:\w+::)*test\b|@(?:Test|ParameterizedTest)\b|\[(?:Fact|Theory|Test|TestMethod)\b)/;
const named = /\b(?:fn|void|fun|Task|func)\s{1,4}`?([\w ]{1,100}?)`?\s{0,4}\(/;

function nameIn(
  path: string,
  lines: readonly string[],
  { line, at }: { readonly line: string; readonly at: number },
): string | null {
  if (/\.(?:rs|java|kt|cs)$/.test(path)) {
    const above = attributesOf(lines.slice(Math.max(0, at - linesAbove), at));
    return above.some((other) => attribute.test(other)) ? (named.exec(line)?.[1] ?? null) : null;
  }
  const called = calls.exec(line)?.[2];
  if (called !== undefined) return called;
  for (const form of functions) {
    const name = form.exec(line)?.[1];
    if (name !== undefined) return name;
  }
  return null;
}

/** The last lines that are attributes, decorators or comments, without anything else between. */
function attributesOf(above: readonly string[]): string[] {
  const kept: string[] = [];
  for (const line of above.toReversed()) {
    if (!/^\s*(?:@|#|\[|\/\/)/.test(line)) break;
    kept.push(line);
  }
  return kept;
}

const skips =
  /^\s*(?:x(?:it|test|specify)\b|(?:it|test|specify)(?:\.\w{1,20}){0,2}\.(?:skip|todo|fails)\b|@(?:pytest\.mark\.(?:skip|xfail)|unittest\.(?:skip|expectedFailure)|Disabled|Ignore)\b|#\[ignore|\[Ignore|(?:self\.skipTest|pytest\.skip|pytest\.xfail|raise (?:unittest\.)?SkipTest|t\.[Ss]kip(?:Now|f)?|this\.skip|\$this->markTestSkipped|\$this->markTestIncomplete|skip|pending)\b ?(?:\(|$|["']))|\b(?:skip|todo): ?(?:true|["'`])|\bSkip ?= ?"/;
const group =
  /^(\s*)(?:xdescribe|xcontext|(?:describe|context|suite)\.skip|pytestmark ?= ?pytest\.mark\.skip|@(?:unittest\.skip|pytest\.mark\.skip|Disabled)\b.*)\b/;

/** For each line, the line before which a skipped group that holds it ends; groups end where the indentation does. */
function skippedGroups(lines: readonly string[]): number[] {
  const ends: number[] = [];
  let until = -1;
  let depth = 0;
  for (const [at, line] of lines.entries()) {
    const indent = line.length - line.trimStart().length;
    const isGroup =
      group.test(line) && (/describe|context|suite|pytestmark/.test(line) || /^\s*class\b/.test(lines[at + 1] ?? ""));
    if (isGroup && until < at) {
      until = lines.length;
      depth = /pytestmark/.test(line) ? -1 : indent;
    } else if (at < until && line.trim() !== "" && indent <= depth && !/^\s*(?:class\b|[)}\]])/.test(line)) until = at;
    ends.push(until);
  }
  return ends;
}

const trivialValues = "(?:True|true|TRUE|1|!0|!false|not False)";
const trivial = [
  new RegExp(
    `\\b(?:self\\.)?(?:assert(?:_?[Tt]rue|That|\\.ok|\\.isTrue|\\.True|!)?|[Aa]ssert\\.(?:IsTrue|True|ok)|XCTAssertTrue|t\\.(?:true|ok|assert)|ok)(?:\\s?\\(\\s{0,4}|\\s{1,4})${trivialValues}(?![\\w.])\\s{0,4}(?:,[^)]{0,80})?\\)?`,
    "g",
  ),
  /\bexpect\(\s{0,4}([\w"']{1,40})\s{0,4}\)\.(?:toBe|toEqual|toStrictEqual|to\.equal|to\.eql|to\.be|to eq)\(\s{0,4}\1\s{0,4}\)/g,
  /\bexpect\(\s{0,4}true\s{0,4}\)\.(?:toBeTruthy\(\)|to\.be\.true|to\.be\.ok)/g,
  /\b(?:self\.)?(?:assert\.(?:equal|strictEqual|deepEqual|deepStrictEqual)|assertEquals?|assertSame|assert_eq!|assert_equal|Assert\.(?:Equal|AreEqual)|t\.is)\s?\(\s{0,4}([\w"']{1,40})\s{0,4},\s{0,4}\1\s{0,4}[),]/g,
  /\bassert ([\w"']{1,40}) (?:==|is) \1(?=\s|$)/g,
];
const check =
  /assert|expect|should|must|verif|check|ensure|require|raises|throws?\b|reject|fail|fatal|error|panic|\bt\.[a-z]|equal|match|snapshot|given|property|approx/i;

function checksAnything(body: readonly string[]): boolean {
  return body.some((line, at) => {
    let code = line.replace(/^\s*(?:#|\/\/).*$/, "").replace(/\s(?:#|\/\/) .*$/, "");
    for (const form of trivial) code = code.replace(form, " ");
    // The words of its name, and of any text in it, check nothing.
    code = code.replace(/"(?:[^"\\]|\\.)*(?:"|$)|'(?:[^'\\]|\\.)*(?:'|$)|`(?:[^`\\]|\\.)*(?:`|$)/g, '""');
    if (at === 0) code = code.replace(/\b(?:def|func|fn|function|void|fun)\s+`?[\w ]+/, " ");
    return check.test(code);
  });
}
