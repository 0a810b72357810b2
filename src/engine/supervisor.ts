/**
 * The supervisor: all drivers. It recovers open tasks at boot, admits what may run, keeps closed tasks only as long as they
 * are asked for, and sets aside a task whose log cannot be folded, so that the others run on.
 */

import { type Brief, isClosed, type Task } from "../domain/task.ts";
import { statusOf, type TaskStatus } from "../domain/view.ts";
import { LoomError, messageOf, type Refusal } from "../lib/errors.ts";
import type { Result } from "../lib/result.ts";
import { Admissions, type Candidate } from "./admission.ts";
import type { Idempotency, Taken } from "./batch.ts";
import { waitAtMost } from "./deadline.ts";
import { type DeparturePorts, Departures } from "./departures.ts";
import { Driver, type DriverPorts } from "./driver.ts";
import { isPassing } from "./faults.ts";
import { Watchers } from "./watchers.ts";

export interface SupervisorPorts extends Omit<DriverPorts, "changed">, DeparturePorts {
  readonly openTasksMax: number;
  readonly sharedWorkspaces: boolean;
  /** Kills what interrupted steps of a task left running. */
  readonly reap: (taskId: string) => Promise<number>;
}

const closedKept = 64;
/** A store that takes nothing does not keep Loom from starting: its tasks come in when it does. */
const recoveryWaitMs = 2000;

export class Supervisor implements AsyncDisposable {
  readonly #ports: SupervisorPorts;
  readonly #driverPorts: DriverPorts;
  /** Known tasks, the one asked for last at the end. */
  readonly #drivers = new Map<string, Promise<Driver>>();
  /** Tasks that are not closed, in the order in which they may run. */
  readonly #open = new Map<string, Open>();
  /** As of the last change of a status. */
  #admissions: Admissions;
  /** Open tasks that were just folded, until their log says so. */
  readonly #resuming = new Map<string, Promise<void>>();
  readonly #quarantined = new Map<string, string>();
  readonly #watchers = new Watchers();
  readonly #departures: Departures;
  #draining = false;

  constructor(ports: SupervisorPorts) {
    this.#ports = ports;
    this.#admissions = new Admissions([], ports);
    this.#departures = new Departures(ports);
    this.#driverPorts = { ...ports, changed: (driver) => this.#changed(driver) };
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Why a task is set aside, for those that are. */
  get quarantined(): ReadonlyMap<string, string> {
    return this.#quarantined;
  }

  /** Tasks held in memory, open or closed. */
  get known(): number {
    return this.#drivers.size;
  }

  /** Folds every open task, ends what its interrupted steps left running, and lets it go on. */
  async recover(): Promise<void> {
    for (const { taskId } of await this.#ports.store.openTasks()) {
      await this.#known(taskId).catch((error: unknown) => {
        if (isPassing(error)) throw error;
        this.#quarantine(taskId, error);
      });
    }
    await waitAtMost(this.#ports.clock, recoveryWaitMs, Promise.all(this.#resuming.values()));
  }

