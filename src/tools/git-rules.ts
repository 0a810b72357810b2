/** What git_command may be asked: which subcommands, and which of their options run programs, leave the repository, or lose work. */

const readOnly: ReadonlySet<string> = new Set(["status", "diff", "log", "show", "blame", "ls-files", "rev-parse"]);
const writing: ReadonlySet<string> = new Set([
  "add",
  "commit",
  "reset",
  "branch",
  "checkout",
  "switch",
  "merge",
  "rebase",
  "stash",
  "tag",
  "fetch",
  "pull",
  "push",
  "remote",
]);
const rewriting: ReadonlySet<string> = new Set(["reset", "rebase", "stash", "checkout", "switch"]);

/** Options that run a program, read or write a file anywhere, or move the repository; git takes any unique start of them. */
const escaping = [
  "contents",
  "exclude-from",
  "exec",
  "ext-diff",
  "file",
  "git-dir",
  "gpg-sign",
  "ignore-revs-file",
  "no-index",
  "output",
  "output-directory",
  "pathspec-from-file",
  "receive-pack",
  "show-signature",
  "sign",
  "template",
  "textconv",
  "upload-pack",
  "work-tree",
];
/** Starts of the above that are options of their own, and harmless. */
const harmless: ReadonlySet<string> = new Set(["no", "text", "exclude"]);

interface Rule {
  readonly subcommands: readonly string[];
  readonly matches: (args: readonly string[]) => boolean;
  readonly reason: string;
}

const short = (letters: string) => (args: readonly string[]) =>
  args.some((arg) => /^-[A-Za-z]/.test(arg) && letters.split("").some((letter) => arg.slice(1).includes(letter)));
const long =
  (...names: readonly string[]) =>
  (args: readonly string[]) =>
    args.some(
      (arg) => arg.length > 2 && arg.startsWith("--") && names.some((name) => `--${name}`.startsWith(nameOf(arg))),
    );
const either =
  (...tests: readonly Rule["matches"][]): Rule["matches"] =>
  (args) =>
    tests.some((test) => test(args));

const rules: readonly Rule[] = [
  {
    subcommands: ["push"],
    matches: either(long("force", "force-with-lease", "force-if-includes", "mirror", "delete", "prune"), short("fd")),
    reason: "it rewrites or deletes what others may have",
  },
  {
    subcommands: ["push"],
    matches: (args) => args.some((arg) => /^[+:]/.test(arg)),
    reason: "+ref and :ref rewrite or delete what others may have",
  },
  { subcommands: ["reset"], matches: long("hard", "merge", "keep"), reason: "it loses uncommitted work" },
  { subcommands: ["branch"], matches: either(short("DMCf"), long("force")), reason: "it can lose commits" },
  {
    subcommands: ["tag"],
    matches: either(short("fdsuF"), long("force", "delete", "local-user")),
    reason: "it replaces, deletes or signs tags",
  },
  {
    subcommands: ["checkout", "switch"],
    matches: either(short("fBCpm"), long("force", "discard-changes", "force-create", "patch", "ours", "theirs")),
    reason: "it loses uncommitted work or commits",
  },
  {
    subcommands: ["stash"],
    matches: (args) => args.some((arg) => ["drop", "clear"].includes(arg)),
    reason: "it loses stashed work",
  },
  {
    subcommands: ["rebase"],
    matches: either(short("xiS"), long("interactive")),
    reason: "it runs commands or needs an editor",
  },
  { subcommands: ["commit"], matches: short("FtSp"), reason: "it reads a file, signs, or asks for input" },
  { subcommands: ["merge"], matches: short("FsS"), reason: "it reads a file, signs, or runs a program" },
  { subcommands: ["merge", "rebase", "pull"], matches: long("strategy"), reason: "a strategy is a program" },
  { subcommands: ["add"], matches: short("pie"), reason: "it asks for input" },
  {
    subcommands: ["diff", "log", "show"],
    matches: (args) => short("O")(args.filter((arg) => !/^-[SG]/.test(arg))),
    reason: "it reads a file",
  },
  { subcommands: ["blame"], matches: short("S"), reason: "it reads a file" },
  { subcommands: ["ls-files"], matches: short("X"), reason: "it reads a file" },
];

export function isReadOnly(subcommand: string): boolean {
  return readOnly.has(subcommand);
}

export function losesHistory(subcommand: string): boolean {
  return rewriting.has(subcommand);
}

/** @param args the subcommand and what follows it @returns why git may not be run like this, or null */
export function gitRefusal(args: readonly string[]): string | null {
  const [subcommand, ...rest] = args;
  if (subcommand === undefined) return "No git arguments provided";
  if (subcommand.startsWith("-"))
    return `Options before the subcommand are not allowed: ${subcommand}. Begin with the subcommand`;
  if (!readOnly.has(subcommand) && !writing.has(subcommand)) {
    return `Git subcommand '${subcommand}' is not allowed. Allowed: ${[...readOnly, ...writing].join(", ")}`;
  }
  const options = optionsOf(subcommand, rest);
  const leaving = options.find(escapes);
  if (leaving !== undefined)
    return `git ${subcommand} ${nameOf(leaving)} is not allowed: it can run programs, or reach files outside`;
  const rule = rules.find(({ subcommands, matches }) => subcommands.includes(subcommand) && matches(options));
  return rule === undefined
    ? remoteRefusal(rest)
    : `git ${args.join(" ").slice(0, 200)} is not allowed: ${rule.reason}`;
}

/** The arguments but for messages, which may say anything, and what stands behind `--`, which are paths. */
export function optionsOf(subcommand: string, args: readonly string[]): readonly string[] {
  const takesMessage = ["commit", "tag", "merge", "stash"].includes(subcommand);
  const end = args.indexOf("--");
  return args
    .slice(0, end === -1 ? args.length : end)
    .filter((_arg, index, all) => !(takesMessage && isMessageOption(all[index - 1])))
    .map((arg) => (takesMessage && /^(?:-m.+|--message=)/s.test(arg) ? "-m" : arg));
}

function isMessageOption(arg: string | undefined): boolean {
  return arg !== undefined && (arg === "--message" || /^-[a-zA-Z]*m$/.test(arg));
}

function escapes(arg: string): boolean {
  const name = nameOf(arg).slice(2);
  if (!arg.startsWith("--") || name === "" || harmless.has(name)) return false;
  return escaping.some((option) => option.startsWith(name));
}

function nameOf(arg: string): string {
  return arg.split("=", 1)[0] ?? arg;
}

/** Transports that run a program or read another folder. */
function remoteRefusal(args: readonly string[]): string | null {
  const odd = args.find((arg) => /^(?:file:|[a-z0-9+.-]+::)/i.test(arg));
  return odd === undefined ? null : `The remote ${odd.slice(0, 100)} is not allowed: only http(s) and ssh are`;
}
