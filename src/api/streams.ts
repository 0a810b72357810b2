/**
 * Routes that stream: one task's events, its tokens, every task's events. A stream ends once a closed task has nothing more in
 * its log; a terminal event that a retry has overtaken ends nothing.
 */
import { z } from "zod";
import { type TaskEvent, terminalTypes } from "../domain/event.ts";
import type { TaskView } from "../domain/view.ts";
import { messageOf } from "../lib/errors.ts";
import type { FeedItem } from "../ports/feed.ts";
import { beyondTheLog, cursorOf, isSelected, type Selection, typesOf } from "./cursor.ts";
import { type App, answers, type Door, unhurried } from "./door.ts";
import { endOf, gapAfter, gapFrame, globalGapFrame, isTerminal } from "./gaps.ts";
import { GlobalStreamQuery, StreamQuery, TaskPath, TokensQuery } from "./requests.ts";
import type { EventStream } from "./sse.ts";
import { issueTicketRoute } from "./ticket-route.ts";
import { globalFrame, plainTokenFrame, streamedTokenFrame, taskFrame } from "./wire.ts";

const pageSize = 500;
const resumable = z.looseObject({ "last-event-id": z.string().optional().describe("Only events after this one.") });
const good = {
  200: { description: "Server-sent events", type: "text/event-stream" },
  204: { description: "The task is closed and nothing is left" },
};

export function streamRoutes(app: App, door: Door): void {
  taskStreamRoute(app, door);
  tokenStreamRoute(app, door);
  globalStreamRoute(app, door);
  issueTicketRoute(app, door);
}

function taskStreamRoute(app: App, door: Door): void {
  const schema = {
    summary: "Follow a task: each event once, in order, resumable",
    description: "`data` of each frame is a TaskEvent; `token_streamed` frames carry no id.",
    tags: ["events"],
    params: TaskPath,
    querystring: StreamQuery,
    headers: resumable,
    response: answers(good, [404, 422]),
  };
  app.get("/tasks/:id/stream", { schema }, async (request, reply) => {
    const { id } = request.params;
    const { types, subtask, tokens } = request.query;
    const selection = { types: typesOf(types), subtask };
    const after = cursorOf(request, { query: request.query, prefix: "" });
    const view = await door.loom.view(id);
    door.tickets.refuseAfterEnd(request, view);
    await refuseBeyond(door, { id, after, lastSeq: view.last_seq });
    const gap = isTerminal(view) ? await gapAfter(door.loom, view, after) : null;
    if (isTerminal(view) && gap === null && !(await hasMore(door, { view, after, selection })))
      return reply.code(204).send();
    if (request.method === "HEAD") return reply.type("text/event-stream; charset=utf-8").send();
    const stream = door.streams.open(reply);
    await follow(door, stream, async () => {
      if (gap !== null) await stream.write(gapFrame(id, gap));
      if (gap?.firstAvailable === null) await sendEnd(stream, view, selection);
      else await sendTask(door, stream, { view, after, tokens, selection });
    });
    return reply;
  });
}

function tokenStreamRoute(app: App, door: Door): void {
  const schema = {
    summary: "Model text as it comes, until the task ends",
    tags: ["events"],
    params: TaskPath,
    querystring: TokensQuery,
    response: answers(good, [404, 422]),
  };
  app.get("/tasks/:id/tokens", { schema }, async (request, reply) => {
    const view = await door.loom.view(request.params.id);
    door.tickets.refuseAfterEnd(request, view);
    if (isTerminal(view)) return reply.code(204).send();
    if (request.method === "HEAD") return reply.type("text/event-stream; charset=utf-8").send();
    const stream = door.streams.open(reply);
    await follow(door, stream, () => sendTokens(door, stream, { view, subtask: request.query.subtask }));
    return reply;
  });
}

function globalStreamRoute(app: App, door: Door): void {
  const schema = {
    summary: "Follow every task",
    tags: ["events"],
    querystring: GlobalStreamQuery,
    headers: resumable,
    response: answers({ 200: good[200] }, [422]),
  };
  app.get("/stream", { schema }, async (request, reply) => {
    const types = typesOf(request.query.types);
    const last = await door.loom.lastGlobal();
    const fresh = request.query.after === "now" && request.headers["last-event-id"] === undefined;
    const after = fresh ? last : cursorOf(request, { query: request.query, prefix: "g" });
    if (after > last) throw beyondTheLog(after, last);
    if (request.method === "HEAD") return reply.type("text/event-stream; charset=utf-8").send();
    const stream = door.streams.open(reply);
    await follow(door, stream, async () => {
      let place = after;
      for await (const item of door.loom.subscribeAll({ after, signal: stream.signal })) {
        // Numbers are given without holes; where one is, retention took a task. Told once: more holes lie behind the first.
        if (place > 0 && place === after && item.g > after + 1)
          await stream.write(globalGapFrame({ from: after, firstAvailable: item.g }));
        place = item.g;
        if (isSelected({ types }, item.event)) await stream.write(globalFrame(item));
      }
    });
    return reply;
  });
}

