/** Programs that change files: removing, permissions, raw writes, and the searches that can run or delete. */
import { asks, insists } from "../finding.ts";
import { steps } from "../paths.ts";
import type { Argument } from "../shell-words.ts";
import {
  type Call,
  each,
  hasLetter,
  hasLong,
  type Program,
  type Programs,
  positionals,
  type Run,
  unknownArgument,
  valuesOf,
} from "./program.ts";

const remove: Program = {
  judge: (call) => {
    const recursive = hasLetter(call.args, "rR") || hasLong(call.args, "recursive");
    const forced = hasLetter(call.args, "f") || hasLong(call.args, "force");
    const targets = positionals(call.args);
    if (recursive && forced) return insists("deletes folders with all that is in them, by force (-r and -f)", "high");
    if (call.args.some(({ dynamic }) => dynamic))
      return insists("deletes files whose names only the run will tell", "high");
    if (recursive && targets.some(isWhole))
      return insists("deletes a whole folder tree and everything in it", "critical");
    if (targets.some(isEverything)) return insists("deletes every file here", "high");
    if (targets.some(({ text }) => text.split("/").includes(".git")))
      return asks("deletes the history of a repository", "high");
    return null;
  },
};

/** `/`, `~`, anything with `..`, and the folder itself. */
function isWhole({ text }: Argument): boolean {
  return (
    /^[/~]/.test(text) || text.split("/").includes("..") || steps(text, [])?.length === 0 || isEverything({ text })
  );
}

function isEverything({ text }: Pick<Argument, "text">): boolean {
  return /^(\.\/)?\*+(\/\*+)?$/.test(text);
}

/** Everyone may write, or it runs as its owner. */
const openMode =
  /^=?(0?[0-7]?77[67]|[1-7]?[0-7][0-7][2367]|[24567][0-7]{3}|.*[ugoa]*\+[rwx]*s.*|(.*,)?(a|o|ugo|go)[+=][rxX]*w[rxX]*(,.*)?)$/;

const modeCharsMax = 60;

const chmod: Program = {
  judge: ({ args }) => {
    const mode = args.find(({ text }) => !/^--?[A-Za-z]/.test(text) || openMode.test(text));
    if (mode === undefined || mode.text.length > modeCharsMax || mode.dynamic)
      return insists("sets permissions that cannot be told", "medium");
    return openMode.test(mode.text)
      ? insists(`lets everyone change files, or run them as their owner (mode ${mode.text})`, "high")
      : null;
  },
  paths: ({ args }) => positionals(args).slice(1),
};

const dd: Program = {
  judge: ({ args }) =>
    args.some(({ text }) => text.startsWith("of=")) ? asks("writes raw bytes with dd", "high") : null,
};

const findExpressions: ReadonlySet<string> = new Set([
  "-name",
  "-iname",
  "-path",
  "-ipath",
  "-wholename",
  "-regex",
  "-iregex",
  "-lname",
  "-printf",
  "-perm",
  "-newermt",
]);
const findRuns: ReadonlySet<string> = new Set(["-exec", "-execdir", "-ok", "-okdir"]);

const find: Program = {
  judge: ({ args }) =>
    args.some(({ text }) => text === "-delete") ? asks("deletes every file that the search finds", "high") : null,
  runs: ({ args }) => execsOf(args, findRuns),
  paths: ({ args }) =>
    args.filter((_arg, at) => !findExpressions.has(args[at - 1]?.text ?? "") && !insideExec(args, at)),
};

/** Commands behind `-exec` and its like, up to `;` or `+`; what they are given is unknown. */
function execsOf(args: readonly Argument[], options: ReadonlySet<string>): readonly Run[] {
  return args.flatMap((arg, at) => {
    if (!options.has(arg.text)) return [];
    const rest = args.slice(at + 1);
    const end = rest.findIndex(({ text }) => text === ";" || text === "+");
    const words = (end === -1 ? rest : rest.slice(0, end)).map((word) =>
      word.text.includes("{}") ? unknownArgument : word,
    );
    return { kind: "command" as const, words: [...words, unknownArgument] };
  });
}

function insideExec(args: readonly Argument[], at: number): boolean {
  const start = args.findLastIndex(({ text }, index) => index < at && findRuns.has(text));
  return start !== -1 && !args.slice(start, at).some(({ text }) => text === ";" || text === "+");
}

const fd: Program = { runs: ({ args }) => execsOf(args, new Set(["-x", "-X", "--exec", "--exec-batch"])) };

