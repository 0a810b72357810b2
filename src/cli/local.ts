/** The service over an engine in this process. */
import { z } from "zod";
import type { TaskEvent } from "../domain/event.ts";
import type { FeedItem } from "../ports/feed.ts";
import type { Loom } from "../ports/loom.ts";
import { given, type Service } from "./service.ts";
import {
  ApprovalShown,
  HealthShown,
  ModelShown,
  QuestionShown,
  TaskShown,
  ToolShown,
  terminalEvents,
  type WireEvent,
} from "./wire.ts";

const by = "cli";
const listedMax = 20;
const probeMs = 60_000;

export function localService(loom: Loom & AsyncDisposable): Service {
  return {
    url: null,
    submit: async (order) => (await loom.submit({ ...order, submittedBy: by })).task.taskId,
    follow: (taskId, options) => follow(loom, taskId, options),
    view: async (taskId) => TaskShown.parse(await loom.view(taskId)),
    list: async () =>
      (await loom.list({ limit: listedMax })).tasks.map((row) => ({
        task_id: row.taskId,
        goal: row.goal,
        status: row.status,
        created_at: new Date(row.createdAt).toISOString(),
      })),
    cancel: async (taskId, reason) => (await loom.cancel(taskId, { by, ...given({ reason }) })).status,
    steer: async (taskId, instruction, mode) => void (await loom.steer(taskId, { instruction, mode, by })),
    change: async (taskId, change) => (await loom[change](taskId, { by })).status,
    approvals: async (taskId) =>
      z.array(ApprovalShown).parse(taskId === undefined ? await loom.pendingApprovals() : await loom.approvals(taskId)),
    approve: async (taskId, decision) => void (await loom.approve(taskId, { ...decision, by })),
    questions: async (taskId) => z.array(QuestionShown).parse(await loom.questions(taskId)),
    answer: async (taskId, { questionId, optionIds, text }) =>
      void (await loom.answer(taskId, {
        questionId,
        by,
        answer: { selected_option_ids: [...optionIds], custom_response: text },
      })),
    diff: (taskId) => loom.diff(taskId),
    undo: (taskId, request) => loom.undo(taskId, { ...request, by }),
    models: async (probe) =>
      z
        .array(ModelShown)
        .parse(probe === null ? loom.models() : await loom.probeModels(probe, AbortSignal.timeout(probeMs))),
    tools: async () => z.array(ToolShown).parse(loom.tools()),
    health: async () => HealthShown.parse(loom.health()),
    [Symbol.asyncDispose]: () => loom[Symbol.asyncDispose](),
  };
}

async function* follow(
  loom: Loom,
  taskId: string,
  { after, signal }: Parameters<Service["follow"]>[1],
): AsyncIterable<WireEvent> {
  for await (const item of loom.subscribe(taskId, { after, tokens: true, signal })) {
    yield wireOf(taskId, item);
    if (item.kind === "event" && terminalEvents.has(item.event.type)) return;
  }
}

function wireOf(taskId: string, item: FeedItem): WireEvent {
  if (item.kind === "event") return wireEvent(taskId, item.event);
  const { token, subtaskId, model } = item.token;
  return {
    event_type: "token_streamed",
    task_id: taskId,
    subtask_id: subtaskId,
    data: { token, subtask_id: subtaskId, model },
  };
}

function wireEvent(taskId: string, event: TaskEvent): WireEvent {
  const { type, seq, at, ...data } = event;
  const subtask = "subtask_id" in data && data.subtask_id !== undefined ? { subtask_id: data.subtask_id } : {};
  return { event_type: type, task_id: taskId, seq, timestamp: new Date(at).toISOString(), ...subtask, data };
}
