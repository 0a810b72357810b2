/** Git: what discards work, rewrites history, sends it away, or runs other programs by configuration. */
import type { Finding } from "../finding.ts";
import type { Argument } from "../shell-words.ts";
import { hostOf, isLocalHost } from "./network.ts";
import {
  asks,
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
    ["global", "system", "file"].some((name) => hasLong(args, name)) ||
    positionals(args).some(({ text }) =>
      /^(core\.(hookspath|editor|pager|sshcommand|fsmonitor)|alias\.|filter\.|credential\.|diff\..*command|url\.)/i.test(
        text,
      ),
    )
      ? asks("changes git's settings beyond this repository, or lets them run commands", "medium")
      : null,
  rm: ({ args }) => (hasLetter(args, "f") || hasLong(args, "force") ? discards("uncommitted work") : null),
  rebase: ({ args }) => (hasLetter(args, "x") ? asks("runs a command after each commit", "medium") : null),
  fetch: ({ args }) => remote(positionals(args)[0]),
  pull: ({ args }) => remote(positionals(args)[0]),
  submodule: ({ args }) => (positionals(args)[0]?.text === "add" ? remote(positionals(args)[1]) : null),
  clone: ({ args }) => remote(positionals(args, new Set(["-b", "--branch", "--depth", "-o", "--origin"]))[0]),
  "ls-remote": ({ args }) => remote(positionals(args)[0]),
  "send-email": () => asks("sends mail", "high"),
  credential: () => asks("handles passwords of the person", "high"),
  difftool: () => asks("runs another program on the differences", "medium"),
  mergetool: () => asks("runs another program on the differences", "medium"),
};

function remote(target: Argument | undefined): Finding | null {
  if (target === undefined) return null;
  const scp = /^(?:[^@/]+@)?([^:/]+):(?!\/\/)/.exec(target.text)?.[1];
  if (target.text.startsWith("ext::")) return asks("makes git run a command as its transport", "high");
  if (scp === undefined && !target.text.includes("://"))
    return target.dynamic ? asks("talks to a host that only the run will tell", "medium") : null;
  const host = scp ?? hostOf(target.text);
  return isLocalHost(host) || target.text.startsWith("file://")
    ? null
    : asks(`talks to ${host} over the network`, "medium");
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
  paths: ({ args }) => without(args, textOptions),
};

export const gitPrograms: Programs = { git };
