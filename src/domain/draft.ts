/** A draft: events as a rule makes them, folded at once, so that the next line of the rule sees what the last one said. */
import { type Charge, nothing } from "./budget.ts";
import type { Event } from "./event.ts";
import { evolve } from "./evolve.ts";
import type { Circumstances } from "./report.ts";
import { planned, type Subtask, type Task } from "./task.ts";

export class Draft {
  readonly events: Event[] = [];
  readonly now: number;
  readonly inFlight: number;
  /** What the account of the task was charged today. */
  readonly ledger: Charge;
  #task: Task;

  constructor(task: Task, { now, inFlight, ledger = nothing }: Circumstances) {
    this.#task = task;
    this.now = now;
    this.inFlight = inFlight;
    this.ledger = ledger;
  }

  /** The task as it is after everything that was said so far. */
  get task(): Task {
    return this.#task;
  }

  /** @throws Error when the task has no such subtask */
  subtask(id: string): Subtask {
    const subtask = this.#task.subtasks.get(id);
    if (subtask === undefined) throw new Error(`Task ${this.#task.id} has no subtask "${id}"`);
    return subtask;
  }

  say(event: Event): void {
    this.events.push(event);
    this.#task = evolve(this.#task, { ...event, seq: this.#task.lastSeq + 1, at: this.now });
  }
}

/** Counts for the terminal events: subtasks completed, of those the plan wants. */
export function totals(task: Task): { readonly completed: number; readonly total: number } {
  const subtasks = planned(task);
  return {
    completed: subtasks.filter((subtask) => subtask.status.kind === "completed").length,
    total: subtasks.length,
  };
}
