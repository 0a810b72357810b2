/** A bench for the engine: a store, a step clock, a desk of executors and a log, with a driver or a supervisor over them. */

import type { Brief } from "../../src/domain/task.ts";
import { Driver, type DriverPorts } from "../../src/engine/driver.ts";
import { Supervisor, type SupervisorPorts } from "../../src/engine/supervisor.ts";
import { messageOf } from "../../src/lib/errors.ts";
import type { Log } from "../../src/ports/runtime.ts";
import { StepClock } from "./clock.ts";
import { Desk } from "./engine-desk.ts";
import { brief, proposed, spec, taskId } from "./engine-samples.ts";
import { TestStore } from "./engine-store.ts";

export class Bench {
  readonly store = new TestStore();
  readonly clock = new StepClock(() => this.store.quiet());
  readonly desk = new Desk();
  readonly complaints: string[] = [];
  readonly tokens: string[] = [];
  readonly reaped: string[] = [];
  readonly swept: string[] = [];

  readonly #log: Log = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (facts, message) => this.complaints.push(`${message}: ${messageOf(facts["error"] ?? "")}`),
  };

  driverPorts(over: Partial<DriverPorts> = {}): DriverPorts {
    return {
      store: this.store,
      ledger: this.store.inner,
      executors: this.desk.executors,
      clock: this.clock,
      log: this.#log,
      redact: (value) => value,
      token: (_, { token }) => this.tokens.push(token),
      changed: () => undefined,
      ...over,
    };
  }

  supervisor(over: Partial<SupervisorPorts> = {}): Supervisor {
    return new Supervisor({
      ...this.driverPorts(),
      openTasksMax: 16,
      sharedWorkspaces: false,
      reap: (id) => Promise.resolve(this.reaped.push(id)),
      sweep: (id) => Promise.resolve(this.swept.push(id)),
      ...over,
    });
  }

  /** A driver whose task was just created and may run. */
  async created(its: Brief = brief(), over: Partial<DriverPorts> = {}): Promise<Driver> {
    const driver = new Driver(taskId, null, this.driverPorts(over));
    driver.admit(null, true);
    await driver.send({ type: "SubmitTask", brief: its });
    await this.store.quiet();
    return driver;
  }

  /** A driver whose task is planned into these subtasks. */
  async planned(ids: readonly string[], its: Brief = brief(), over: Partial<DriverPorts> = {}): Promise<Driver> {
    const driver = await this.created(its, over);
    const subtasks = ids.map((id) => spec(id));
    this.desk.run("plan:1:1").end(proposed("plan:1:1", subtasks));
    await this.store.quiet();
    return driver;
  }
}
