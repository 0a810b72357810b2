/**
 * Test commands: the part of a shell line that runs tests, in a form that can be run again and whose exit code counts, and
 * those that a text names. Pure. What is not plainly a runner of tests is none: it is run without anybody having asked.
 */

const lineCharsMax = 2000;

/** @returns the command without what hides its exit code (`|| true`, `| tail`, `; echo done`) or its output; null if there is none */
export function testCommandIn(line: string): string | null {
  const parts = line.length > lineCharsMax ? null : segmentsOf(line);
  if (parts === null) return null;
  const kept: string[] = [];
  for (const part of parts) {
    const words = withoutRedirections(wordsOf(part));
    if (words[0] === "cd" && words.length === 2) kept.push(words.join(" "));
    else if (runsTests(words)) return [...kept, words.join(" ")].join(" && ");
  }
  return null;
}

/** Quotes are kept; what the shell would expand or nest is not understood, and then nothing is. */
function segmentsOf(line: string): string[] | null {
  const tokens = /'[^']*'|"[^"\\$`]*"|&>|>&|[;|&\n]|[^'"\\$`(){};|&\n>]+|>/y;
  const segments = [""];
  while (tokens.lastIndex < line.length) {
    const token = tokens.exec(line)?.[0];
    if (token === undefined) return null;
    if (/^[;|&\n]$/.test(token)) segments.push("");
    else segments.push(`${segments.pop() ?? ""}${token}`);
  }
  return segments;
}

function wordsOf(segment: string): string[] {
  return segment.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? [];
}

function withoutRedirections(words: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    const isRedirection = /^(?:\d|&)?(?:>>?|<)/.test(word);
    if (isRedirection && /[<>]$/.test(word)) at += 1;
    if (!isRedirection) kept.push(word);
  }
  return kept;
}

/** Words that run the command behind them. */
const wrappers: readonly (readonly string[])[] = [
  ["npx"],
  ["bunx"],
  ["pnpm", "exec"],
  ["pnpm", "dlx"],
  ["yarn", "exec"],
  ["poetry", "run"],
  ["uv", "run"],
  ["pipenv", "run"],
  ["pdm", "run"],
  ["hatch", "run"],
  ["bundle", "exec"],
  ["time"],
  ["env"],
];

function runsTests(all: readonly string[]): boolean {
  let words = all;
  for (let isWrapped = true; isWrapped; ) {
    const bare: readonly string[] = withoutWrapper(words);
    isWrapped = bare.length < words.length;
    words = bare;
  }
  const [program = "", ...args] = words;
  const name = program.replace(/^.*\//, "");
  return (runners.get(name)?.(args) ?? false) || (program.includes("/") && isTestScript(program));
}

function withoutWrapper(words: readonly string[]): readonly string[] {
  if (/^\w+=/.test(words[0] ?? "")) return words.slice(1);
  if (words[0] === "timeout" && /^\d+[smh]?$/.test(words[1] ?? "")) return words.slice(2);
  const wrapper = wrappers.find((one) => one.every((word, at) => words[at] === word));
  if (wrapper === undefined) return words;
  const rest = words.slice(wrapper.length);
  return /^(?:-y|--yes|--no-install|-s|-q)$/.test(rest[0] ?? "") ? rest.slice(1) : rest;
}

type Runner = (args: readonly string[]) => boolean;

const always: Runner = () => true;
/** The first argument that is no option is one of these. */
const first =
  (...verbs: readonly string[]): Runner =>
  (args) =>
    verbs.includes(args.find((arg) => !arg.startsWith("-")) ?? "");
const script: Runner = (args) => isTestScript(args.find((arg) => !arg.startsWith("-")) ?? "");

const packageScripts: Runner = (args) => {
  const [verb = "", name = ""] = args.filter((arg) => !arg.startsWith("-"));
  if (verb === "test" || verb === "t" || verb.startsWith("test:")) return true;
  return (verb === "run" || verb === "run-script") && /^test(?:$|:)/.test(name);
};

const python: Runner = (args) => {
  const [option = "", module = ""] = args;
  if (option === "-m") return module === "pytest" || module === "unittest";
  return (option === "manage.py" && module === "test") || script(args);
};

const anyTest: Runner = (args) => args.some((arg) => /^(?::?[\w:-]*:)?(?:test|check|verify)$/.test(arg));

const runners: ReadonlyMap<string, Runner> = new Map<string, Runner>([
  ...["npm", "pnpm", "yarn"].map((name) => [name, packageScripts] as const),
  ["bun", (args) => first("test")(args) || packageScripts(args)],
  ["node", (args) => args.includes("--test") || script(args)],
  ["deno", first("test")],
  ...["vitest", "jest", "mocha", "ava", "pytest", "py.test", "tox", "nosetests", "rspec", "phpunit", "ctest"].map(
    (name) => [name, always] as const,
  ),
  ...["python", "python3"].map((name) => [name, python] as const),
  ...["go", "dotnet", "mix", "swift", "zig", "rails", "flutter", "dart"].map((name) => [name, first("test")] as const),
  ["cargo", first("test", "nextest")],
  ["rake", first("test", "spec")],
  ["make", first("test", "tests", "check")],
  ...["mvn", "mvnw", "gradle", "gradlew"].map((name) => [name, anyTest] as const),
  ...["sh", "bash", "ruby", "php", "tsx", "ts-node", "perl"].map((name) => [name, script] as const),
]);

/** `run-tests.sh`, `test/all.mjs`, `check.py`; a folder of that name alone makes no script of tests. */
function isTestScript(path: string): boolean {
  if (/(?:^|\/)(?:tests?|specs?)\/[\w./-]+\.(?:[cm]?[jt]s|py|sh|rb|php|pl)$/i.test(path)) return true;
  return /(?:^|[/._-])(?:tests?|specs?|check|checks)(?:[._-][\w.-]*)?\.(?:[cm]?[jt]s|py|sh|rb|php|pl)$|(?:^|\/)(?:run-?)?(?:tests?|check)$/i.test(
    path,
  );
}

/** As they stand in prose, without anything that would have to be guessed. */
const inProse =
  /\b(?:npm (?:run )?test(?::[\w-]+)?|(?:yarn|pnpm|bun) test|python3? -m (?:pytest|unittest)|pytest|node --test|cargo test|go test(?: \.\/\.\.\.)?|make (?:test|check)|dotnet test|mvn test|mix test|deno test|npx (?:vitest run|jest|mocha))(?![\w/-])/g;

/** @returns test commands that a text names, in backticks or by a well-known name */
export function testCommandsNamed(text: string): string[] {
  const quoted = quotedIn(text).flatMap((span) => testCommandIn(span) ?? []);
  const bare = text.replace(/`[^`\n]{1,300}`/g, " ");
  return [...new Set([...quoted, ...(bare.match(inProse) ?? [])])];
}

export function quotedIn(text: string): string[] {
  return [...text.matchAll(/`([^`\n]{1,300})`/g)].map(([, span = ""]) => span.trim().replace(/^\$ /, ""));
}