/** Whatever happens after the head was sent can only end the stream; the client comes back with the last id it has. */
async function follow({ log }: Door, stream: EventStream, send: () => Promise<void>): Promise<void> {
  try {
    await send();
  } catch (error) {
    if (!stream.signal.aborted) log.error({ error: messageOf(error) }, "A stream broke off");
  } finally {
    stream.end();
  }
}

/** Of a task whose log retention took, only its end is left to tell. */
async function sendEnd(stream: EventStream, view: TaskView, selection: Selection): Promise<void> {
  const event = endOf(view);
  if (event !== null && isSelected(selection, keysOf({ kind: "event", event })))
    await stream.write(taskFrame(view.task_id, event));
}

interface TaskSending {
  readonly view: TaskView;
  readonly after: number;
  readonly tokens: boolean;
  readonly selection: Selection;
}

async function sendTask(
  door: Door,
  stream: EventStream,
  { view, after, tokens, selection }: TaskSending,
): Promise<void> {
  const id = view.task_id;
  const end = new LogEnd(door, view);
  for await (const item of door.loom.subscribe(id, {
    after,
    tokens: tokens && wantsTokens(selection),
    signal: stream.signal,
  })) {
    // Hundreds of clients get the same events at one moment: what need not be waited for is not.
    if (isSelected(selection, keysOf(item))) {
      if (stream.isFull) await stream.write(frameOf(id, item));
      else stream.push(frameOf(id, item));
    }
    if (item.kind === "event" && end.mayBeAt(item.event) && (await end.isAt(item.event))) return;
  }
}

async function sendTokens(
  door: Door,
  stream: EventStream,
  { view, subtask }: { readonly view: TaskView; readonly subtask: string | undefined },
): Promise<void> {
  const end = new LogEnd(door, view);
  for await (const item of door.loom.subscribe(view.task_id, {
    after: view.last_seq,
    tokens: true,
    signal: stream.signal,
  })) {
    if (item.kind === "event") {
      if (await end.isAt(item.event)) return;
    } else if (subtask === undefined || subtask === item.token.subtaskId) {
      await stream.write(plainTokenFrame(item.token));
    }
  }
}

/** Knows where a task's log ends: nowhere while it is open. @see DECISIONS 29 */
class LogEnd {
  readonly #door: Door;
  readonly #taskId: string;
  #seq: number;

  constructor(door: Door, view: TaskView) {
    this.#door = door;
    this.#taskId = view.task_id;
    this.#seq = isTerminal(view) ? view.last_seq : Number.POSITIVE_INFINITY;
  }

  /** Without looking: of nearly all events it is clear that more follows. */
  mayBeAt({ seq, type }: TaskEvent): boolean {
    return terminalTypes.has(type) || seq >= this.#seq;
  }

  async isAt(event: TaskEvent): Promise<boolean> {
    if (this.#seq === Number.POSITIVE_INFINITY && terminalTypes.has(event.type))
      this.#seq = await this.#endAfter(event.seq);
    return event.seq >= this.#seq;
  }

  async #endAfter(terminalSeq: number): Promise<number> {
    const view = await this.#door.loom.view(this.#taskId);
    // A view that does not know this event yet cannot know of a retry after it either.
    if (view.last_seq <= terminalSeq) return terminalSeq;
    return isTerminal(view) ? view.last_seq : Number.POSITIVE_INFINITY;
  }
}

async function refuseBeyond(
  { loom }: Door,
  { id, after, lastSeq }: { readonly id: string; readonly after: number; readonly lastSeq: number },
): Promise<void> {
  if (after <= lastSeq) return;
  // The feed may be a moment ahead of the view: the log decides.
  const [seen] = await loom.events(id, { after: after - 1, limit: 1, waitMs: 0, signal: unhurried });
  if (seen === undefined) throw beyondTheLog(after, lastSeq);
}

async function hasMore(
  { loom }: Door,
  { view, after, selection }: { readonly view: TaskView; readonly after: number; readonly selection: Selection },
): Promise<boolean> {
  const { task_id: id, last_seq: lastSeq } = view;
  if (selection.types === undefined && selection.subtask === undefined) return after < lastSeq;
  for (let from = after; ; ) {
    const events = await loom.events(id, { after: from, limit: pageSize, waitMs: 0, signal: unhurried });
    if (events.some((event) => isSelected(selection, keysOf({ kind: "event", event })))) return true;
    const last = events.at(-1);
    if (last === undefined || events.length < pageSize) return false;
    from = last.seq;
  }
}

function wantsTokens({ types }: Selection): boolean {
  return types === undefined || types.has("token_streamed");
}

function keysOf(item: FeedItem): Parameters<typeof isSelected>[1] {
  if (item.kind === "token") return { type: "token_streamed", subtaskId: item.token.subtaskId };
  return { type: item.event.type, subtaskId: "subtask_id" in item.event ? item.event.subtask_id : undefined };
}

function frameOf(taskId: string, item: FeedItem): Buffer {
  return item.kind === "token" ? streamedTokenFrame(taskId, item.token) : taskFrame(taskId, item.event);
}
