/** The readings of the handle: folded state as views, the log, the journal, the files; nothing here changes anything. */

import { netChanges } from "../domain/change.ts";
import { changeViews } from "../domain/change-view.ts";
import { changesOf, isClosed, type Task } from "../domain/task.ts";
import { approvalView, questionView, subtaskViews, type TaskView, viewOf } from "../domain/view.ts";
import { LoomError } from "../lib/errors.ts";
import type { EventStore } from "../ports/event-store.ts";
import type { Loom, TraceStep } from "../ports/loom.ts";
import type { Memory } from "../ports/memory.ts";
import type { Redaction } from "../ports/policy.ts";
import type { Changes, Workspaces } from "../ports/workspace.ts";
import { corruptView } from "./corrupt-view.ts";
import { deadlineIn } from "./deadline.ts";
import { type EventPorts, eventsAfter } from "./event-polling.ts";
import { remainsOf } from "./remains.ts";
import { driverOf, taskOf } from "./task-access.ts";

export interface ReadingPorts extends EventPorts {
  readonly memory: Memory;
  readonly workspaces: Workspaces;
  readonly changes: Changes;
  readonly redaction: Redaction;
}

type Readings = Pick<
  Loom,
  | "list"
  | "view"
  | "wait"
  | "events"
  | "approvals"
  | "pendingApprovals"
  | "questions"
  | "conversation"
  | "subtasks"
  | "trace"
  | "memory"
  | "searchMemory"
  | "changes"
  | "diff"
  | "file"
>;

const diffBytesMax = 2_000_000;
const fileBytesMax = 64 * 1024 * 1024;
const messagesMax = 50;

export function readingsOf(ports: ReadingPorts): Readings {
  const task = (taskId: string) => taskOf(ports, taskId);
  return {
    list: (query) => list(ports.store, query),
    view: (taskId) => view(ports, taskId),
    wait: (taskId, options) => waitClosed(ports, taskId, options),
    events: (taskId, query) => eventsAfter(ports, taskId, query),
    approvals: async (taskId) => approvalsOf(await task(taskId)),
    pendingApprovals: () => Promise.resolve(pendingApprovals(ports)),
    questions: async (taskId) => questionsOf(await task(taskId)),
    conversation: (taskId) => conversation(ports, taskId),
    subtasks: async (taskId) => subtaskViews(await task(taskId)),
    trace: (taskId, subtaskId) => trace(ports, taskId, subtaskId),
    memory: async (taskId, query) => {
      await task(taskId);
      return await ports.memory.list(taskId, query);
    },
    searchMemory: (query, options) => ports.memory.search(query, options),
    changes: async (taskId) => changeViews(await task(taskId)),
    diff: async (taskId) => ports.redaction.text(await ports.changes.diff(changesOf(await task(taskId)), diffBytesMax)),
    file: (taskId, path) => file(ports, taskId, path),
  };
}

async function list(
  store: EventStore,
  { limit, status, cursor }: Parameters<Loom["list"]>[0],
): ReturnType<Loom["list"]> {
  const rows = await store.rows({
    limit: limit + 1,
    ...(status === undefined ? {} : { status }),
    ...(cursor === undefined ? {} : { before: readCursor(cursor) }),
  });
  const tasks = rows.slice(0, limit);
  const last = tasks.at(-1);
  const hasMore = rows.length > limit && last !== undefined;
  return { tasks, nextCursor: hasMore ? `${last.createdAt}.${last.taskId}` : null };
}

function readCursor(cursor: string): { readonly createdAt: number; readonly taskId: string } {
  const [, createdAt, taskId] = /^(\d{1,16})\.(task_[0-9a-z]{1,60})$/.exec(cursor) ?? [];
  if (createdAt !== undefined && taskId !== undefined) return { createdAt: Number(createdAt), taskId };
  throw new LoomError("invalid_request", `"${cursor}" is not a cursor`, {
    hint: "Take the cursor from the Link header of the page before",
    errors: [{ pointer: "/cursor", detail: "not a cursor" }],
  });
}

