/** Routes of a task as a whole: submit, list, view and wait, events. Translates; decides nothing. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { bothPolicies, type TaskPolicy } from "../domain/policy-rules.ts";
import type { TaskView } from "../domain/view.ts";
import { LoomError } from "../lib/errors.ts";
import type { Loom, Submission } from "../ports/loom.ts";
import { EventAnswer, ListAnswer, SubmittedAnswer, TaskAnswer } from "./answers.ts";
import { callerOf } from "./caller.ts";
import { etagOf, isUnchanged, preferredWait, readHeaders, termsOf, writeHeaders } from "./conditional.ts";
import { type App, answers, bodyProblems, type Door, givenUp, unhurried } from "./door.ts";
import { endOf, type Gap, gapAfter, gapText, isTerminal } from "./gaps.ts";
import { present } from "./present.ts";
import { EventsQuery, ListQuery, MetadataPolicy, NoQuery, SubmitBody, TaskPath, ViewQuery } from "./requests.ts";
import { eventText, taskRow } from "./wire.ts";

export function taskRoutes(app: App, door: Door): void {
  submitRoute(app, door);
  listRoute(app, door);
  viewRoute(app, door);
  eventsRoute(app, door);
}

function submitRoute(app: App, { loom }: Door): void {
  const schema = {
    summary: "Submit a task",
    tags: ["tasks"],
    headers: writeHeaders.pick({ "idempotency-key": true }),
    querystring: NoQuery,
    body: SubmitBody,
    response: answers({ 201: { description: "Taken; Location and ETag name it", schema: SubmittedAnswer } }, [
      ...bodyProblems,
      409,
      503,
    ]),
  };
  app.post("/tasks", { schema }, async (request, reply) => {
    const { idempotency } = termsOf(request);
    const { kind, task } = await loom.submit({
      ...submissionOf(request.body),
      ...submitterOf(request),
      ...present({ idempotency }),
    });
    if (kind === "replayed") reply.header("idempotency-replayed", "true");
    return reply.code(201).header("location", `/tasks/${task.taskId}`).header("etag", etagOf(task.appliedSeq)).send({
      task_id: task.taskId,
      status: "pending",
      message: "Task created and execution started.",
      run_id: task.runId,
      applied_seq: task.appliedSeq,
    });
  });
}

/** Whose task it is, how many of those may be open, and what they may spend in a day. */
function submitterOf(request: FastifyRequest): Pick<Submission, "submittedBy" | "openTasksMax" | "dailyBudget"> {
  const { name, tasksMax, tokensPerDay: tokens, microUsdPerDay: microUsd } = callerOf(request);
  return {
    submittedBy: name,
    ...(tasksMax === null ? {} : { openTasksMax: tasksMax }),
    ...(tokens === null && microUsd === null ? {} : { dailyBudget: present({ tokens, microUsd }) }),
  };
}

function submissionOf(body: SubmitBody): Omit<Submission, "submittedBy"> {
  refuseWhatIsMissing(body);
  const { goal, workspace, context, metadata, checks, budget, approvers } = body;
  return {
    goal,
    ...present({
      workspace,
      context,
      metadata,
      checks,
      approvers,
      budget: budget == null ? undefined : present(budget),
      approvalMode: body.approval_mode,
      callbackUrl: body.callback_url,
      callbackEvents: body.callback_events,
      approvePlan: body.approve_plan,
      approvalTimeoutSeconds: body.approval_timeout_seconds,
      policy: policyOf(body),
    }),
  };
}

function policyOf({ policy, metadata }: SubmitBody): TaskPolicy | undefined {
  return bothPolicies(policy ?? undefined, MetadataPolicy.parse(metadata?.["policy"]) ?? undefined);
}

/** What is accepted works; what is not built yet is refused, never ignored. @see DECISIONS 35 */
function refuseWhatIsMissing(body: SubmitBody): void {
  const asked = {
    process: body.process,
    auto_subfolder: body.auto_subfolder || null,
    result_schema: body.result_schema,
  };
  const names = Object.keys(present(asked));
  if (names.length === 0) return;
  throw new LoomError("not_available_yet", `Not available yet: ${names.join(", ")}.`, {
    hint: "Leave it out; the task then runs without it.",
    errors: names.map((name) => ({ pointer: `#/${name}`, detail: "is not available yet" })),
  });
}

