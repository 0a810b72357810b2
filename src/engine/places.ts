/** How many tasks of one submitter are open: those in the log, and those on their way into it. */
import { LoomError } from "../lib/errors.ts";
import type { Supervisor } from "./supervisor.ts";

/** Nobody knows when a task ends; this is how often it is worth to ask. */
const retryAfterMs = 10_000;

export interface Wanting {
  readonly by: string;
  readonly openTasksMax: number | undefined;
}

export class Places {
  readonly #supervisor: Pick<Supervisor, "openDrivers">;
  readonly #coming = new Map<string, number>();

  constructor({ supervisor }: { readonly supervisor: Pick<Supervisor, "openDrivers"> }) {
    this.#supervisor = supervisor;
  }

  /** Opens a task while its submitter has room for it. @throws LoomError quota_exceeded */
  async within<T>({ by, openTasksMax }: Wanting, open: () => Promise<T>): Promise<T> {
    if (openTasksMax !== undefined) this.#requireRoom(by, openTasksMax);
    this.#coming.set(by, (this.#coming.get(by) ?? 0) + 1);
    try {
      return await open();
    } finally {
      const left = (this.#coming.get(by) ?? 1) - 1;
      if (left === 0) this.#coming.delete(by);
      else this.#coming.set(by, left);
    }
  }

  #requireRoom(by: string, openTasksMax: number): void {
    const standing = this.#supervisor.openDrivers().filter(({ task }) => task.brief.submitted_by === by).length;
    const open = standing + (this.#coming.get(by) ?? 0);
    if (open < openTasksMax) return;
    throw new LoomError("quota_exceeded", `"${by}" has ${open} tasks open, and may have ${openTasksMax}`, {
      hint: "Wait for one of them to end, or cancel one; those that wait for a person count too. `loom keys create --max-tasks` makes a key that may have more",
      retryAfterMs,
    });
  }
}
