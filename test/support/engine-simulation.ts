/**
 * A simulated task from its submission to its end: lives that crash and boot again, persons who answer and meddle, time that
 * moves when nothing else does. The laws that hold at every moment of rest are looked at there.
 */
import type { EffectMode } from "../../src/domain/effect.ts";
import { effects, idOf, pendingRows } from "../../src/domain/effects.ts";
import type { Event, TaskEvent } from "../../src/domain/event.ts";
import type { Request } from "../../src/domain/request.ts";
import { type Brief, isClosed, type Task } from "../../src/domain/task.ts";
import { viewOf } from "../../src/domain/view.ts";
import type { Driver } from "../../src/engine/driver.ts";
import { holdsSlot } from "../../src/engine/slots.ts";
import { Supervisor } from "../../src/engine/supervisor.ts";
import { LoomError } from "../../src/lib/errors.ts";
import type { StepRow } from "../../src/ports/event-store.ts";
import type { Stop } from "../../src/ports/executor.ts";
import { luckyExecutors } from "./engine-luck.ts";
import type { Shape } from "./engine-luck-plan.ts";
import { type Meddling, meddlings } from "./engine-meddling.ts";
import { taskId } from "./engine-samples.ts";
import { type Blow, Life, World } from "./engine-world.ts";

export interface Scenario {
  readonly seed: number;
  readonly shape: Shape;
  readonly brief: Brief;
  readonly blows: readonly Blow[];
  /** What a person does out of turn, so many appends after the time before. */
  readonly meddling: readonly { readonly after: number; readonly what: Meddling }[];
}

export interface Outcome {
  readonly task: Task;
  readonly log: readonly TaskEvent[];
  readonly steps: readonly StepRow[];
  readonly effects: ReadonlyMap<string, number>;
  readonly blows: number;
  readonly breaches: readonly string[];
}

/** More moments of rest than any bounded task has. */
const restsMax = 3000;
const drainMs = 2000;

export async function simulate(scenario: Scenario): Promise<Outcome> {
  return await new Simulation(scenario).run();
}

