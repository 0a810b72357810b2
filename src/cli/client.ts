/**
 * The service over HTTP. Says plainly when a server cannot be reached, hands on its refusals in its own words, and comes back
 * to a stream that broke off, at the event where it stood.
 */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { LoomError, messageOf } from "../lib/errors.ts";
import { isJsonObject, parseJson } from "../lib/json.ts";
import { ServerRefusal } from "./exit-codes.ts";
import { given, type Order, type Service } from "./service.ts";
import { framesOf } from "./sse.ts";
import {
  ApprovalShown,
  HealthShown,
  ModelShown,
  QuestionShown,
  Restored,
  TaskListed,
  TaskShown,
  ToolShown,
  terminalEvents,
  WireEvent,
} from "./wire.ts";

export interface Place {
  readonly url: string;
  readonly apiKey: string;
}

const answerMs = 30_000;
/** Probing asks model servers, each of which may take its time. */
const probeMs = 60_000;
/** A server sends a sign of life every 3 s. */
const silenceMs = 20_000;
const reconnectsMax = 20;
const reconnectMs = 500;

const Stated = z.looseObject({ task_status: z.string() });

export function remoteService(place: Place): Service {
  const api = new Api(place);
  const at = (taskId: string, rest = "") => `/tasks/${encodeURIComponent(taskId)}${rest}`;
  return {
    url: place.url,
    submit: async (order) => (await api.post("/tasks", bodyOf(order), z.looseObject({ task_id: z.string() }))).task_id,
    follow: (taskId, options) => follow(api, at(taskId, "/stream"), options),
    view: (taskId) => api.get(at(taskId), TaskShown),
    list: () => api.get("/tasks?limit=20", z.array(TaskListed)),
    cancel: async (taskId, reason) => (await api.post(at(taskId, "/cancel"), given({ reason }), Stated)).task_status,
    steer: async (taskId, instruction, mode) =>
      void (await api.post(at(taskId, "/steer"), { instruction, mode }, z.unknown())),
    change: async (taskId, change) => (await api.post(at(taskId, `/${change}`), {}, Stated)).task_status,
    approvals: (taskId) =>
      api.get(taskId === undefined ? "/approvals" : at(taskId, "/approvals"), z.array(ApprovalShown)),
    approve: async (taskId, { subtaskId, approved, reason, approvalId }) =>
      void (await api.post(
        at(taskId, "/approve"),
        { subtask_id: subtaskId, approved, ...given({ reason, approval_id: approvalId }) },
        z.unknown(),
      )),
    questions: (taskId) => api.get(at(taskId, "/questions"), z.array(QuestionShown)),
    answer: async (taskId, { questionId, optionIds, text }) =>
      void (await api.post(
        at(taskId, `/questions/${encodeURIComponent(questionId)}/answer`),
        { selected_option_ids: optionIds, custom_response: text },
        z.unknown(),
      )),
    diff: (taskId) => api.text(at(taskId, "/changes.diff")),
    undo: (taskId, request) => api.post(at(taskId, "/undo"), request, Restored),
    models: (probe) =>
      api.get(
        probe === null ? "/models" : `/models?probe=${probe === "again" ? "again" : "true"}`,
        z.array(ModelShown),
        probeMs,
      ),
    tools: () => api.get("/tools", z.array(ToolShown)),
    health: () => api.get("/health", HealthShown),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** @returns whether a Loom answers there; never throws */
export async function isThere(url: string, timeoutMs: number): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(timeoutMs), redirect: "error" });
    return HealthShown.safeParse(await response.json()).success;
  } catch {
    return false; // nobody there, or somebody else
  }
}

export function unreachable(url: string, cause?: unknown): LoomError {
  return new LoomError(
    "server_unreachable",
    `No Loom server answers at ${url}${cause === undefined ? "" : `: ${reasonOf(cause)}`}`,
    {
      hint: "Start one with `loom serve`, or say where it is with --server URL or LOOM_URL",
      cause,
    },
  );
}

function bodyOf({ goal, workspace, context, approvePlan, ...more }: Order) {
  const { approvalMode, approvalTimeoutSeconds, approvers, policy } = more;
  return {
    goal,
    workspace,
    context,
    ...given({ approval_mode: approvalMode, approval_timeout_seconds: approvalTimeoutSeconds, approvers, policy }),
    ...(approvePlan ? { approve_plan: true } : {}),
  };
}

class Api {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  get<T>(path: string, schema: z.ZodType<T>, timeoutMs = answerMs): Promise<T> {
    return this.#exchange(path, { method: "GET" }, { schema, timeoutMs });
  }

  text(path: string): Promise<string> {
    return this.#answer(path, { method: "GET" }, answerMs);
  }