function listRoute(app: App, { loom }: Door): void {
  const schema = {
    summary: "List tasks, newest first; the next page is in Link",
    tags: ["tasks"],
    querystring: ListQuery,
    response: answers({ 200: { description: "One page", schema: ListAnswer } }, [422]),
  };
  app.get("/tasks", { schema }, async ({ query }, reply) => {
    const { tasks, nextCursor } = await loom.list({
      limit: query.limit,
      ...present({ status: query.status, cursor: query.cursor }),
    });
    if (nextCursor !== null) {
      const next = new URLSearchParams({
        ...present({ status: query.status }),
        limit: String(query.limit),
        cursor: nextCursor,
      });
      reply.header("link", `</tasks?${next.toString()}>; rel="next"`);
    }
    return reply.send(tasks.map(taskRow));
  });
}

function viewRoute(app: App, door: Door): void {
  const schema = {
    summary: "One task; waits for its end when asked to",
    tags: ["tasks"],
    params: TaskPath,
    querystring: ViewQuery,
    headers: readHeaders.extend({
      prefer: z.string().optional().describe("`wait=30`: as `?wait=30`."),
    }),
    response: answers(
      { 200: { description: "The task as it is", schema: TaskAnswer }, 304: { description: "Nothing happened since" } },
      [404, 422],
    ),
  };
  app.get("/tasks/:id", { schema }, async (request, reply) => {
    const preferred = preferredWait(request.headers.prefer);
    const seconds = request.query.wait ?? preferred ?? 0;
    if (request.query.wait === undefined && preferred !== undefined)
      reply.header("preference-applied", `wait=${preferred}`);
    const view =
      seconds > 0
        ? await waited(door, { id: request.params.id, seconds, reply })
        : await door.loom.view(request.params.id);
    return sendView(request, reply, view);
  });
}

/** A server that goes down answers whoever still waits with the task as it is. */
async function waited(
  { loom, closing }: Door,
  { id, seconds, reply }: { readonly id: string; readonly seconds: number; readonly reply: FastifyReply },
): Promise<TaskView> {
  const signal = givenUp(reply, closing);
  try {
    return await loom.wait(id, { timeoutMs: seconds * 1000, signal });
  } catch (error) {
    if (!signal.aborted) throw error;
    return await loom.view(id);
  }
}

function sendView(request: FastifyRequest, reply: FastifyReply, view: TaskView): FastifyReply {
  const etag = etagOf(view.last_seq);
  reply.header("etag", etag);
  return isUnchanged(request.headers["if-none-match"], etag) ? reply.code(304).send() : reply.send(view);
}

function eventsRoute(app: App, { loom, closing }: Door): void {
  const schema = {
    summary: "Events of a task; waits for the next one when asked to",
    tags: ["events"],
    params: TaskPath,
    querystring: EventsQuery,
    response: answers(
      { 200: { description: "What the stream carries in data", schema: z.array(EventAnswer) } },
      [404, 422],
    ),
  };
  app.get("/tasks/:id/events", { schema }, async ({ params: { id }, query: { after, limit, wait } }, reply) => {
    const view = await loom.view(id);
    const gap = isTerminal(view) ? await gapAfter(loom, view, after) : null;
    if (gap !== null) return sendJson(reply, await beyondGap({ loom, view, gap, limit }));
    const signal = givenUp(reply, closing);
    const events = await loom.events(id, { after, limit, waitMs: wait * 1000, signal }).catch((error: unknown) => {
      if (signal.aborted) return [];
      throw error;
    });
    return sendJson(
      reply,
      events.map((event) => eventText(id, event)),
    );
  });
}

/** What there still is behind a gap, with the gap before it, as the stream tells it. */
async function beyondGap({
  loom,
  view,
  gap,
  limit,
}: {
  readonly loom: Loom;
  readonly view: TaskView;
  readonly gap: Gap;
  readonly limit: number;
}): Promise<readonly string[]> {
  const { task_id: id } = view;
  const end = gap.firstAvailable === null ? endOf(view) : null;
  const query = { after: gap.from, limit, waitMs: 0, signal: unhurried };
  const events = end === null ? await loom.events(id, query) : [end];
  return [gapText(id, gap), ...events.map((event) => eventText(id, event))];
}

function sendJson(reply: FastifyReply, texts: readonly string[]): FastifyReply {
  return reply.type("application/json; charset=utf-8").send(`[${texts.join(",")}]`);
}
