/**
 * Tasks that have just ended, until nothing of them runs any more: the effects that were stopped have settled, and what
 * their commands left in the background has been ended.
 */
import { isClosed } from "../domain/task.ts";
import { messageOf } from "../lib/errors.ts";
import type { Clock, Log } from "../ports/runtime.ts";
import { waitAtMost } from "./deadline.ts";
import type { Driver } from "./driver.ts";

export interface DeparturePorts {
  readonly clock: Clock;
  readonly log: Log;
  /** Ends what commands of a task left in the background, where nothing else does. @returns how many processes that were */
  readonly sweep: (taskId: string) => Promise<number>;
}

/** Law 4 gives 500 ms; a machine that does much else is not told of as a process that cannot be killed. */
const goneMsMax = 5000;

export class Departures {
  readonly #ports: DeparturePorts;
  readonly #leaving = new Map<string, Promise<void>>();

  constructor(ports: DeparturePorts) {
    this.#ports = ports;
  }

  /** The task is closed: what it still runs is being stopped. */
  begin(driver: Driver): void {
    const { taskId } = driver;
    const leaving = this.#gone(driver).then(() => {
      if (this.#leaving.get(taskId) === leaving) this.#leaving.delete(taskId);
    });
    this.#leaving.set(taskId, leaving);
  }

  /** @returns whether nothing of the task runs any more; false when something did not end although it was killed */
  async over(taskId: string): Promise<boolean> {
    const leaving = this.#leaving.get(taskId);
    if (leaving === undefined) return true;
    await waitAtMost(this.#ports.clock, goneMsMax, leaving);
    return this.#leaving.get(taskId) !== leaving;
  }

  /** Loom goes down: nobody is left to end later what a task has in the background. */
  async swept(driver: Driver): Promise<void> {
    const leaving = this.#leaving.get(driver.taskId);
    if (leaving !== undefined) await this.over(driver.taskId);
    else if (!isClosed(driver.task)) await this.#sweep(driver);
  }

  async #gone(driver: Driver): Promise<void> {
    await driver.stopped();
    // Opened again meanwhile: what it has in the background may be of its next run.
    if (isClosed(driver.task)) await this.#sweep(driver);
  }

  async #sweep({ taskId, task }: Driver): Promise<void> {
    // A task that ran no tool has nothing there, and looking for it costs a walk through all processes.
    if (task.usage.toolCalls === 0) return;
    try {
      await this.#ports.sweep(taskId);
    } catch (error) {
      const facts = { task_id: taskId, error: messageOf(error) };
      this.#ports.log.error(facts, "What a task left in the background could not be ended");
    }
  }
}
