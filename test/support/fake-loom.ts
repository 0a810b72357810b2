/**
 * A Loom in memory, without models or drivers: it keeps a log for each task, folds what the API shows from it, refuses what a
 * real one refuses, and lets a test append what executors would. Long because the port is wide and each member is answered.
 */

import type { ChangeView } from "../../src/domain/change-view.ts";
import type { Event, TaskEvent, UndoOutcome } from "../../src/domain/event.ts";
import { runIdOf, TaskId } from "../../src/domain/ids.ts";
import type { ApprovalView, QuestionView, SubtaskView, TaskView } from "../../src/domain/view.ts";
import { LoomError } from "../../src/lib/errors.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import type { GlobalEvent } from "../../src/ports/event-store.ts";
import type { FeedItem, Token } from "../../src/ports/feed.ts";
import type {
  Applied,
  DeliveryView,
  Health,
  Loom,
  Submission,
  Submitted,
  Terms,
  ToolView,
  TraceStep,
} from "../../src/ports/loom.ts";
import type { MemoryRow } from "../../src/ports/memory.ts";
import type { ModelInfo } from "../../src/ports/model.ts";
import { pageOfSent, sentAgain } from "./fake-deliveries.ts";
import { model, tool } from "./fake-equipment.ts";
import { FakeLog } from "./fake-log.ts";
import { applied, created, type FakeTask, isClosed, iso, newTask, rowOf, viewOf, wrongState } from "./fake-task.ts";

export class FakeLoom implements Loom {
  /** What /health says; a test may change it. */
  current: Health = { status: "ok", version: "1.2.3", ready: true, problems: [] };
  /** Thrown by the next call that writes or reads a task, once. */
  failure: Error | null = null;
  /** What looking at a task waits for. */
  hold: Promise<void> | null = null;
  /** What every look shows, when it is not the latest: a view may lag behind the log. */
  shown: TaskView | null = null;
  /** How many looks have begun. */
  held = 0;
  /** Requests as they came, latest last: `[member, arguments…]`. */
  readonly calls: unknown[][] = [];
  readonly log = new FakeLog();
  /** Webhooks, the latest first. */
  sent: readonly DeliveryView[] = [];
  /** How many events of a task's log are gone. */
  readonly taken = new Map<string, number>();

  readonly #tasks = new Map<string, FakeTask>();
  readonly #keys = new Map<string, { readonly fingerprint: string; readonly task: Submitted }>();

  readonly #applied = new Map<string, { readonly fingerprint: string; readonly answer: Applied }>();

  /** Retention took the log of a task, all of it or its beginning. */
  takeLog(taskId: string, upTo = Number.POSITIVE_INFINITY): void {
    const { events } = this.#task(taskId);
    this.taken.set(taskId, Math.min(upTo, events.length));
  }

