/**
 * Programs that take code as an argument: interpreters, shells, database clients. A file of the workspace may run; code in
 * the line is looked over for what reaches out, and what comes down a pipe unseen is asked about.
 */
import { asks, type Finding, insists } from "../finding.ts";
import { pathFinding } from "../paths.ts";
import { NotUnderstood } from "../shell-tokens.ts";
import type { Argument } from "../shell-words.ts";
import { databaseHosts, hostFindings } from "./network.ts";
import { type Call, each, type Program, type Programs, positionals, type Run, valuesOf } from "./program.ts";

const destructiveSql =
  /\b(drop\s+(table|database|schema|view|index|role|user|column|function|trigger)|truncate\s+table|delete\s+from)\b/i;

/** @param client is this certainly SQL? Then a bare `truncate` counts too. */
export function sqlFinding(text: string, client: boolean): Finding | null {
  const plain = withoutComments(text);
  const words = destructiveSql.exec(plain)?.[0] ?? (client ? /\btruncate\s+\w+/i.exec(plain)?.[0] : undefined);
  return words === undefined ? null : insists(`deletes from a database ("${words.replaceAll(/\s+/g, " ")}")`, "high");
}

function withoutComments(text: string): string {
  const [first = "", ...rest] = text.split("/*");
  return [first, ...rest.map((part) => part.slice(part.indexOf("*/") + (part.includes("*/") ? 2 : 1)))].join(" ");
}

