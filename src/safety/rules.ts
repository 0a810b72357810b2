/**
 * Rules against what was read off an action. Ask and deny rules are understood generously: what may meet them meets them.
 * Allow rules are understood strictly, finding by finding, and never lift one of the floor. @see docs/adr/0010
 */
import type { PolicyRule, PolicyRules, TaskPolicy } from "../domain/policy-rules.ts";
import type { Action } from "../ports/tool.ts";
import { liesBelow, matchesPath, matchesText, mayMeet } from "./patterns.ts";
import type { Found, Reading, RunCommand, TouchedPath } from "./reading.ts";
import type { Argument } from "./shell-words.ts";

export type Meeting = "yes" | "maybe" | "no";

export interface NamedRule {
  readonly rule: PolicyRule;
  /** `[policy] deny, rule 2 (command "git push")` */
  readonly name: string;
}

/** The rules of one kind: those of the server, then those of the task. */
export function rulesOf(kind: "ask" | "deny", rules: PolicyRules, task: TaskPolicy | undefined): readonly NamedRule[] {
  return [
    ...rules[kind].map((rule, at) => ({ rule, name: nameOf(`[policy] ${kind}`, at, rule) })),
    ...(task?.[kind] ?? []).map((rule, at) => ({ rule, name: nameOf(`the task's policy, ${kind}`, at, rule) })),
  ];
}

function nameOf(list: string, at: number, { reason: _reason, ...conditions }: PolicyRule): string {
  const shown = Object.entries(conditions)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return `${list}, rule ${at + 1} (${shown.join(", ")})`;
}

/** Does an action meet an ask or deny rule? All that the rule states must hold. */
export function meets(rule: PolicyRule, action: Action, reading: Reading): Meeting {
  const { tool, command, path, host } = rule;
  return all([
    tool === undefined ? "yes" : surely(matchesText(tool, action.tool)),
    command === undefined ? "yes" : some(reading.commands.map((run) => meetsCommand(command, run))),
    path === undefined ? "yes" : some(reading.paths.map((touched) => meetsPath(path, touched))),
    host === undefined ? "yes" : some(reading.hosts.map((name) => meetsHost(host, name))),
    ...argumentMeetings(rule, action),
  ]);
}

function all(meetings: readonly Meeting[]): Meeting {
  if (meetings.includes("no")) return "no";
  return meetings.includes("maybe") ? "maybe" : "yes";
}

function some(meetings: readonly Meeting[]): Meeting {
  if (meetings.includes("yes")) return "yes";
  return meetings.includes("maybe") ? "maybe" : "no";
}

function surely(isMet: boolean): Meeting {
  return isMet ? "yes" : "no";
}

/**
 * The program, its options in any order and any spelling of clusters (`-rf`, `-r -f`), and the other words in their order; what
 * stands between and behind them is free.
 */
function meetsCommand(pattern: string, { name, words }: RunCommand): Meeting {
  const [program = "", ...wanted] = wordsOf(pattern);
  if (!matchesText(program.toLowerCase(), name) && !matchesText(program, words[0]?.text ?? "")) return "no";
  const given = words.slice(1);
  const options = wanted.filter(isOption).map((option) => hasOption(option, given));
  const isInOrder = inOrder(
    wanted.filter((word) => !isOption(word) && !/^\*+$/.test(word)),
    given.filter(({ dynamic }) => !dynamic),
  );
  if (isInOrder && options.every(Boolean)) return "yes";
  return given.some(({ dynamic }) => dynamic) ? "maybe" : "no";
}

function wordsOf(pattern: string): readonly string[] {
  return pattern.split(/\s+/);
}

function isOption(word: string): boolean {
  return /^-[^-]|^--./.test(word);
}

function hasOption(option: string, given: readonly Argument[]): boolean {
  const texts = given.map(({ text }) => text);
  if (texts.some((text) => matchesText(option, text) || (option.startsWith("--") && text.startsWith(`${option}=`))))
    return true;
  if (!/^-[A-Za-z0-9]+$/.test(option)) return false;
  const letters = texts.filter((text) => /^-[A-Za-z0-9]+$/.test(text)).join("");
  return option
    .slice(1)
    .split("")
    .every((letter) => letters.includes(letter));
}