  /** Appends what a driver would have; everyone who waits hears of it. */
  append(taskId: string, ...events: readonly Event[]): readonly TaskEvent[] {
    return this.log.append(this.#task(taskId), events);
  }

  token(taskId: string, token: Token): void {
    this.log.tell(taskId, token);
  }

  putFile(taskId: string, path: string, bytes: Uint8Array): void {
    this.#task(taskId).files.set(path, bytes);
  }

  async submit(submission: Submission): ReturnType<Loom["submit"]> {
    this.#heard("submit", submission);
    const { idempotency, workspace } = submission;
    const known = idempotency === undefined ? undefined : this.#keys.get(idempotency.key);
    if (known !== undefined && known.fingerprint === idempotency?.fingerprint)
      return { kind: "replayed", task: known.task };
    if (known !== undefined) throw new LoomError("idempotency_conflict", "The key was used with another body");
    if (workspace?.startsWith("/missing") === true)
      throw new LoomError("workspace_unusable", `No folder "${workspace}"`, { hint: "Create it" });
    const id = TaskId.parse(`task_${(this.#tasks.size + 1).toString(36).padStart(8, "0")}`);
    this.#tasks.set(id, newTask(id, submission));
    this.append(id, created(submission));
    const task = { taskId: id, runId: runIdOf(id), appliedSeq: 1 };
    if (idempotency !== undefined) this.#keys.set(idempotency.key, { fingerprint: idempotency.fingerprint, task });
    return { kind: "created", task };
  }

  async list({ status, limit, cursor }: Parameters<Loom["list"]>[0]): ReturnType<Loom["list"]> {
    this.#heard("list");
    const newest = [...this.#tasks.values()].reverse().filter((task) => status === undefined || task.status === status);
    const from = cursor === undefined ? 0 : newest.findIndex(({ id }) => id === cursor) + 1;
    if (cursor !== undefined && from === 0) throw new LoomError("invalid_request", `"${cursor}" is not a cursor`);
    const page = newest.slice(from, from + limit);
    return { tasks: page.map(rowOf), nextCursor: newest.length > from + limit ? (page.at(-1)?.id ?? null) : null };
  }

  async view(taskId: string): Promise<TaskView> {
    this.held += 1;
    await this.hold;
    return this.shown ?? viewOf(this.#asked(taskId));
  }

  async wait(
    taskId: string,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<TaskView> {
    const task = this.#asked(taskId, "wait", taskId);
    const over = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    while (!isClosed(task) && !over.aborted) await this.log.news(over);
    signal.throwIfAborted();
    return viewOf(task);
  }

  async events(
    taskId: string,
    { after, limit, waitMs, signal }: Parameters<Loom["events"]>[1],
  ): Promise<readonly TaskEvent[]> {
    const task = this.#asked(taskId, "events", taskId);
    const over = AbortSignal.any([signal, AbortSignal.timeout(waitMs)]);
    while (task.events.length <= after && waitMs > 0 && !over.aborted) await this.log.news(over);
    signal.throwIfAborted();
    const from = Math.max(after, this.taken.get(taskId) ?? 0);
    return task.events.slice(from, from + limit);
  }

  subscribe(taskId: string, options: Parameters<Loom["subscribe"]>[1]): AsyncIterable<FeedItem> {
    const after = Math.max(options.after, this.taken.get(taskId) ?? 0);
    return this.log.follow(this.#asked(taskId), { ...options, after });
  }

  subscribeAll(options: Parameters<Loom["subscribeAll"]>[0]): AsyncIterable<GlobalEvent> {
    return this.log.followAll(options);
  }

  async lastGlobal(): Promise<number> {
    return this.log.all.length;
  }

  async cancel(taskId: string, { idempotency, ifSeq, ...request }: Parameters<Loom["cancel"]>[1]): Promise<Applied> {
    const task = this.#asked(taskId, "cancel", request);
    const known = this.#repeated(task, { idempotency, ifSeq });
    if (known !== null) return known;
    if (!isClosed(task)) {
      this.append(
        taskId,
        { type: "task_cancel_requested", requested_by: request.by },
        { type: "task_cancelled", completed: 0, total: 0, reason: request.reason ?? "" },
      );
    }
    return this.#keep(idempotency, applied(task));
  }

  async steer(taskId: string, { instruction, mode, by, ...terms }: Parameters<Loom["steer"]>[1]): Promise<Applied> {
    const event = { instruction, instruction_chars: instruction.length, mode, source: by };
    return this.#write(taskId, "steer", { type: "steer_instruction", ...event }, terms);
  }

  async message(taskId: string, { message, by, ...terms }: Parameters<Loom["message"]>[1]): Promise<Applied> {
    const event = { role: "user", message, source: by } as const;
    return this.#write(taskId, "send a message to", { type: "conversation_message", ...event }, terms);
  }

  async pause(taskId: string, terms: Parameters<Loom["pause"]>[1]): Promise<Applied> {
    return this.#write(taskId, "pause", { type: "task_paused", reason: "asked" }, terms);
  }

  async resume(taskId: string, { by, ...terms }: Parameters<Loom["resume"]>[1]): Promise<Applied> {
    return this.#write(taskId, "resume", { type: "task_resumed", requested_by: by, reopened: false }, terms);
  }

  async retry(taskId: string, { by }: { readonly by: string }): Promise<Applied> {
    const task = this.#asked(taskId, "retry", by);
    if (task.status !== "failed" && task.status !== "cancelled") throw wrongState("retry", task);
    this.append(taskId, { type: "task_resumed", requested_by: by, reopened: true });
    return applied(task);
  }

  async approve(taskId: string, request: Parameters<Loom["approve"]>[1]): ReturnType<Loom["approve"]> {
    const task = this.#asked(taskId, "approve", request);
    const found = task.approvals.find(
      (approval) =>
        approval.subtask_id === request.subtaskId &&
        (request.approvalId ?? approval.approval_id) === approval.approval_id,
    );
    if (found === undefined) throw new LoomError("not_found", `No approval of "${request.subtaskId}"`);
    const wanted = request.approved ? "approved" : "rejected";
    if (found.status === wanted) return { ...applied(task), resolvedPending: false };
    if (found.status !== "pending") throw new LoomError("approval_decided", `It was ${found.status}`);
    const { subtaskId: subtask_id, approved, by, reason } = request;
    this.append(taskId, {
      type: "approval_received",
      subtask_id,
      approval_id: found.approval_id,
      approved,
      by,
      ...(reason === undefined ? {} : { reason }),
    });
    return { ...applied(task), resolvedPending: true };
  }

  async approvals(taskId: string): Promise<readonly ApprovalView[]> {
    return this.#asked(taskId).approvals;
  }

  async pendingApprovals(): Promise<readonly ApprovalView[]> {
    return [...this.#tasks.values()].flatMap(({ approvals }) => approvals.filter(({ status }) => status === "pending"));
  }

  async questions(taskId: string): Promise<readonly QuestionView[]> {
    return this.#asked(taskId).questions;
  }

  async answer(taskId: string, { questionId, answer, by }: Parameters<Loom["answer"]>[1]): ReturnType<Loom["answer"]> {
    const task = this.#asked(taskId, "answer", answer);
    const pending = task.questions.find(({ question_id }) => question_id === questionId);
    if (pending === undefined) throw new LoomError("not_found", `No question "${questionId}"`);
    this.append(taskId, {
      type: "ask_user_answered",
      subtask_id: pending.subtask_id,
      question_id: questionId,
      answer,
      by,
    });
    const question = task.questions.find(({ question_id }) => question_id === questionId) ?? pending;
    return { ...applied(task), question };
  }

  async feedback(
    taskId: string,
    { rating, comment, subtaskId, by }: Parameters<Loom["feedback"]>[1],
  ): Promise<Applied> {
    const task = this.#asked(taskId, "feedback", { rating, comment, subtaskId });
    const facts = {
      ...(rating === undefined ? {} : { rating }),
      ...(comment === undefined ? {} : { comment }),
      ...(subtaskId === undefined ? {} : { subtask_id: subtaskId }),
    };
    this.append(taskId, { type: "feedback_received", source: by, ...facts });
    return applied(task);
  }

  async conversation(taskId: string): ReturnType<Loom["conversation"]> {
    return this.#asked(taskId).events.flatMap((event) =>
      event.type === "conversation_message"
        ? [{ id: event.seq, role: event.role, kind: "message", message: event.message, timestamp: iso(event.at) }]
        : [],
    );
  }

  async subtasks(taskId: string): Promise<readonly SubtaskView[]> {
    return this.#asked(taskId).subtasks;
  }

  async trace(taskId: string, subtaskId: string): Promise<readonly TraceStep[]> {
    this.#asked(taskId);
    return [{ scope: `${subtaskId}:1`, step: "turn:1", started: { messages: 2 }, ended: { text: "done" } }];
  }

  async memory(taskId: string, { entryType, limit }: Parameters<Loom["memory"]>[1]): Promise<readonly MemoryRow[]> {
    const rows = this.#tasks.get(taskId)?.memory ?? [];
    return rows.filter((row) => entryType === undefined || row.entryType === entryType).slice(0, limit);
  }

  async searchMemory(
    query: string,
    { taskId, limit }: Parameters<Loom["searchMemory"]>[1],
  ): Promise<readonly MemoryRow[]> {
    const rows = [...this.#tasks.values()].flatMap((task) =>
      taskId === undefined || task.id === taskId ? task.memory : [],
    );
    return rows.filter((row) => row.summary.includes(query)).slice(0, limit);
  }

  async changes(taskId: string): Promise<readonly ChangeView[]> {
    return this.#asked(taskId).changes;
  }

  async diff(taskId: string): Promise<string> {
    return this.#asked(taskId)
      .changes.map(({ path }) => `--- a/${path}\n+++ b/${path}\n`)
      .join("");
  }

  async undo(
    taskId: string,
    { scope, preview, by }: Parameters<Loom["undo"]>[1],
  ): Promise<UndoOutcome & { readonly appliedSeq: number }> {
    const task = this.#asked(taskId, "undo", { scope, preview });
    const restored = task.changes.map(({ path }) => path);
    if (!preview) this.append(taskId, { type: "undo_requested", k: 1, scope, requested_by: by });
    return { restored, conflicts: [], skipped: [], appliedSeq: task.events.length };
  }

  async file(taskId: string, path: string): ReturnType<Loom["file"]> {
    const task = this.#asked(taskId, "file", path);
    if (path.split("/").includes("..")) throw new LoomError("path_refused", `"${path}" leaves the workspace`);
    const bytes = task.files.get(path);
    if (bytes === undefined) throw new LoomError("not_found", `No file "${path}"`);
    return { path, bytes };
  }

  async deliveries(query: Parameters<Loom["deliveries"]>[0]): ReturnType<Loom["deliveries"]> {
    this.#heard("deliveries");
    return pageOfSent(this.sent, query);
  }

  async redeliver(deliveryId: string, terms?: Parameters<Loom["redeliver"]>[1]): ReturnType<Loom["redeliver"]> {
    this.#heard("redeliver", deliveryId, terms?.idempotency);
    return sentAgain(this.sent, deliveryId, terms?.idempotency !== undefined);
  }

  models(): readonly ModelInfo[] {
    return [model];
  }

  readonly probes: string[] = [];

  async probeModels(depth: "first" | "again"): Promise<readonly ModelInfo[]> {
    this.probes.push(depth);
    return [{ ...model, health: "up" }];
  }

  tools(): readonly ToolView[] {
    return [tool];
  }

  health(): Health {
    return this.current;
  }

  config(): JsonObject {
    return { server: { host: "127.0.0.1", port: 9000 } };
  }

  #heard(...call: unknown[]): void {
    if (call.length > 0) this.calls.push(call);
    const { failure } = this;
    this.failure = null;
    if (failure !== null) throw failure;
  }

  #asked(taskId: string, ...call: unknown[]): FakeTask {
    this.#heard(...call);
    return this.#task(taskId);
  }

  #task(taskId: string): FakeTask {
    const task = this.#tasks.get(taskId);
    if (task === undefined) throw new LoomError("not_found", `No task "${taskId}"`, { hint: "GET /tasks lists them" });
    return task;
  }

  #write(taskId: string, verb: string, event: Event, terms: Terms = {}): Applied {
    const task = this.#asked(taskId, verb, event);
    const known = this.#repeated(task, terms);
    if (known !== null) return known;
    if (isClosed(task)) throw wrongState(verb, task);
    this.append(taskId, event);
    return this.#keep(terms.idempotency, applied(task));
  }

  #repeated(
    task: FakeTask,
    { idempotency, ifSeq }: { readonly [K in keyof Terms]: Terms[K] | undefined },
  ): Applied | null {
    const known = idempotency === undefined ? undefined : this.#applied.get(idempotency.key);
    if (known !== undefined && known.fingerprint !== idempotency?.fingerprint)
      throw new LoomError("idempotency_conflict", "The key was used with another body");
    if (known !== undefined) return { ...known.answer, replayed: true };
    if (ifSeq === undefined || ifSeq.includes(task.events.length)) return null;
    throw new LoomError("precondition_failed", "The task has changed");
  }

  #keep(key: Terms["idempotency"], answer: Applied): Applied {
    if (key !== undefined) this.#applied.set(key.key, { fingerprint: key.fingerprint, answer });
    return answer;
  }
}
