/** Executors: what runs an effect. They read a snapshot of the task, write through the journal, and end with one report. */
import type { EffectKind, EffectOf } from "../domain/effect.ts";
import type { Report } from "../domain/report.ts";
import type { Instruction, Task } from "../domain/task.ts";
import type { Journal } from "./journal.ts";

/** The two ways to stop. `aborted` fires when the work must be dead within 500 ms; `yielding` asks to end at the next step boundary. */
export interface Stop {
  readonly aborted: AbortSignal;
  readonly yielding: AbortSignal;
}

/** Instructions that came in while an attempt runs. */
export interface Inbox {
  /** Instructions of mode `next_boundary` or `interrupt` that came after the attempt started, oldest first; a call does not empty it. */
  instructions(): readonly Instruction[];
  /** Fires when an `interrupt` comes in; a fresh signal after each. */
  interrupted(): AbortSignal;
}

export interface Execution<K extends EffectKind = EffectKind> {
  readonly effect: EffectOf<K>;
  /** The task as it was when this effect was started. */
  readonly task: Task;
  /** The task as it is now. */
  current(): Task;
  readonly journal: Journal;
  readonly inbox: Inbox;
  readonly stop: Stop;
  /** The lossy lane: model text as it comes, shown live and never kept. */
  token(text: string, from: { readonly subtaskId: string; readonly model: string }): void;
}

/**
 * Runs one effect to its report. Throws only what is not its to judge: an abort (`stop.aborted.reason`), `StepRefused`,
 * or a bug, which the driver turns into a failed attempt of class `internal`.
 */
export type Executor<K extends EffectKind> = (execution: Execution<K>) => Promise<Report>;

export type Executors = { readonly [K in Exclude<EffectKind, "wait">]: Executor<K> };