function inOrder(wanted: readonly string[], given: readonly Argument[]): boolean {
  let at = 0;
  for (const { text } of given) {
    const next = wanted[at];
    if (next !== undefined && matchesText(next, text)) at += 1;
  }
  return at === wanted.length;
}

function meetsPath(pattern: string, { path, glob, dynamic, below }: TouchedPath): Meeting {
  const [wanted, touched] = [pattern.toLowerCase(), path.toLowerCase()];
  if (dynamic) return mayMeet(wanted, touched.replaceAll("…", "**")) ? "maybe" : "no";
  if (matchesPath(wanted, touched) || (glob && mayMeet(wanted, touched))) return "yes";
  if (below === "no" || !liesBelow(wanted, touched)) return "no";
  return below === "removes" ? "yes" : "maybe";
}

function meetsHost(pattern: string, host: string | null): Meeting {
  return host === null ? "maybe" : surely(matchesText(pattern.toLowerCase(), host));
}

function argumentMeetings({ equals = {}, matches = {} }: PolicyRule, action: Action): readonly Meeting[] {
  const given = action.arguments;
  const conditions = [
    ...Object.entries(equals).map(([name, value]) => ({ name, holds: (own: unknown) => own === value })),
    ...Object.entries(matches).map(([name, pattern]) => ({
      name,
      holds: (own: unknown) => matchesText(pattern, typeof own === "string" ? own : JSON.stringify(own)),
    })),
  ];
  return conditions.map(({ name, holds }) => {
    if (given === undefined) return "maybe";
    return surely(Object.hasOwn(given, name) && holds(given[name]));
  });
}

/** Does an allow rule take this finding away? */
export function lifts(rule: PolicyRule, found: Found, action: Action, reading: Reading): boolean {
  if (found.floor === true) return false;
  const command = found.command === undefined ? undefined : reading.commands[found.command];
  return (
    (rule.tool === undefined || matchesText(rule.tool, action.tool)) &&
    (rule.command === undefined || (command !== undefined && isExactly(rule.command, command))) &&
    (rule.path === undefined ||
      (found.path !== undefined && !/[*?[…]/.test(found.path) && matchesPath(rule.path, found.path))) &&
    (rule.host === undefined || (found.host !== undefined && matchesText(rule.host.toLowerCase(), found.host))) &&
    argumentMeetings(rule, action).every((meeting) => meeting === "yes")
  );
}

/** Do allow rules name every command of a line, word for word? The owner meant it to do its work then, the network included. */
export function namesAll(rules: readonly PolicyRule[], action: Action, { commands }: Reading): boolean {
  const named = (run: RunCommand) =>
    rules.some(
      (rule) =>
        rule.command !== undefined &&
        rule.path === undefined &&
        rule.host === undefined &&
        (rule.tool === undefined || matchesText(rule.tool, action.tool)) &&
        isExactly(rule.command, run) &&
        argumentMeetings(rule, action).every((meeting) => meeting === "yes"),
    );
  return commands.length > 0 && commands.every(named);
}

const systemProgram = /^\/(usr\/)?(local\/)?s?bin\/[^/]+$/;

/** Word for word; ` *` at the end stands for any further words. What only the run will tell is never exactly anything. */
function isExactly(pattern: string, { words, isSwayed }: RunCommand): boolean {
  if (isSwayed || words.some(({ dynamic, glob }) => dynamic || glob)) return false;
  const wanted = wordsOf(pattern);
  const isOpen = wanted.length > 1 && wanted.at(-1) === "*";
  const exact = isOpen ? wanted.slice(0, -1) : wanted;
  if (words.length < exact.length || (!isOpen && words.length > exact.length)) return false;
  const program = words[0]?.text ?? "";
  const own = systemProgram.test(program) ? (program.split("/").at(-1) ?? "") : program;
  return exact.every((word, at) => matchesText(word, at === 0 ? own : (words[at]?.text ?? "")));
}