/** Names and calls by which code reaches files, processes or the network, or hides what it does. */
const reaching: readonly RegExp[] = [
  /\b(subprocess|shutil|socket|urllib|urllib2|urllib3|requests|httpx|aiohttp|ftplib|smtplib|ctypes|pickle|marshal|importlib|builtins|pty|paramiko)\b/,
  /\b(child_process|worker_threads|dgram|undici|axios|Deno|XMLHttpRequest|WebSocket|FileUtils|LWP|Net::|IO::Socket|Runtime)\b/,
  /\b(unlink|unlinkSync|rmtree|rmdir|rmdirSync|removedirs|rmSync|writeFile|writeFileSync|appendFile|appendFileSync|write_text|write_bytes|renameSync|chmodSync|chmod|chown|truncate|truncateSync|copyFileSync|symlink|symlinkSync)\b/,
  /\b(system|popen|spawn|spawnSync|execSync|execFile|execFileSync|execv|execve|execvp|fork|killpg|__import__|__builtins__|__subclasses__|__globals__|getattr|globals|urlopen|shell_exec|passthru|proc_open|qx)\b/,
  /\b(b64decode|atob|fromhex|fromCharCode|fromCodePoint|unhexlify|decodebytes|codecs)\b|\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\bchr\s*\(/i,
  /(^|[^.\w])(eval|exec|compile|fetch|import)\s*\(|\.(kill|remove|rm|rename|execute|replace_file|exec_module)\s*\(/,
  /\bnew\s+Function\b|\bprocess\.(kill|binding|dlopen)\b|\b(globalThis|process|require|window|self)\s*\[|\brequire\s*\((?!\s*["'][^"'+]*["']\s*\))/,
  /\bopen\s*\([^)]*["'][rwaxbt]{0,3}[wax+][rwax+bt]{0,3}["']|\bopen\s*\([^)]*mode\s*=|\bFile\.(write|delete|open)|\bfs\.(promises\.)?(rm|cp|mkdir|write|append)/,
];

const codeCharsMax = 20_000;

/** Code that stands in the line itself. */
function codeFindings(language: string, code: string): readonly Finding[] {
  if (code.length > codeCharsMax) return [asks(`runs ${language} code that is too long to be looked over`, "medium")];
  return [codeFinding(language, code), sqlFinding(code, false)].filter((finding) => finding !== null);
}

function codeFinding(language: string, code: string): Finding | null {
  const hit = reaching.map((pattern) => pattern.exec(code)?.[0].trim()).find((text) => text !== undefined);
  if (hit !== undefined)
    return asks(`runs ${language} code that may reach files, processes or the network ("${hit}")`, "medium");
  if (/^(perl|ruby|php)$/.test(language) && /`|\bexec\b|>\s*["']|["']\s*(\+?>|\|)/.test(code))
    return asks(`runs ${language} code that may run commands or write files`, "medium");
  for (const [, text = ""] of code.matchAll(/["']([^"'\n]{2,200})["']/g)) {
    const found = /\s/.test(text) ? null : pathFinding(text, { place: { root: undefined, cwd: [] }, glob: false });
    if (found !== null) return found.floor === true ? found : asks(found.reason, found.risk);
  }
  return null;
}

interface Interpreter {
  /** Options whose value is code, clustered letters included; a group catches code joined to the option. */
  readonly code: RegExp;
  readonly valued: ReadonlySet<string>;
  /** Options after which no script file is expected: `-m module`, `--version`. */
  readonly complete: RegExp;
}

const loadingOptions: ReadonlySet<string> = new Set([
  "--import",
  "--require",
  "-r",
  "--loader",
  "--experimental-loader",
]);
/** Modules that run code which stands in their arguments. */
const codeModules: ReadonlySet<string> = new Set(["timeit", "cProfile", "profile", "trace"]);

/** `python -m MODULE …` is the program of that name. */
function moduleOf({ name, args }: Call): readonly Argument[] {
  const at = name === "python" ? args.findIndex(({ text }) => text === "-m") : -1;
  return at === -1 ? [] : args.slice(at + 1);
}

const standardInput: ReadonlySet<string> = new Set(["-", "/dev/stdin", "/dev/fd/0"]);

function interpreter(how: Interpreter): Program {
  return {
    judge: (call) => {
      const codes = inlineCodes(call.args, how.code);
      if (codes.length > 0) return codes.flatMap((code) => inlineFindings(call.name, code));
      const [module, ...rest] = moduleOf(call);
      if (module !== undefined && codeModules.has(module.text))
        return rest.flatMap(({ text }) => codeFindings(call.name, text));
      if (call.args.some(({ text }) => how.complete.test(text))) return null;
      if (call.args[0]?.text === "setup.py" && call.args.some(({ text }) => /^(upload|register)$/.test(text)))
        return asks("publishes a package", "high");
      return scriptFinding(call, positionals(call.args, how.valued));
    },
    runs: (call) => {
      const words = moduleOf(call);
      return words.length === 0 || codeModules.has(words[0]?.text ?? "") ? [] : [{ kind: "command", words }];
    },
    paths: ({ args }) => {
      const codes = new Set(inlineCodes(args, how.code));
      return args.filter((arg) => !codes.has(arg) && !how.code.test(arg.text));
    },
  };
}

function inlineCodes(args: readonly Argument[], pattern: RegExp): readonly (Argument | undefined)[] {
  return args.flatMap((arg, at) => {
    const match = pattern.exec(arg.text);
    if (match === null) return [];
    return [match[1] === undefined || match[1] === "" ? args[at + 1] : { ...arg, text: match[1] }];
  });
}

function inlineFindings(name: string, code: Argument | undefined): readonly Finding[] {
  if (code === undefined || code.dynamic) return [insists(`runs ${name} code that only the run will tell`, "medium")];
  return codeFindings(name, code.text);
}

/** A program file, or what comes in where none is named. */
function scriptFinding(call: Call, words: readonly Argument[]): Finding | readonly Finding[] | null {
  const loaded = valuesOf(call.args, loadingOptions);
  const far = [...words, ...loaded].find(({ text }) => /^(data:|https?:\/\/(?!localhost\b|127\.))/i.test(text));
  if (far !== undefined) return insists(`runs code from ${far.text.slice(0, 80)}`, "high");
  const script = words.find(({ text }) => !standardInput.has(text));
  if (script?.dynamic === true) return insists(`runs a ${call.name} program that only the run will tell`, "medium");
  return script === undefined ? inputFinding(call) : null;
}

function inputFinding({ name, input }: Call): Finding | readonly Finding[] | null {
  if (input.kind === "text") return codeFindings(name, input.text);
  return input.kind === "pipe" ? insists(`feeds text from a pipe to ${name}, which runs it`, "high") : null;
}

const shellValued: ReadonlySet<string> = new Set(["-o", "+o", "-O", "+O", "--rcfile", "--init-file"]);

const shell: Program = {
  judge: ({ name, args, input }) => {
    if (shellLine(args) !== undefined) return null;
    const script = positionals(args, shellValued).find(({ text }) => !standardInput.has(text) && !text.startsWith("+"));
    if (script?.dynamic === true) return insists(`runs a ${name} script that only the run will tell`, "high");
    if (script !== undefined && !args.some(({ text }) => text === "-s")) return null;
    if (args.some(({ text }) => text === "--version")) return null;
    return input.kind === "text" ? null : insists(`feeds text to ${name}, which runs it`, "critical");
  },
  runs: ({ args, input }): readonly Run[] => {
    const line = shellLine(args);
    if (line !== undefined) {
      if (line.dynamic) throw new NotUnderstood("a shell is given a line that only the run will tell");
      return [{ kind: "script", text: line.text }];
    }
    const words = positionals(args, shellValued).filter(({ text }) => !standardInput.has(text));
    return input.kind === "text" && (words.length === 0 || args.some(({ text }) => text === "-s"))
      ? [{ kind: "script", text: input.text }]
      : [];
  },
  paths: ({ args }) => (shellLine(args) === undefined ? positionals(args, shellValued) : []),
};

/** The line of `sh -c LINE`, whatever stands around the `c`. */
function shellLine(args: readonly Argument[]): Argument | undefined {
  const options = args.findIndex(({ text }) => !/^[-+]/.test(text) || text === "--");
  const leading = options === -1 ? args : args.slice(0, options);
  const cluster = args.find(({ text }, at) => /^-[A-Za-z]*c[A-Za-z]*$/.test(text) && at <= leading.length + 1);
  if (cluster === undefined) return undefined;
  return (
    positionals(
      args.filter(({ text }) => !/^\+[A-Za-z]+$/.test(text)),
      new Set([...shellValued, ...args.flatMap(({ text }) => (/^-[A-Za-z]+o$/.test(text) ? text : []))]),
    )[0] ?? { text: "…", dynamic: true, glob: false }
  );
}

const databaseClient: Program = {
  judge: (call) => {
    const texts = [...call.args.map(({ text }) => text), call.input.kind === "text" ? call.input.text : ""];
    const runs = texts.some((text) =>
      /(^|\n)\s*\.(shell|system|save|output|once|import|restore)\b|\\[!|o]|\bcopy\b.*\bprogram\b/i.test(text),
    );
    return [
      ...(call.args.some(({ dynamic }) => dynamic)
        ? [insists(`hands ${call.name} text that only the run will tell`, "medium")]
        : []),
      ...(runs ? [asks(`makes ${call.name} run commands or write files`, "medium")] : []),
      ...[sqlFinding(texts.join(" "), true)].filter((finding) => finding !== null),
      ...(call.input.kind === "pipe" ? [insists(`feeds text from a pipe to ${call.name}`, "medium")] : []),
      ...hostFindings(databaseHosts(call)),
    ];
  },
  paths: ({ args }) => args.filter(({ text }) => !/\s/.test(text)),
  hosts: databaseHosts,
};

const documentStore: Program = {
  judge: (call) =>
    call.args.some(({ text }) => /\b(flushall|flushdb)\b|\.(drop\w*|deleteMany|deleteOne|remove)\s*\(/i.test(text))
      ? insists("deletes from a database", "high")
      : hostFindings(databaseHosts(call)),
  hosts: databaseHosts,
};

export const codePrograms: Programs = {
  ...each(
    "python",
    interpreter({
      code: /^-[bBdEhiIOPqsSuvx]*c(.*)$/s,
      valued: new Set(["-W", "-X"]),
      complete: /^(-m|-V|--version|-h|--help)/,
    }),
  ),
  ...each(
    "node tsx ts-node",
    interpreter({
      code: /^(?:-[a-z]*[ep]|--eval|--print)(?:=(.*))?$/s,
      valued: new Set(["-r", "--require", "--import", "--env-file"]),
      complete: /^(--test|--check|-c|-v|--version|-h|--help|--run)/,
    }),
  ),
  ...each(
    "bun",
    interpreter({ code: /^(?:-e|--eval|-p|--print)(?:=(.*))?$/s, valued: new Set(), complete: /^(--version|-v)/ }),
  ),
  ...each("deno", interpreter({ code: /^eval$/, valued: new Set(), complete: /^(--version|-V)/ })),
  ...each(
    "ruby perl lua",
    interpreter({
      code: /^-[A-Za-z0-9.]*?[eE](.*)$/s,
      valued: new Set(["-r", "-I", "-M"]),
      complete: /^(-v|--version|-c)$/,
    }),
  ),
  ...each("php", interpreter({ code: /^-r(.*)$/s, valued: new Set(["-d"]), complete: /^(-v|--version|-l|-S)$/ })),
  ...each("rscript", interpreter({ code: /^-e$/, valued: new Set(), complete: /^--version$/ })),
  ...each(
    "tclsh julia pwsh powershell jshell groovy scala elixir erl ghci swift gnuplot irb guile racket r ocaml node-repl osascript",
    {
      judge: ({ name, args, input }) => {
        if (args.some(({ text }) => /^--?(e|c|E|eval|command|execute|expr|print|p)$/i.test(text)))
          return asks(`runs ${name} code that this reader does not know`, "medium");
        return input.kind !== "none" && !args.some(({ text }) => /^[^-]/.test(text))
          ? insists(`feeds text to ${name}, which runs it`, "high")
          : null;
      },
    },
  ),
  ...each("sh bash zsh dash ksh fish ash", shell),
  ...each("source .", {
    judge: ({ name, args }) =>
      args[0] === undefined || args[0].dynamic || standardInput.has(args[0].text)
        ? insists(`runs "${name}" on what only the run will tell`, "high")
        : null,
  }),
  ...each("psql mysql mariadb sqlite3 sqlite duckdb sqlcmd clickhouse-client cqlsh usql snowsql bq", databaseClient),
  ...each("redis-cli valkey-cli mongo mongosh", documentStore),
};

export const sqlClients: ReadonlySet<string> = new Set(
  "psql mysql mariadb sqlite3 sqlite duckdb sqlcmd clickhouse-client cqlsh usql snowsql bq".split(" "),
);
