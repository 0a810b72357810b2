/**
 * The simulated life of a task: executors with any luck, people with any mind, crashes at any point. It plays the driver's
 * part by the driver's rules (what is wanted runs, what is not stops) and holds every step of it to the laws.
 */
import { expect } from "vitest";
import { awaitingOf } from "../../src/domain/awaiting.ts";
import { decide } from "../../src/domain/decide.ts";
import { wallBudget } from "../../src/domain/effect.ts";
import { effects, pendingRows } from "../../src/domain/effects.ts";
import { type Event, eventSchema, type TaskEvent } from "../../src/domain/event.ts";
import { created, evolve } from "../../src/domain/evolve.ts";
import type { Report } from "../../src/domain/report.ts";
import type { Request } from "../../src/domain/request.ts";
import { settle } from "../../src/domain/settle.ts";
import { isClosed, type Task } from "../../src/domain/task.ts";
import { viewOf } from "../../src/domain/view.ts";
import { epoch, taskId } from "../support/given.ts";
import { frozen } from "./frozen.ts";
import { anyBrief, anyReport, type Keyed, type Luck } from "./luck.ts";

export class Life {
  readonly log: TaskEvent[];
  readonly #luck: Luck;
  readonly #running = new Set<string>();
  /** Keys of work that came to an end: the same key must not be wanted again. */
  readonly #over = new Set<string>();
  readonly #attempts = new Map<string, number>();
  #task: Task;
  #now = epoch;
  #told = 0;

  constructor(luck: Luck) {
    this.#luck = luck;
    const first = { type: "task_created", ...anyBrief(luck), seq: 1, at: epoch } as const;
    this.log = [first];
    this.#task = frozen(created(taskId, first));
  }

  get task(): Task {
    return this.#task;
  }