class Simulation {
  readonly #scenario: Scenario;
  readonly #world: World;
  readonly #acknowledged: { readonly seq: number; readonly events: readonly Event[] }[] = [];
  readonly #complaints: string[] = [];
  #supervisor: Supervisor;
  #goingDown: Promise<void> | null = null;
  #meddled = 0;
  #sinceMeddling = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#world = new World(scenario.seed, scenario.blows);
    this.#world.onAppend = () => this.#meddle();
    this.#world.onDrain = () => queueMicrotask(() => this.#goDown());
    this.#supervisor = this.#spawn(this.#world.life);
  }

  async run(): Promise<Outcome> {
    await this.#submit();
    for (let rest = 0; rest < restsMax; rest += 1) {
      await this.#world.quiet();
      if (this.#world.life.isDead) await this.#boot();
      else if (this.#goingDown !== null) await this.#down(this.#goingDown);
      else if (await this.#rest()) return await this.#outcome();
    }
    this.#world.breaches.push(`The task has not ended after ${restsMax} moments of rest (law 3)`);
    return await this.#outcome();
  }

  #spawn(life: Life): Supervisor {
    const { shape } = this.#scenario;
    return new Supervisor({
      ...this.#world.portsOf(life),
      executors: luckyExecutors({ world: this.#world, life, shape }),
      log: {
        debug: () => undefined,
        info: () => undefined,
        warn: () => undefined,
        error: (facts, message) => this.#complaints.push(`${message} ${JSON.stringify(facts)}`),
      },
      redact: (value) => value,
      token: () => undefined,
      openTasksMax: 4,
      sharedWorkspaces: false,
      reap: () => Promise.resolve(0),
      sweep: () => Promise.resolve(0),
      lingerMs: this.#world.luck("lingers") < 0.5 ? 4 : 0,
    });
  }

  /** Loom is asked to go down; the process ends when it has. */
  #goDown(): void {
    const { life } = this.#world;
    this.#goingDown = this.#supervisor.drain(drainMs).then(() => life.die());
  }

  async #down(goingDown: Promise<void>): Promise<void> {
    const { breaches, clock, life } = this.#world;
    const before = clock.now();
    await this.#until(goingDown);
    if (!life.isDead) breaches.push("Going down does not come to an end");
    if (clock.now() - before > drainMs + 1000) breaches.push(`Going down took ${clock.now() - before} ms`);
  }

  /** Lets time go on until the work is done, or the process is dead. */
  async #until(work: Promise<unknown>): Promise<void> {
    const { clock, life } = this.#world;
    let isDone = false;
    const done = life.outcome(work).finally(() => {
      isDone = true;
    });
    await this.#world.quiet();
    for (let next = clock.nextWake; !isDone && next !== null; next = clock.nextWake)
      await clock.advance(next - clock.now());
    await done;
  }

  async #boot(): Promise<void> {
    this.#goingDown = null;
    this.#world.breaches.push(...this.#lost(await this.#world.log(taskId)));
    const life = new Life();
    this.#world.life = life;
    this.#supervisor = this.#spawn(life);
    await this.#until(this.#supervisor.recover());
  }

  /** A client that hears nothing asks again, until the task is there. */
  async #submit(): Promise<void> {
    while ((await this.#world.store.row(taskId)) === null) {
      if (this.#world.life.isDead) await this.#boot();
      await this.#taken("SubmitTask", this.#supervisor.create(taskId, this.#scenario.brief));
      await this.#world.quiet();
    }
  }

  /** Nothing moves but time: the laws are looked at, then a person acts or time goes on. @returns whether all is over */
  async #rest(): Promise<boolean> {
    const { life, clock } = this.#world;
    const driver = await life.outcome(this.#supervisor.driver(taskId));
    if (driver === null) return false;
    this.#look(driver);
    const { task, held } = driver;
    if (isClosed(task) && effects(task).length === 0) return true;
    const request = held?.kind === "storage" ? null : this.#nextAct(task);
    if (request !== null) await this.#send(driver, request);
    else if (clock.nextWake !== null) await clock.advance(clock.nextWake - clock.now());
    else return this.#standsStill(driver);
    return false;
  }

  #standsStill({ task }: Driver): boolean {
    this.#world.breaches.push(`Nothing moves and nobody is asked: ${task.phase}, paused ${task.paused} (law 2)`);
    return true;
  }

  /** Laws 2 and 4, at rest. */
  #look({ task, held, inFlight }: Driver): void {
    const { breaches, life } = this.#world;
    const modes = new Map(effects(task).map(({ key, mode }) => [key, mode]));
    for (const [key, { stop }] of life.running) {
      const wrong = misrun({ mode: modes.get(key), stop, isPaused: task.paused === "yes" });
      if (wrong !== null) breaches.push(`${key} ${wrong} (law 4)`);
    }
    const slots = [...life.running.values()].filter(({ effect }) => holdsSlot(effect)).length;
    if (slots > task.brief.rules.max_parallel_subtasks) breaches.push(`${slots} subtasks run side by side`);
    const { awaiting } = viewOf(task, held);
    if (isClosed(task) || awaiting.length > 0 || life.running.size > 0) return;
    breaches.push(`${task.phase} with ${inFlight} in flight and nothing awaited (law 2)`);
  }

  /** What a person who is asked does next; null when nobody is. */
  #nextAct(task: Task): Request | null {
    const by = "person";
    const rows = pendingRows(task).filter(
      (row) => row.expiresAt === undefined || this.#world.luck(idOf(row), "ignores") >= 0.25,
    );
    const row = rows.toSorted((a, b) => this.#world.luck(idOf(a), "turn") - this.#world.luck(idOf(b), "turn"))[0];
    if (row !== undefined && "approval_id" in row) {
      return {
        type: "DecideApproval",
        subtaskId: row.subtask_id,
        approvalId: row.approval_id,
        by,
        ...this.#verdict(row),
      };
    }
    if (row !== undefined) {
      return {
        type: "AnswerQuestion",
        questionId: row.question_id,
        answer: { selected_option_ids: [], custom_response: "so" },
        by,
      };
    }
    return task.paused === "no" || this.#world.life.running.size > 0 ? null : { type: "ResumeTask", by };
  }

  #verdict({ approval_id: id, kind }: { readonly approval_id: string; readonly kind: string }): {
    approved: boolean;
    reason?: string;
  } {
    const { luck } = { luck: (what: string) => this.#world.luck(id, what) };
    const isLenient = this.#scenario.shape === "steady" && kind === "subtask";
    if (isLenient || luck("verdict") < 0.7) return { approved: true };
    return luck("reason") < 0.6 || this.#scenario.shape === "steady"
      ? { approved: false, reason: "not so" }
      : { approved: false };
  }

  /** Somebody does something out of turn, while everything is on its way. */
  #meddle(): void {
    const next = this.#scenario.meddling[this.#meddled];
    this.#sinceMeddling += 1;
    if (next === undefined || this.#sinceMeddling < next.after) return;
    this.#meddled += 1;
    this.#sinceMeddling = 0;
    const { life } = this.#world;
    queueMicrotask(() => {
      void life
        .outcome(this.#supervisor.driver(taskId))
        .then((driver) => driver && this.#send(driver, meddlings[next.what](driver.task)));
    });
  }

  async #send(driver: Driver, request: Request): Promise<void> {
    await this.#taken(request.type, driver.send(request));
  }

  async #taken(what: string, sent: ReturnType<Driver["send"]>): Promise<void> {
    try {
      const result = await this.#world.life.outcome(sent);
      if (result?.ok === true) this.#acknowledged.push({ seq: result.value.appliedSeq, events: result.value.events });
    } catch (error) {
      if (!(error instanceof LoomError)) this.#world.breaches.push(`${what} met a bug: ${String(error)}`);
    }
  }

  async #outcome(): Promise<Outcome> {
    const { breaches, store, blows } = this.#world;
    const log = await this.#world.log(taskId);
    breaches.push(...this.#lost(log), ...this.#bugs());
    const scopes = await store.scopes(taskId, "");
    const steps = (await Promise.all(scopes.map((scope) => store.steps(taskId, scope)))).flat();
    const { task } = await this.#supervisor.driver(taskId);
    return { task, log, steps, effects: this.#world.effects, blows, breaches };
  }

  /** Law 1: what was acknowledged stands in the log where it was said to. */
  #lost(log: readonly TaskEvent[]): string[] {
    return this.#acknowledged.flatMap(({ seq, events }) => {
      const types = log.slice(seq - events.length, seq).map(({ type }) => type);
      const promised = events.map(({ type }) => type);
      return types.join() === promised.join()
        ? []
        : [`Promised ${promised.join()} up to ${seq}, found ${types.join()} (law 1)`];
    });
  }

  /** Of all that is complained of, only what executors throw and the store refuses is part of the game. */
  #bugs(): string[] {
    return this.#complaints.filter((complaint) => !/^An (executor threw|append failed)/.test(complaint));
  }
}

interface Standing {
  /** Undefined where it is not wanted. */
  readonly mode: EffectMode | undefined;
  readonly stop: Stop;
  readonly isPaused: boolean;
}

/** What is wrong with an effect that runs, at rest; null when nothing is. */
function misrun({ mode, stop, isPaused }: Standing): string | null {
  if (mode === undefined) return stop.aborted.aborted ? null : "runs and is not wanted";
  if (stop.aborted.aborted) return "was stopped and is wanted";
  if (mode === "run") return null;
  if (isPaused) return "runs and the task is paused";
  return stop.yielding.aborted ? null : "was not asked to yield";
}