  #quarantine(taskId: string, error: unknown): void {
    this.#ports.log.error(
      { task_id: taskId, error: messageOf(error) },
      "The log of a task cannot be folded; it is set aside",
    );
    this.#quarantined.set(taskId, messageOf(error));
    this.#drivers.delete(taskId);
  }

  /** @throws LoomError shutting_down */
  requireRunning(): void {
    if (!this.#draining) return;
    const hint = "Try again in a few seconds";
    throw new LoomError("shutting_down", "Loom is shutting down and takes no new tasks", { hint, retryAfterMs: 5000 });
  }

  /**
   * Makes a task by its first request; it runs as soon as its log begins.
   *
   * @throws LoomError shutting_down; what the store says when it cannot take it
   */
  async create(taskId: string, brief: Brief, idempotency?: Idempotency): Promise<Result<Taken, Refusal>> {
    this.requireRunning();
    const driver = new Driver(taskId, null, this.#driverPorts);
    const sent = driver.send({ type: "SubmitTask", brief }, idempotency);
    // Known from the start: whoever finds it in the store before this is answered must not open a second driver.
    const opening = begun(driver, sent);
    this.#drivers.set(taskId, opening);
    opening.catch(() => this.#drivers.delete(taskId));
    return await sent;
  }

  /** @throws LoomError not_found; log_corrupt for a task that is set aside */
  async driver(taskId: string): Promise<Driver> {
    const corrupt = this.#quarantined.get(taskId);
    if (corrupt !== undefined) throw corruptLog(taskId, corrupt);
    try {
      return await this.#known(taskId);
    } catch (error) {
      if (error instanceof LoomError) throw error;
      this.#quarantine(taskId, error);
      throw corruptLog(taskId, messageOf(error));
    }
  }

  async task(taskId: string): Promise<Task> {
    return (await this.driver(taskId)).task;
  }

  /** Resolves at the next change of a task, or when `signal` fires. */
  nextChange(taskId: string, signal: AbortSignal): Promise<void> {
    return this.#watchers.wait(taskId, signal);
  }

  /** @returns whether nothing of a closed task runs any more, once that is so or has been waited for long enough */
  gone(taskId: string): Promise<boolean> {
    return this.#departures.over(taskId);
  }

  openDrivers(): readonly Driver[] {
    return [...this.#open.values()].map(({ driver }) => driver);
  }

  /** No new work; what runs ends at its next step boundary, or is aborted after `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    this.#draining = true;
    this.#watchers.wakeAll();
    const drained = async (opening: Promise<Driver>) => {
      const driver = await opening.catch(() => null);
      await driver?.drain(graceMs);
      if (driver !== null) await this.#departures.swept(driver);
    };
    await Promise.all([...this.#drivers.values()].map(drained));
    this.#watchers.wakeAll();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0);
  }

  #known(taskId: string): Promise<Driver> {
    const opening = this.#drivers.get(taskId) ?? this.#opened(taskId);
    this.#drivers.delete(taskId);
    this.#drivers.set(taskId, opening); // the latest asked for is the last to go
    return opening;
  }

  async #opened(taskId: string): Promise<Driver> {
    try {
      const driver = await Driver.open(taskId, this.#driverPorts);
      if (isClosed(driver.task)) this.#takeIn(driver);
      else await this.#recovered(driver);
      return driver;
    } catch (error) {
      this.#drivers.delete(taskId);
      throw error;
    }
  }

  /** What an interrupted step left running is ended before anything goes on. @see DECISIONS 11 */
  async #recovered(driver: Driver): Promise<void> {
    const stepsInFlight = [...driver.task.stepsInFlight];
    if (stepsInFlight.length > 0) await this.#reap(driver.taskId);
    this.#resuming.set(driver.taskId, this.#resumed(driver, stepsInFlight));
  }

  async #reap(taskId: string): Promise<void> {
    try {
      await this.#ports.reap(taskId);
    } catch (error) {
      this.#ports.log.error(
        { task_id: taskId, error: messageOf(error) },
        "What an interrupted step left running could not be ended",
      );
    }
  }

  /** Nothing starts before the log says that the task was recovered: what died too often must not start again. */
  async #resumed(driver: Driver, stepsInFlight: readonly string[]): Promise<void> {
    try {
      await driver.report({ type: "Recovered", stepsInFlight });
      this.#resuming.delete(driver.taskId);
      this.#takeIn(driver);
    } catch (error) {
      this.#resuming.delete(driver.taskId);
      if (!this.#draining) this.#quarantine(driver.taskId, error);
    }
  }

  /** An open task waits for its turn; a closed one may still have something to put back. */
  #takeIn(driver: Driver): void {
    if (this.#draining) return void driver.close();
    if (isClosed(driver.task)) {
      driver.admit(null, true);
      this.#forgetOldest();
    } else {
      const open = { driver, status: statusOf(driver.task) };
      this.#open.set(driver.taskId, open);
      this.#admitLast(open);
    }
  }

  #changed(driver: Driver): void {
    const { task, taskId } = driver;
    this.#watchers.wake(taskId);
    const known = this.#open.get(taskId);
    if (known !== undefined) this.#follow(known, driver);
    else if (!isClosed(task) && !this.#resuming.has(taskId)) this.#takeIn(driver); // it begins, or goes on after its end
  }

  #follow(known: Open, driver: Driver): void {
    const { task, taskId } = driver;
    const status = statusOf(task);
    if (status === known.status) return;
    known.status = status;
    if (isClosed(task)) {
      this.#open.delete(taskId);
      this.#departures.begin(driver);
      this.#forgetOldest();
    }
    this.#admit();
  }

  /** One that has not begun comes behind all others, whose turns are as they were. */
  #admitLast(open: Open): void {
    const candidate = candidateOf(open);
    if (candidate.begun) {
      this.#admit();
    } else {
      const { admitted, held } = this.#admissions.add(candidate);
      open.driver.admit(held, admitted);
    }
  }

  #admit(): void {
    if (this.#draining) return;
    this.#admissions = new Admissions([...this.#open.values()].map(candidateOf), this.#ports);
    for (const [taskId, { admitted, held }] of this.#admissions.all) {
      this.#open.get(taskId)?.driver.admit(held, admitted);
    }
  }

  /** Closed tasks are read from their log again when someone asks. */
  #forgetOldest(): void {
    const closed = [...this.#drivers].filter(([taskId]) => !this.#open.has(taskId) && !this.#resuming.has(taskId));
    for (const [taskId, opening] of closed.slice(0, Math.max(0, closed.length - closedKept))) {
      void this.#forget(taskId, opening);
    }
  }

  async #forget(taskId: string, opening: Promise<Driver>): Promise<void> {
    const driver = await opening.catch(() => null);
    const isIdle = driver !== null && driver.inFlight === 0 && isClosed(driver.task);
    if (isIdle && this.#drivers.get(taskId) === opening) this.#drivers.delete(taskId);
  }
}

interface Open {
  readonly driver: Driver;
  status: TaskStatus;
}

function candidateOf({ driver: { task }, status }: Open): Candidate {
  return {
    taskId: task.id,
    workspace: task.brief.workspace,
    begun: task.phase !== "pending",
    parked: status === "waiting_approval" || status === "paused",
  };
}

async function begun(driver: Driver, sent: ReturnType<Driver["send"]>): Promise<Driver> {
  const result = await sent;
  if (result.ok && result.value.duplicate === undefined) return driver;
  throw new LoomError("not_found", `There is no task "${driver.taskId}"`, { hint: "GET /tasks lists the tasks" });
}

function corruptLog(taskId: string, reason: string): LoomError {
  return new LoomError("log_corrupt", `The log of task "${taskId}" cannot be read: ${reason}`, {
    hint: "The other tasks run on; look at the log line of the start, and restore the database from a backup",
  });
}