  /** Something happens: mostly an executor gets on, now and then a person or a crash comes in between. */
  step(): void {
    this.#now += this.#luck.draw(5) * 1000;
    if (this.#luck.oneIn(5)) this.#request(this.#anyRequest());
    else if (this.#luck.oneIn(20)) this.#crash();
    else this.getOn();
  }

  /** One wanted effect starts, says something, ends, or has its time come. @returns whether there was one */
  getOn(): boolean {
    const possible = effects(this.#task).filter(({ key, mode }) => mode === "run" || this.#running.has(key));
    const timely = possible.filter((effect) => effect.kind !== "wait" || effect.what !== wallBudget);
    const wanted = timely.length === 0 || this.#luck.oneIn(40) ? possible : timely;
    const effect = wanted[this.#luck.draw(Math.max(wanted.length, 1))];
    if (effect === undefined) return false;
    const { key } = effect;
    if (effect.kind === "wait") {
      this.#now = Math.max(this.#now, effect.until);
      this.#report({ type: "TimeReached", key });
    } else if (!this.#running.has(key)) {
      this.#running.add(key);
      this.#report({ type: "Started", key });
    } else if (effect.mode === "yield" && this.#luck.oneIn(2)) this.#end({ type: "Yielded", key });
    else {
      this.#told += 1;
      const { ends, report } = anyReport(this.#luck, effect, this.#told);
      if (ends) this.#end(report);
      else this.#report(report);
    }
    return true;
  }

  /** People do what is asked of them: they resume, answer, and agree. @returns whether anything was */
  attend(): boolean {
    const [row] = pendingRows(this.#task);
    if (this.#task.paused !== "no") this.#request({ type: "ResumeTask", by: "ada" });
    else if (row === undefined) return false;
    else if ("question_id" in row) this.#request(answerTo(row.question_id));
    else
      this.#request({
        type: "DecideApproval",
        subtaskId: row.subtask_id,
        approvalId: row.approval_id,
        approved: true,
        by: "ada",
      });
    return true;
  }

  #anyRequest(): Request {
    const by = "ada";
    const rows = pendingRows(this.#task);
    const row = rows[this.#luck.draw(Math.max(rows.length, 1))];
    if (row !== undefined && this.#luck.oneIn(2)) {
      if ("question_id" in row) return answerTo(row.question_id);
      const approved = this.#luck.oneIn(2);
      const reason = this.#luck.oneIn(2) ? { reason: "not so" } : {};
      return {
        type: "DecideApproval",
        subtaskId: row.subtask_id,
        approvalId: row.approval_id,
        approved,
        by,
        ...reason,
      };
    }
    return this.#luck.pick<Request>([
      { type: "PauseTask", by },
      { type: "ResumeTask", by },
      { type: "ResumeTask", by },
      {
        type: "SteerTask",
        instruction: "use tabs",
        mode: this.#luck.pick(["next_boundary", "queue", "interrupt"]),
        by,
      },
      { type: "SendMessage", message: "hello", by },
      { type: "UndoChanges", scope: "task", by },
      { type: "UndoChanges", scope: "subtask", id: "a", by },
      { type: "DecideApproval", subtaskId: this.#luck.pick(["a", "b", "plan"]), approved: this.#luck.oneIn(2), by },
      { type: "GiveFeedback", rating: 3, by },
      this.#luck.oneIn(4) ? { type: "CancelTask", by } : { type: "RetryTask", by },
    ]);
  }

  #crash(): void {
    this.#running.clear();
    this.#report({ type: "Recovered", stepsInFlight: [...this.#task.stepsInFlight] });
  }

  #end(report: Keyed): void {
    this.#running.delete(report.key);
    this.#report(report);
    if (endsForGood(report)) this.#over.add(report.key);
    this.#holdToLaws();
  }

  #report(report: Report): void {
    this.#say(settle(this.#task, frozen(report), { now: this.#now, inFlight: this.#running.size }));
  }

  #request(request: Request): void {
    const answer = decide(this.#task, frozen(request), { now: this.#now, inFlight: this.#running.size });
    if (answer.ok) this.#say(answer.value, request.type === "RetryTask");
  }

  #say(events: readonly Event[], mayReopen = false): void {
    if (isClosed(this.#task) && !mayReopen) for (const { type } of events) expect(type).toMatch(afterTheEnd);
    for (const event of events) {
      const { type, ...facts } = event;
      expect(eventSchema(type).safeParse(facts).error?.issues ?? []).toEqual([]);
      const stamped: TaskEvent = { ...event, seq: this.#task.lastSeq + 1, at: this.#now };
      if (event.type === "subtask_started") this.#begins(event.subtask_id, event.attempt);
      this.#task = frozen(evolve(this.#task, stamped));
      this.log.push(stamped);
    }
    const keys = new Set(effects(this.#task).map(({ key }) => key));
    for (const key of this.#running) if (!keys.has(key)) this.#running.delete(key);
    this.#holdToLaws();
  }

  /** Nothing of a plan begins before it has the yes it needs, and attempts of an id are numbered on and on. */
  #begins(id: string, attempt: number): void {
    expect(this.#task.planApproval).toBeNull();
    expect(attempt).toBeGreaterThan(this.#attempts.get(id) ?? 0);
    this.#attempts.set(id, attempt);
  }

  #holdToLaws(): void {
    const task = this.#task;
    const wanted = effects(task);
    const awaited = awaitingOf(task);
    // Whoever holds a path is at work, or awaits something else: nobody waits for each other.
    const isAtRest = wanted.every(({ kind }) => kind === "wait") && awaited.every(({ kind }) => kind === "lease");
    const forLease = [...task.subtasks.values()].filter(
      ({ status }) => status.kind === "parked" && status.on === "lease",
    );
    const stillRun = wanted.filter(({ kind, mode }) => mode === "run" && !["undo", "revert", "wait"].includes(kind));
    expect({
      standsStill: isAtRest && !isClosed(task),
      wantedTwice: wanted.length - new Set(wanted.map(({ key }) => key)).size,
      wantedAgain: wanted.filter(({ key }) => this.#over.has(key)),
      runWhilePaused: task.paused === "no" ? [] : stillRun,
      waitForNobody: forLease.length - awaited.filter(({ kind }) => kind === "lease").length,
      holdAfterTheEnd: isClosed(task) && task.leases !== null,
      pausedUnseen: task.paused !== "no" && !awaited.some(({ kind }) => kind === "resume"),
      gap: this.log.length - viewOf(task).last_seq,
    }).toEqual({
      standsStill: false,
      wantedTwice: 0,
      wantedAgain: [],
      runWhilePaused: [],
      waitForNobody: 0,
      holdAfterTheEnd: false,
      pausedUnseen: false,
      gap: 0,
    });
  }
}

const afterTheEnd = /^(files_changed|model_invocation|undo_\w+|feedback_received)$/;

/** A model that is down, and what was cut, may have the same effect again; other endings are final for their key. */
function endsForGood({ key, type }: Keyed): boolean {
  if (type === "Yielded" || key.startsWith("answer:")) return false;
  return type !== "ModelDown" || key.startsWith("work:");
}

function answerTo(questionId: string): Request {
  return {
    type: "AnswerQuestion",
    questionId,
    answer: { selected_option_ids: ["low"], custom_response: "" },
    by: "ada",
  };
}
