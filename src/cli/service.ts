/** What the commands ask of Loom, wherever it runs: a server over HTTP, or an engine in this process. */
import type { SteerMode, UndoScope } from "../domain/event.ts";
import type { TaskPolicy } from "../domain/policy-rules.ts";
import type { ApprovalMode } from "../domain/rules.ts";
import type { JsonObject } from "../lib/json.ts";
import type {
  ApprovalShown,
  HealthShown,
  ModelShown,
  QuestionShown,
  Restored,
  TaskListed,
  TaskShown,
  ToolShown,
  WireEvent,
} from "./wire.ts";

export interface Order {
  readonly goal: string;
  readonly workspace: string;
  readonly context: JsonObject;
  readonly approvalMode?: ApprovalMode;
  readonly approvePlan: boolean;
  /** Whether somebody will answer; absent: as the server is configured. */
  readonly approvers?: "wait" | "none";
  readonly approvalTimeoutSeconds?: number;
  readonly policy?: TaskPolicy;
}

export interface Decision {
  readonly subtaskId: string;
  readonly approved: boolean;
  readonly reason?: string;
  readonly approvalId?: string;
}

export interface Answer {
  readonly questionId: string;
  readonly optionIds: readonly string[];
  readonly text: string;
}

export interface Service extends AsyncDisposable {
  /** Where it runs: the URL of a server, or null for an engine in this process. */
  readonly url: string | null;
  /** @returns the id of the new task */
  submit(order: Order): Promise<string>;
  /** Events after `after`, tokens between them, to the end of the task; ends early when the signal fires. */
  follow(taskId: string, options: { readonly after: number; readonly signal: AbortSignal }): AsyncIterable<WireEvent>;
  view(taskId: string): Promise<TaskShown>;
  list(): Promise<readonly TaskListed[]>;
  cancel(taskId: string, reason: string | undefined): Promise<string>;
  steer(taskId: string, instruction: string, mode: SteerMode): Promise<void>;
  change(taskId: string, change: "pause" | "resume" | "retry"): Promise<string>;
  /** Every one of a task; the pending ones of all tasks without. */
  approvals(taskId?: string): Promise<readonly ApprovalShown[]>;
  approve(taskId: string, decision: Decision): Promise<void>;
  questions(taskId: string): Promise<readonly QuestionShown[]>;
  answer(taskId: string, answer: Answer): Promise<void>;
  /** What the task has changed so far, as a patch. */
  diff(taskId: string): Promise<string>;
  undo(
    taskId: string,
    request: { readonly scope: UndoScope; readonly id?: string; readonly preview: boolean },
  ): Promise<Restored>;
  /** @param probe `first`: ask for what is not known yet; `again`: for all of it */
  models(probe: "first" | "again" | null): Promise<readonly ModelShown[]>;
  tools(): Promise<readonly ToolShown[]>;
  health(): Promise<HealthShown>;
}

/** Leaves out what was not given, for fields that must be absent rather than undefined. */
export function given<T extends Readonly<Record<string, unknown>>>(
  fields: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // Only members that are there are kept, which is what the type says.
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