async function view(ports: ReadingPorts, taskId: string): Promise<TaskView> {
  try {
    const { task, held } = await driverOf(ports, taskId);
    return viewOf(task, held);
  } catch (error) {
    const remains = await remainsOf(ports.store, taskId);
    if (remains !== null) return remains;
    const reason = ports.supervisor.quarantined.get(taskId);
    const row = reason === undefined ? null : await ports.store.row(taskId);
    if (reason === undefined || row === null) throw error;
    return corruptView(row, reason);
  }
}

async function waitClosed(
  ports: ReadingPorts,
  taskId: string,
  { timeoutMs, signal }: Parameters<Loom["wait"]>[1],
): Promise<TaskView> {
  const { supervisor, clock, store } = ports;
  const remains = await remainsOf(store, taskId);
  if (remains !== null) return remains;
  using deadline = deadlineIn(clock, timeoutMs, signal);
  while (!deadline.signal.aborted && !supervisor.draining && !supervisor.quarantined.has(taskId)) {
    const changed = supervisor.nextChange(taskId, deadline.signal);
    if (isClosed(await taskOf(ports, taskId))) break;
    await changed;
  }
  return await view(ports, taskId);
}

function approvalsOf(task: Task): ReturnType<typeof approvalView>[] {
  return [...task.approvals.values()].map((approval) => approvalView(task, approval));
}

function questionsOf(task: Task): ReturnType<typeof questionView>[] {
  return [...task.questions.values()].map((question) => questionView(task, question));
}

function pendingApprovals({ supervisor }: ReadingPorts): ReturnType<typeof approvalView>[] {
  const rows = supervisor
    .openDrivers()
    .flatMap(({ task }) => [...task.approvals.values()].map((row) => ({ task, row })));
  return rows
    .filter(({ row }) => row.status === "pending")
    .sort((a, b) => a.row.requestedAt - b.row.requestedAt)
    .map(({ task, row }) => approvalView(task, row));
}

/** What people said, oldest first; the latest of it where it is very much. */
async function conversation(ports: ReadingPorts, taskId: string): ReturnType<Loom["conversation"]> {
  await taskOf(ports, taskId);
  const rows = await ports.memory.list(taskId, { entryType: "user_instruction", limit: messagesMax });
  return rows.toReversed().map(({ seq, tags, detail, summary, at }) => ({
    id: seq,
    role: "user",
    kind: tags[0] ?? "message",
    message: detail === "" ? summary : detail,
    timestamp: new Date(at).toISOString(),
  }));
}

async function trace(ports: ReadingPorts, taskId: string, subtaskId: string): ReturnType<Loom["trace"]> {
  const subtask = (await taskOf(ports, taskId)).subtasks.get(subtaskId);
  if (subtask === undefined) {
    const hint = "GET /tasks/{id}/subtasks lists them";
    throw new LoomError("not_found", `Task ${taskId} has no subtask "${subtaskId}"`, { hint });
  }
  const steps: TraceStep[] = [];
  const { attempt, verdict } = subtask;
  const extracting = `extract:${subtaskId}`;
  for (const scope of await scopesOf(ports.store, taskId, subtaskId)) {
    if (scope === extracting && verdict !== null)
      steps.push({ scope: `verify:${subtaskId}:${attempt}`, step: "verdict", started: {}, ended: verdict });
    for (const { step, started, ended } of await ports.store.steps(taskId, scope)) {
      steps.push({ scope, step, started, ended: ended?.result ?? null });
    }
  }
  return ports.redaction.value(steps);
}

async function scopesOf(store: EventStore, taskId: string, subtaskId: string): Promise<string[]> {
  const attempts = [`work:${subtaskId}:`, `verify:${subtaskId}:`];
  const found = await Promise.all(attempts.map((prefix) => store.scopes(taskId, prefix)));
  return [...found.flat(), `extract:${subtaskId}`];
}

async function file(ports: ReadingPorts, taskId: string, path: string): ReturnType<Loom["file"]> {
  const task = await taskOf(ports, taskId);
  const workspace = await ports.workspaces.open(task.brief.workspace);
  const resolved = await workspace.resolve(path);
  const standing = netChanges(changesOf(task)).find((change) => change.path === resolved);
  if (standing === undefined || standing.after.kind === "absent") {
    const hint = "GET /tasks/{id}/changes lists the files";
    throw new LoomError("not_found", `Task ${taskId} did not create or change "${path}"`, { hint });
  }
  return { path: resolved, bytes: await workspace.read(resolved, fileBytesMax) };
}