  post<T>(path: string, body: unknown, schema: z.ZodType<T>): Promise<T> {
    const request = { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } };
    return this.#exchange(path, request, { schema, timeoutMs: answerMs });
  }

  /** @returns the answer, whose body has not been read; null for 204 */
  async open(
    path: string,
    options: { readonly signal: AbortSignal; readonly after: number },
  ): Promise<Response | null> {
    const headers = { accept: "text/event-stream", "last-event-id": String(options.after) };
    const response = await this.#send(path, { headers }, options.signal);
    if (response.status === 204) return null;
    if (!response.ok) throw refusalOf(response, await response.text());
    return response;
  }

  unreachable(cause: unknown): LoomError {
    return unreachable(this.#place.url, cause);
  }

  async #exchange<T>(
    path: string,
    request: RequestInit,
    { schema, timeoutMs }: { readonly schema: z.ZodType<T>; readonly timeoutMs: number },
  ): Promise<T> {
    const text = await this.#answer(path, request, timeoutMs);
    const parsed = schema.safeParse(parseJson(text));
    if (parsed.success) return parsed.data;
    throw new LoomError("server_unreachable", `${this.#place.url} answered ${path} in a form that is not Loom's`, {
      hint: "Is another program listening there, or a Loom of another version?",
      cause: parsed.error,
    });
  }

  async #answer(path: string, request: RequestInit, timeoutMs: number): Promise<string> {
    const response = await this.#send(path, request, AbortSignal.timeout(timeoutMs));
    const text = await response.text();
    if (!response.ok) throw refusalOf(response, text);
    return text;
  }

  async #send(path: string, request: RequestInit, signal: AbortSignal): Promise<Response> {
    const { url, apiKey } = this.#place;
    const key = apiKey === "" ? {} : { authorization: `Bearer ${apiKey}` };
    try {
      return await fetch(url + path, {
        ...request,
        headers: { ...key, ...(request.headers as Record<string, string> | undefined) },
        redirect: "error",
        signal,
      });
    } catch (error) {
      throw this.unreachable(error);
    }
  }
}

function refusalOf({ status }: Response, text: string): ServerRefusal {
  const problem = parseJson(text);
  if (!isJsonObject(problem))
    return new ServerRefusal({
      code: "refused",
      status,
      message: `The server answered ${status}: ${text.slice(0, 300)}`,
    });
  const member = (name: string) => (typeof problem[name] === "string" ? problem[name] : undefined);
  return new ServerRefusal({
    code: member("code") ?? "refused",
    status,
    message: member("detail") ?? member("title") ?? `The server answered ${status}`,
    hint: member("hint"),
  });
}

async function* follow(
  api: Api,
  path: string,
  { after, signal }: Parameters<Service["follow"]>[1],
): AsyncIterable<WireEvent> {
  let last = after;
  // The server says by a terminal event, or by having nothing left, that a task is at its end; a stream that just stops says nothing.
  const task = { isOver: false };
  for (let failures = 0; !task.isOver && !signal.aborted; failures += 1) {
    if (failures > 0) await delay(reconnectMs, undefined, { signal }).catch(() => undefined);
    try {
      for await (const event of connection(api, path, { after: last, signal, task })) {
        failures = 0;
        last = event.seq ?? last;
        yield event;
      }
    } catch (error) {
      if (isFinal(error, failures) && !signal.aborted && !task.isOver) throw error;
    }
  }
}

/** A server that goes down answers 503 or nothing; what it refuses otherwise it will refuse again. */
function isFinal(error: unknown, failures: number): boolean {
  return failures >= reconnectsMax || (error instanceof ServerRefusal && error.status !== 503);
}

async function* connection(
  api: Api,
  path: string,
  options: { readonly after: number; readonly signal: AbortSignal; readonly task: { isOver: boolean } },
): AsyncIterable<WireEvent> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(new Error(`${silenceMs} ms of silence`)), silenceMs);
  try {
    const response = await api.open(path, {
      after: options.after,
      signal: AbortSignal.any([options.signal, silence.signal]),
    });
    options.task.isOver = response === null;
    if (response === null || response.body === null) return;
    for await (const { data } of framesOf(alive(response.body, timer))) {
      const event = WireEvent.safeParse(parseJson(data));
      if (!event.success) continue;
      options.task.isOver ||= terminalEvents.has(event.data.event_type);
      yield event.data;
    }
  } catch (error) {
    throw error instanceof LoomError || error instanceof ServerRefusal ? error : api.unreachable(error);
  } finally {
    clearTimeout(timer);
  }
}

async function* alive(body: AsyncIterable<Uint8Array>, timer: NodeJS.Timeout): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    timer.refresh();
    yield chunk;
  }
}

/** `fetch failed` says nothing; what stands behind it does. */
function reasonOf(error: unknown): string {
  const inner = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (inner instanceof Error && "code" in inner && typeof inner.code === "string") return inner.code;
  return messageOf(inner);
}
