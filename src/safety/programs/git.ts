/** Git: what discards work, rewrites history, sends it away, or runs other programs by configuration. */
import { asks, type Finding } from "../finding.ts";
import type { Argument } from "../shell-words.ts";
import { hostFindings, hostOf } from "./network.ts";
import {
  type Call,
  hasLetter,
  hasLong,
  type Program,
  type Programs,
  positionals,
  type Run,
  without,
} from "./program.ts";

const globalValued: ReadonlySet<string> = new Set([
  "-C",
  "-c",
  "--git-dir",
  "--work-tree",
  "--namespace",
  "--exec-path",
  "--config-env",
]);
const textOptions: ReadonlySet<string> = new Set([
  "-m",
  "--message",
  "-am",
  "--grep",
  "--author",
  "-S",
  "-G",
  "--format",
  "--pretty",
  "--date",
  "--since",
  "--until",
  "--trailer",
]);
const configures: ReadonlySet<string> = new Set([
  "-c",
  "--exec-path",
  "--config-env",
  "--upload-pack",
  "--receive-pack",
]);

const talking: ReadonlySet<string> = new Set("push fetch pull clone ls-remote submodule remote archive".split(" "));

/** Settings that change what git shows or how it merges, and run nothing. */
const plainSettings =
  /^(user\.(name|email)|init\.defaultbranch|color\..*|core\.(autocrlf|eol|filemode|quotepath|longpaths|ignorecase|safecrlf|abbrev)|pull\.(rebase|ff)|push\.(default|autosetupremote)|merge\.(conflictstyle|ff)|advice\..*|(commit|tag)\.gpgsign|rebase\.auto(squash|stash)|branch\..*\.(remote|merge|rebase)|fetch\.prune|diff\.(algorithm|renames|colormoved)|rerere\.enabled)$/i;

/** The setting that `git config` writes; undefined when it only reads. */
function settingOf(args: readonly Argument[]): string | undefined {
  const words = positionals(args, new Set(["--type", "--default"])).map(({ text }) => text);
  if (args.some(({ text }) => /^(--get(-.*)?|--list|-l|--name-only|--show-.*)$/.test(text))) return undefined;
  if (words[0] === "set" || words[0] === "unset") return words[1];
  const reads = words[0] === "get" || words[0] === "list" || words.length === 1;
  const takesAway = args.some(({ text }) => /^(--unset|--remove-section|--rename-section|--edit|-e)/.test(text));
  return reads && !takesAway ? undefined : (words[0] ?? "");
}

/** Subcommands that need no rule: they look, or change what git keeps a way back for. */
const plain: ReadonlySet<string> = new Set(
  (
    "status diff log show blame annotate add commit merge cherry-pick revert mv notes describe rev-parse rev-list ls-files ls-tree cat-file shortlog name-rev " +
    "merge-base show-ref show-branch symbolic-ref for-each-ref diff-tree diff-index diff-files format-patch am range-diff bisect worktree sparse-checkout check-ignore " +
    "check-attr check-ref-format count-objects fsck version help var whatchanged stripspace hash-object write-tree read-tree commit-tree update-index verify-commit " +
    "verify-tag lfs bundle interpret-trailers column cherry grep repack pack-refs prune-packed"
  ).split(" "),
);

interface Subcommand {
  readonly name: string;
  readonly args: readonly Argument[];
}

type Rule = (subcommand: Subcommand) => Finding | null;

const discards = (what: string) => asks(`discards ${what} that nothing else keeps`, "high");

