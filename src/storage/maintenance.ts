/**
 * Keeps a file in order while it is in use: what retention takes, blobs that nothing names, free pages. One round after the
 * other in the background, in small pieces, so that no commit and no reader waits long. The writer does what changes rows.
 */
import { messageOf } from "../lib/errors.ts";
import type { EventStore } from "../ports/event-store.ts";
import type { Clock, Log } from "../ports/runtime.ts";
import { collectBlobs } from "./blob-collection.ts";
import type { RecentBlobs } from "./blob-names.ts";
import type { Chore, OutlivedTask } from "./chores.sqlite.ts";
import type { StorageDatabase } from "./database.ts";
import { createOldTaskReader, lastViewOf, type OldTask } from "./retention.ts";
import type { Writer } from "./writer.sqlite.ts";

/** A start has better things to do. */
const firstRoundMs = 10_000;
const betweenRoundsMs = 60 * 60 * 1000;
/** How long a blob counts as recent, at least: any step is over by then that names what it wrote. Longer costs memory. */
const recentMs = 5 * 60 * 1000;
const pageTasks = 50;
/** Rows a transaction: some milliseconds, and as much as a busy server writes in one commit or more, so that it keeps up. */
const rowsAtOnce = 1000;
/** Pages given back at once: 1 MiB. */
const pagesAtOnce = 256;
/** Free pages that are kept for what comes next: 4 MiB. */
const sparePages = 1024;

export interface MaintenancePorts {
  readonly database: StorageDatabase;
  readonly store: Pick<EventStore, "read">;
  readonly writer: Pick<Writer, "chore">;
  readonly recent: RecentBlobs;
  readonly clock: Clock;
  readonly log?: Log;
}

export interface MaintenanceOptions {
  /** How long closed tasks are kept; null: for ever. */
  readonly retentionMs: number | null;
}

/** What one round came to. */
export interface Round {
  readonly tasks: number;
  readonly rows: number;
  readonly blobs: number;
  readonly pages: number;
}

export class Maintenance implements AsyncDisposable {
  readonly #ports: MaintenancePorts;
  readonly #retentionMs: number | null;
  readonly #ending = new AbortController();
  #running: Promise<void> | null = null;

  constructor(ports: MaintenancePorts, { retentionMs }: MaintenanceOptions) {
    this.#ports = ports;
    this.#retentionMs = retentionMs;
  }

  /** Begins a while after the start, and goes on until it is disposed. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Waits for the piece at hand, not for the round. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  /** One round; ends early when this is disposed. @throws LoomError storage_full, storage_failed */
  async round(): Promise<Round> {
    const tasks = await this.#dropOld();
    const rows = await this.#repeat({ kind: "clear", rows: rowsAtOnce });
    const collected = await collectBlobs({ ...this.#ports, work: (chore) => this.#work(chore) }, this.#ending.signal);
    this.#ports.recent.turn();
    const pages = await this.#repeat({ kind: "vacuum", pages: pagesAtOnce, sparePages });
    return { tasks, rows, blobs: collected.rows + collected.files, pages };
  }

  async #run(): Promise<void> {
    const { clock, recent } = this.#ports;
    let roundAt = clock.now() + firstRoundMs;
    while (await slept(clock, Math.min(roundAt, clock.now() + recentMs), this.#ending.signal)) {
      if (clock.now() < roundAt) recent.turn();
      else {
        await this.#guardedRound();
        roundAt = clock.now() + betweenRoundsMs;
      }
    }
  }

  async #guardedRound(): Promise<void> {
    const { log } = this.#ports;
    try {
      const done = await this.round();
      if (done.tasks + done.rows + done.blobs + done.pages > 0) log?.info({ ...done }, "The database was put in order");
    } catch (error) {
      log?.error({ error: messageOf(error) }, "The database could not be put in order; it is tried again later");
    }
  }

  async #dropOld(): Promise<number> {
    if (this.#retentionMs === null) return 0;
    const { database, clock } = this.#ports;
    const oldTasks = createOldTaskReader(database);
    const untilAt = clock.now() - this.#retentionMs;
    let dropped = 0;
    for (let after: OldTask | undefined; !this.#ending.signal.aborted; ) {
      const page = oldTasks(untilAt, after, pageTasks);
      dropped += await this.#work({ kind: "drop_logs", untilAt, tasks: await this.#outlived(page) });
      after = page.at(-1);
      if (page.length < pageTasks) break;
      // As they come, so that the file need not hold all of them at once.
      await this.#repeat({ kind: "clear", rows: rowsAtOnce });
    }
    return dropped;
  }

  async #outlived(page: readonly OldTask[]): Promise<readonly OutlivedTask[]> {
    const tasks: OutlivedTask[] = [];
    for (const { taskId, lastSeq } of page) {
      if (this.#ending.signal.aborted) break;
      const view = await this.#lastView(taskId);
      if (view !== null) tasks.push({ taskId, lastSeq, view });
    }
    return tasks;
  }

  /** A log that cannot be folded is kept: someone may want to mend it. */
  async #lastView(taskId: string): Promise<string | null> {
    try {
      return await lastViewOf(this.#ports.store, taskId);
    } catch (error) {
      this.#ports.log?.warn(
        { task_id: taskId, error: messageOf(error) },
        "An old task is kept: its log cannot be folded",
      );
      return null;
    }
  }

  /** @returns the amount in all */
  async #repeat(chore: Chore): Promise<number> {
    let amount = 0;
    while (!this.#ending.signal.aborted) {
      const done = await this.#work(chore);
      if (done === 0) break;
      amount += done;
    }
    return amount;
  }

  async #work(chore: Chore): Promise<number> {
    const outcome = await this.#ports.writer.chore(chore);
    if (!outcome.ok) throw outcome.error;
    return outcome.value;
  }
}

/** @returns false when `signal` fired */
async function slept(clock: Clock, until: number, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleepUntil(until, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return !signal.aborted;
}