/** Copying and moving to a place that only the run will tell. */
const copies: Program = {
  judge: ({ args }) => {
    if (args.some(({ dynamic }) => dynamic))
      return asks("moves or overwrites files whose names only the run will tell", "medium");
    return args.some(({ text }) => text.startsWith("/dev/"))
      ? asks("moves or copies files onto a device", "high")
      : null;
  },
};

const tar: Program = {
  judge: ({ args }) =>
    ["to-command", "use-compress-program", "checkpoint-action", "rsh-command", "absolute-names"].some(
      (option) => hasLong(args, option) && !hasLong(args, "to-stdout"),
    ) ||
    hasLetter(args, "IPF") ||
    /^[A-Za-z]*[IPF]/.test(args[0]?.text ?? "")
      ? asks("makes tar run a command or write outside the folder", "high")
      : null,
};

/** `e` runs the pattern space, `w` writes a file: a script that has either cannot be let through on its looks. */
const sed: Program = {
  judge: (call) =>
    fromInput(call) ||
    scriptsOf(call).some(({ text }) =>
      /(^|[;{}\n\d$])\s*[wW]\s*[/~.]|(^|[;{}\n]|\d|\/)\s*[ewW]\s+\S|(^|[;{}\n])\s*e\s*$|[/|#,][gip0-9]*[ew][gip0-9]*(\s|$|;)/.test(
        text,
      ),
    )
      ? asks("has a sed script that may run commands or write other files", "medium")
      : null,
  paths: (call) => pathsBehindScript(call),
};

const awk: Program = {
  judge: (call) =>
    fromInput(call) ||
    call.args.some(({ text }) => /system\s*\(|\|\s*"|"\s*\||>\s*"|>>|\|&|getline|@(load|include)/.test(text))
      ? asks("has an awk script that may run commands or write files", "medium")
      : null,
  paths: (call) => pathsBehindScript(call),
};

const scriptValued: ReadonlySet<string> = new Set(
  "-e --expression -F -v -m -A -B -C --include --exclude --exclude-dir -g --glob -t --type -T --regexp --arg --argjson -d".split(
    " ",
  ),
);
const scriptOptions: ReadonlySet<string> = new Set(["-e", "--expression", "--regexp"]);
const scriptFiles: ReadonlySet<string> = new Set(["-f", "--file", "--from-file"]);

/** The script itself comes from standard input. */
function fromInput({ args }: Call): boolean {
  return valuesOf(args, scriptFiles).some(({ text }) => /^(-|\/dev\/(stdin|fd\/0))$/.test(text));
}

function scriptsOf({ args }: Call): readonly Argument[] {
  const given = valuesOf(args, scriptOptions);
  return given.length > 0 ? given : positionals(args, scriptValued).slice(0, 1);
}

/** For programs whose first word is a script or pattern: what stands behind it, and files of scripts. */
export function pathsBehindScript({ args }: Call): readonly Argument[] {
  const given = valuesOf(args, scriptOptions).length > 0 || valuesOf(args, scriptFiles).length > 0;
  const words = positionals(args, new Set([...scriptValued, ...scriptFiles]));
  return [...words.slice(given ? 0 : 1), ...valuesOf(args, scriptFiles)];
}

/** Programs that run another by an option. */
function runsBy(what: RegExp): Program {
  return {
    judge: ({ name, args }) =>
      args.some(({ text }) => what.test(text)) ? asks(`makes ${name} run another program`, "medium") : null,
  };
}

export const filePrograms: Programs = {
  zip: runsBy(/^(-T?TT|--unzip-command)/),
  split: runsBy(/^--filter/),
  sort: runsBy(/^--compress-prog/),
  man: runsBy(/^(-P|--pager|-H|--html)/),
  make: runsBy(/^(SHELL|\.SHELLFLAGS|MAKEFLAGS|MAKEFILES)=|^(--eval|-E)|^-$/),
  patch: runsBy(/^(--ed|-e)$/),

  rm: remove,
  ...each("rimraf del-cli trash", { judge: () => asks("deletes folders with all that is in them", "high") }),
  chmod,
  dd,
  find,
  ...each("fd fdfind", fd),
  ...each("mv cp install ln rsync", copies),
  ...each("tar bsdtar", tar),
  sed,
  ...each("awk gawk mawk nawk", awk),
  ...each("grep egrep fgrep rg ag ack jq yq", { paths: (call) => pathsBehindScript(call) }),
};
