/**
 * Lease watch: which paths an attempt was refused because another subtask holds them, and whether it ends for that. Then it
 * has not failed and is not done: it waits for the path, and goes on in the turn after. @see DECISIONS 38
 */
import type { FailureClass } from "../../domain/event.ts";
import type { Report } from "../../domain/report.ts";
import type { LeaseWait } from "../../domain/task.ts";
import type { CallRecord } from "../records.ts";
import { freeAgain } from "./held-paths.ts";

/** Whoever tries a held path so often, whatever with, has nothing else to do. */
const refusalsMax = 3;

/** Ends that may come of a refused write. Others have a reason of their own. */
const failuresForIt: ReadonlySet<FailureClass> = new Set(["blocked", "loop"]);

export class LeaseWatch {
  readonly #waits: ReadonlyMap<number, LeaseWait>;
  /** Refused, and not changed by this subtask since. */
  readonly #open = new Set<string>();
  #refusals = 0;

  /** @param waits that the attempt has behind it */
  constructor(waits: readonly LeaseWait[]) {
    this.#waits = new Map(waits.map((wait) => [wait.turn, wait]));
  }

  saw(records: readonly CallRecord[]): void {
    for (const { changed, held } of records) {
      for (const path of changed) this.#open.delete(path);
      if (held === undefined) continue;
      this.#open.add(held);
      this.#refusals += 1;
    }
  }

  /**
   * What the end of a turn comes to.
   *
   * @param report that would end the attempt; null where it goes on
   * @param at.left turns that are left when the path is free
   * @returns a report, null to go on, or, where this end has been waited for already, what the model is told before it goes on
   */
  after(
    report: Report | null,
    at: { readonly key: string; readonly turn: number; readonly left: number },
  ): Report | string | null {
    const wait = this.#waits.get(at.turn);
    if (wait !== undefined) {
      this.#open.clear();
      this.#refusals = 0;
      return freeAgain(wait.path);
    }
    const [path] = this.#open;
    if (path === undefined || at.left === 0) return report;
    const isOver = report === null ? this.#refusals >= refusalsMax : isForIt(report);
    return isOver ? { type: "NeedsLease", key: at.key, path, turn: at.turn } : report;
  }
}

function isForIt(report: Report): boolean {
  return report.type === "Delivered" || (report.type === "Failed" && failuresForIt.has(report.class));
}