const rules: Readonly<Record<string, Rule>> = {
  push: ({ args }) => {
    const forced =
      hasLetter(args, "fd") ||
      ["force", "mirror", "delete", "prune"].some((name) => hasLong(args, name)) ||
      positionals(args).some(({ text }) => /^[+:]./.test(text));
    return asks(
      forced ? "overwrites or deletes history on a remote" : "sends commits to a remote",
      forced ? "high" : "medium",
    );
  },
  reset: ({ args }) =>
    ["hard", "merge", "keep"].some((name) => hasLong(args, name)) ? discards("uncommitted work") : null,
  clean: ({ args }) => (hasLetter(args, "f") || hasLong(args, "force") ? discards("untracked files") : null),
  checkout: ({ args }) =>
    hasLetter(args, "f") ||
    hasLong(args, "force") ||
    args.some(({ text }) => text === "--") ||
    positionals(args).some(({ text }) => text === ".")
      ? discards("uncommitted work")
      : null,
  switch: ({ args }) =>
    hasLetter(args, "fC") || hasLong(args, "discard-changes") || hasLong(args, "force")
      ? discards("uncommitted work")
      : null,
  restore: ({ args }) => (hasLong(args, "staged") && !hasLong(args, "worktree") ? null : discards("uncommitted work")),
  branch: ({ args }) => (hasLetter(args, "DMf") || hasLong(args, "force") ? discards("a branch's commits") : null),
  tag: ({ args }) => (hasLetter(args, "d") || hasLong(args, "delete") ? discards("a tag") : null),
  stash: ({ args }) => (["drop", "clear"].includes(positionals(args)[0]?.text ?? "") ? discards("stashed work") : null),
  reflog: ({ args }) =>
    ["expire", "delete"].includes(positionals(args)[0]?.text ?? "") ? discards("old commits") : null,
  worktree: ({ args }) =>
    positionals(args)[0]?.text === "remove" && (hasLetter(args, "f") || hasLong(args, "force"))
      ? discards("a work tree")
      : null,
  gc: ({ args }) => (hasLong(args, "prune") ? discards("old commits") : null),
  "update-ref": ({ args }) => (hasLetter(args, "d") ? discards("a reference") : null),
  "filter-branch": () => asks("rewrites history", "high"),
  "filter-repo": () => asks("rewrites history", "high"),
  config: ({ args }) =>
    hasLetter(args, "f") ||
    ["global", "system", "file"].some((name) => hasLong(args, name)) ||
    (settingOf(args) !== undefined && !plainSettings.test(settingOf(args) ?? ""))
      ? asks("changes git's settings beyond this repository, or lets them run commands", "medium")
      : null,
  rm: ({ args }) => (hasLetter(args, "f") || hasLong(args, "force") ? discards("uncommitted work") : null),
  remote: ({ args }) =>
    /^(add|set-url)$/.test(positionals(args)[0]?.text ?? "") ? remote(positionals(args).at(-1)) : null,
  apply: ({ args }) => (hasLong(args, "unsafe-paths") ? asks("changes files outside the workspace", "medium") : null),
  archive: ({ args }) =>
    hasLong(args, "remote") || hasLong(args, "exec") ? asks("talks to another repository", "medium") : null,
  grep: ({ args }) =>
    hasLong(args, "open-files-in-pager") || args.some(({ text }) => text.startsWith("-O"))
      ? asks("makes git run another program", "medium")
      : null,
  init: ({ args }) => (hasLong(args, "template") ? asks("takes hooks from a template", "medium") : null),
  rebase: ({ args }) =>
    hasLetter(args, "x") || hasLong(args, "exec") ? asks("runs a command after each commit", "medium") : null,
  fetch: ({ args }) => remote(positionals(args)[0]),
  pull: ({ args }) => remote(positionals(args)[0]),
  submodule: ({ args }) => (positionals(args)[0]?.text === "add" ? remote(positionals(args)[1]) : null),
  clone: ({ args }) =>
    hasLetter(args, "cu") || ["config", "template", "upload-pack"].some((name) => hasLong(args, name))
      ? asks("gives git settings that can make it run other programs", "medium")
      : remote(positionals(args, new Set(["-b", "--branch", "--depth", "-o", "--origin"]))[0]),
  "ls-remote": ({ args }) => remote(positionals(args)[0]),
  "send-email": () => asks("sends mail", "high"),
  credential: () => asks("handles passwords of the person", "high"),
  difftool: () => asks("runs another program on the differences", "medium"),
  mergetool: () => asks("runs another program on the differences", "medium"),
};

function remote(target: Argument | undefined): Finding | null {
  if (target === undefined) return null;
  if (/^\w+::/.test(target.text)) return asks("makes git run a command as its transport", "high");
  return hostFindings(remoteHost(target))[0] ?? null;
}

/** The host of a URL or of `user@host:path`; a name of a remote has none that can be seen. */
function remoteHost(target: Argument | undefined): readonly Argument[] {
  if (target === undefined || target.text.startsWith("file://")) return [];
  const scp = /^(?:[^@/]+@)?([^:/]+):(?!\/\/)/.exec(target.text)?.[1];
  if (scp === undefined && !target.text.includes("://")) return target.dynamic ? [target] : [];
  return [{ ...target, text: scp ?? hostOf(target.text) }];
}

function hostsOf(call: Call): readonly Argument[] {
  const { name, args } = subcommandOf(call);
  const words = positionals(args);
  return talking.has(name) ? words.flatMap(remoteHost) : [];
}

function subcommandOf({ args }: Call): Subcommand {
  let at = 0;
  while (args[at]?.text.startsWith("-")) at += globalValued.has(args[at]?.text ?? "") ? 2 : 1;
  return { name: args[at]?.text ?? "", args: args.slice(at + 1) };
}

const git: Program = {
  judge: (call) => {
    const subcommand = subcommandOf(call);
    if (
      call.args.some(
        ({ text }, at) => configures.has(text.split("=")[0] ?? "") && at < call.args.length - subcommand.args.length,
      )
    ) {
      return asks("gives git settings that can make it run other programs", "medium");
    }
    if (subcommand.args.some(({ text }) => /^--(upload-pack|receive-pack|exec|extcmd)(=|$)/.test(text)))
      return asks("makes git run another program", "medium");
    const rule = Object.hasOwn(rules, subcommand.name) ? rules[subcommand.name] : undefined;
    const dynamic = call.args.some((arg) => arg.dynamic) && rule !== undefined && subcommand.name !== "clone";
    const { name } = subcommand;
    if (rule === undefined && name !== "" && !plain.has(name))
      return asks(`runs "git ${name}", which may be an alias or another program`, "medium");
    return rule?.(subcommand) ?? (dynamic ? asks("gives git arguments that only the run will tell", "medium") : null);
  },
  runs: (call): readonly Run[] => {
    const { name, args } = subcommandOf(call);
    const words = positionals(args);
    if (name === "bisect" && words[0]?.text === "run") return [{ kind: "command", words: args.slice(1) }];
    if (name === "submodule" && words[0]?.text === "foreach")
      return [
        {
          kind: "script",
          text: words
            .slice(1)
            .map(({ text }) => text)
            .join(" "),
        },
      ];
    return [];
  },
  paths: ({ args }) =>
    without(args, textOptions).flatMap((arg) => {
      const inCommit = /^[^:/]*:([^:/].*)$/s.exec(arg.text)?.[1];
      return inCommit === undefined ? arg : [arg, { ...arg, text: inCommit }];
    }),
  hosts: hostsOf,
};

export const gitPrograms: Programs = { git };
