/** Consent: what a person said to a gated call or to a question, read from the task's rows, or what is to be asked of them. */

import { type Approval, type ApprovalAsk, answerText, type Question, type QuestionAsk } from "../../domain/approval.ts";
import { approvalIdOf, questionIdOf } from "../../domain/ids.ts";
import type { Task } from "../../domain/task.ts";
import type { JsonObject } from "../../lib/json.ts";
import { canonicalJson } from "../../lib/json.ts";
import type { Judgement } from "../../ports/policy.ts";
import type { PreparedCall } from "../../ports/tool.ts";
import { shortArguments, within } from "../excerpt.ts";

export interface CallAt {
  readonly subtaskId: string;
  readonly attempt: number;
  readonly turn: number;
  readonly call: number;
}

export interface GatedCall {
  readonly at: CallAt;
  readonly tool: string;
  readonly arguments: JsonObject | string;
  readonly prepared: PreparedCall;
  readonly judgement: Judgement;
}

export type Consent =
  | { readonly kind: "given" }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "missing"; readonly ask: ApprovalAsk };

/** A yes holds for exactly the call that was shown; where files have changed since, it is asked again. @see DECISIONS 17 */
export function consentTo(task: Task, gated: GatedCall, digest: (text: string) => string): Consent {
  const bound = digest(boundText(gated));
  const base = approvalIdOf(gated.at);
  for (let round = 1; ; round += 1) {
    const id = round === 1 ? base : `${base}_${round}`;
    const row = task.approvals.get(id);
    if (row === undefined || row.status === "pending") return { kind: "missing", ask: askFor(gated, id, bound) };
    if (row.status !== "approved") return { kind: "refused", reason: refusalOf(row) };
    if (row.digest === bound) return { kind: "given" };
  }
}

function boundText({ tool, arguments: args, prepared }: GatedCall): string {
  const preImages = prepared.change?.changes.map(({ path, before }) => ({ path, before })) ?? [];
  return canonicalJson({ tool, arguments: args, preImages });
}

export function refusalOf(row: Approval): string {
  if (row.status === "expired" || row.decidedBy === "timeout") return "denied: nobody answered in time";
  if (row.decidedBy === "no approver")
    return "denied: this needs a person's approval, and nobody approves in this task";
  return `denied by a person${row.decisionReason === undefined ? "" : `: ${row.decisionReason}`}`;
}

const argumentCharsMax = 2000;

function askFor({ tool, arguments: args, prepared, judgement }: GatedCall, id: string, digest: string): ApprovalAsk {
  const { action } = prepared;
  const command = action.command ?? (action.argv === undefined ? undefined : action.argv.map(quoted).join(" "));
  const paths = [...new Set([...action.writes, ...action.deletes, ...action.reads])];
  const what = command ?? (paths.length > 0 ? paths.join(", ") : action.hosts.join(", "));
  return {
    approval_id: id,
    kind: "tool",
    summary: within(`${tool}: ${what}`, 4000),
    reason: within(judgement.reason, 2000),
    risk: judgement.risk,
    action: {
      tool: within(tool, 100),
      arguments: shortArguments(args, argumentCharsMax),
      ...(command === undefined ? {} : { command: within(command, 8000) }),
      paths: paths.slice(0, 100).map((path) => within(path, 1000)),
      hosts: action.hosts.slice(0, 50).map((host) => within(host, 300)),
    },
    digest,
  };
}

/** Whoever says yes shall know what of it cannot be taken back. */
export function withLack(ask: ApprovalAsk, lack: string | null): ApprovalAsk {
  return lack === null ? ask : { ...ask, reason: within(`${ask.reason} Undo would be partial: ${lack}`, 2000) };
}

/** @param diff what the change would come to; nothing where the call changes no file */
export function withDiff(ask: ApprovalAsk, diff: string): ApprovalAsk {
  return ask.action === undefined ? ask : { ...ask, action: { ...ask.action, diff } };
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The question whether to go on after a step of which nobody knows how far it ran. */
export function uncertainAsk(at: CallAt, tool: string, detail: string): ApprovalAsk {
  return {
    approval_id: `${approvalIdOf(at)}_uncertain`,
    kind: "tool",
    summary: within(`${tool}: ${detail}`, 4000),
    reason: "Loom stopped while this ran; a person shall look before the subtask goes on",
    risk: "high",
    digest: "",
  };
}

export type Answer =
  | { readonly kind: "answered"; readonly text: string }
  | { readonly kind: "missing"; readonly ask: QuestionAsk };

export function answerTo(task: Task, at: CallAt, question: Omit<QuestionAsk, "question_id">): Answer {
  const id = questionIdOf(at);
  const row = task.questions.get(id);
  if (row === undefined || row.status === "pending") return { kind: "missing", ask: { ...question, question_id: id } };
  return {
    kind: "answered",
    text: row.status === "answered" && row.answer !== undefined ? answerText(row, row.answer) : withoutAnswer(row),
  };
}

function withoutAnswer(row: Question): string {
  const chosen = row.options.find(({ id }) => id === row.default_option_id);
  return chosen === undefined
    ? "Nobody answered in time; decide by yourself."
    : `Nobody answered in time; the default stands: ${chosen.label}`;
}
