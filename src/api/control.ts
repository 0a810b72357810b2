/** Routes that turn a running task another way: cancel, steer, pause, resume, retry, undo. Both spellings of the guide and its kin. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { TaskStatus } from "../domain/view.ts";
import { LoomError } from "../lib/errors.ts";
import type { Applied, Cancelled } from "../ports/loom.ts";
import { DoneAnswer, StateAnswer, UndoAnswer } from "./answers.ts";
import { byOf, callerOf } from "./caller.ts";
import { markApplied, termsOf, writeHeaders } from "./conditional.ts";
import { type App, answers, bodyProblems, type Door } from "./door.ts";
import { present } from "./present.ts";
import { CancelBody, CancelQuery, EmptyBody, NoQuery, SteerBody, TaskPath, UndoBody } from "./requests.ts";

const changing = [...bodyProblems, 404, 409, 412, 503];

export function controlRoutes(app: App, door: Door): void {
  cancelRoutes(app, door);
  steerRoutes(app, door);
  stateRoutes(app, door);
  undoRoute(app, door);
}

function cancelRoutes(app: App, { loom }: Door): void {
  const schema = {
    summary: "Cancel a task; what is closed already stays as it is",
    tags: ["control"],
    params: TaskPath,
    querystring: CancelQuery,
    headers: writeHeaders,
    body: CancelBody,
    response: answers(
      { 200: { description: "Cancelled, or closed already; nothing of it runs any more", schema: StateAnswer } },
      changing,
    ),
  };
  app.route({
    method: "POST",
    url: "/tasks/:id/cancel",
    schema: { ...schema, querystring: NoQuery },
    handler: async (request, reply) => {
      const { id } = request.params;
      const asked = { by: byOf(request), ...present(request.body ?? {}), ...termsOf(request) };
      const applied = await loom.cancel(id, asked);
      return sendState(reply, applied, (status) => cancelled(id, status) + lingering(applied));
    },
  });
  app.route({
    method: "DELETE",
    url: "/tasks/:id",
    schema,
    handler: async (request, reply) => {
      const { id } = request.params;
      if (request.query.purge)
        throw new LoomError("not_available_yet", "Not available yet: erasing a task.", {
          hint: "Without ?purge=true it is cancelled.",
        });
      const asked = { by: byOf(request), ...present(request.body ?? {}), ...termsOf(request) };
      const applied = await loom.cancel(id, asked);
      return sendState(reply, applied, (status) => cancelled(id, status) + lingering(applied));
    },
  });
}

function steerRoutes(app: App, { loom }: Door): void {
  const schema = {
    summary: "Give a running task an instruction",
    tags: ["control"],
    params: TaskPath,
    querystring: NoQuery,
    headers: writeHeaders,
    body: SteerBody,
    response: answers({ 200: { description: "Taken; steer_applied tells who read it", schema: DoneAnswer } }, changing),
  };
  for (const [method, url] of [
    ["POST", "/tasks/:id/steer"],
    ["PATCH", "/tasks/:id"],
  ] as const) {
    app.route({
      method,
      url,
      schema,
      handler: async (request, reply) => {
        const { instruction, mode } = request.body;
        const applied = await loom.steer(request.params.id, {
          instruction,
          mode,
          by: byOf(request),
          ...termsOf(request),
        });
        markApplied(reply, applied);
        return reply.send({ status: "ok", message: "Instruction injected.", applied_seq: applied.appliedSeq });
      },
    });
  }
}

function stateRoutes(app: App, { loom }: Door): void {
  const changes = [
    { name: "pause", summary: "Stop at the next step boundary", message: pausing },
    { name: "resume", summary: "Go on with a paused task", message: (id: string) => `Task ${id} resumed.` },
    {
      name: "retry",
      summary: "Go on with a failed or cancelled task; finished work is kept",
      message: (id: string) => `Task ${id} goes on.`,
    },
  ] as const;
  for (const { name, summary, message } of changes) {
    const schema = {
      summary,
      tags: ["control"],
      params: TaskPath,
      querystring: NoQuery,
      headers: writeHeaders,
      body: EmptyBody,
      response: answers({ 200: { description: "Taken", schema: StateAnswer } }, changing),
    };
    app.post(`/tasks/:id/${name}`, { schema }, async (request, reply) => {
      const { id } = request.params;
      return sendState(reply, await loom[name](id, { ...askedBy(name, request), ...termsOf(request) }), (status) =>
        message(id, status),
      );
    });
  }
}

/** A task that goes on is open again, and counts as one. */
function askedBy(
  change: "pause" | "resume" | "retry",
  request: FastifyRequest,
): { readonly by: string; readonly openTasksMax?: number } {
  const { name, tasksMax } = callerOf(request);
  return { by: name, ...(change === "retry" && tasksMax !== null ? { openTasksMax: tasksMax } : {}) };
}

function undoRoute(app: App, { loom }: Door): void {
  const schema = {
    summary: "Put files back: one change, a subtask's, or all",
    tags: ["changes"],
    params: TaskPath,
    querystring: NoQuery,
    headers: writeHeaders,
    body: UndoBody,
    response: answers({ 200: { description: "What was put back, and what was not", schema: UndoAnswer } }, changing),
  };
  app.post("/tasks/:id/undo", { schema }, async (request, reply) => {
    const { scope, preview, id } = request.body;
    const undone = await loom.undo(request.params.id, {
      scope,
      preview,
      by: byOf(request),
      ...present({ id }),
      ...termsOf(request),
    });
    markApplied(reply, undone);
    const { restored, conflicts, skipped, merged, appliedSeq } = undone;
    return reply.send({ restored, conflicts, skipped, ...present({ merged }), applied_seq: appliedSeq });
  });
}

/** What runs ends at its next step boundary, and only then is the task paused. */
function pausing(id: string, status: TaskStatus): string {
  return status === "paused" ? `Task ${id} paused.` : `Task ${id} pauses as soon as its running steps have ended.`;
}

function cancelled(id: string, status: TaskStatus): string {
  if (status === "cancelled") return `Task ${id} cancelled.`;
  if (status === "completed" || status === "failed") return `Task already ${status}.`;
  return `Task ${id} is being cancelled.`;
}

/** Said only where the kernel does not let go of a process, as on a network drive that is away. */
function lingering({ lingers }: Cancelled): string {
  return lingers === true ? " Something that it ran was killed and has not ended yet." : "";
}

function sendState(reply: FastifyReply, applied: Applied, message: (status: TaskStatus) => string): FastifyReply {
  markApplied(reply, applied);
  const { appliedSeq, status } = applied;
  return reply.send({ status: "ok", message: message(status), task_status: status, applied_seq: appliedSeq });
}
