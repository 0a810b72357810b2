/** The way from an id that a client sent to the task it names, to ask it something or to send it a request. */

import { TaskId } from "../domain/ids.ts";
import type { Request } from "../domain/request.ts";
import type { Task } from "../domain/task.ts";
import { LoomError, refused } from "../lib/errors.ts";
import type { Json } from "../lib/json.ts";
import type { IdempotencyRow } from "../ports/event-store.ts";
import type { Terms } from "../ports/loom.ts";
import type { Clock } from "../ports/runtime.ts";
import type { Idempotency, Outcome } from "./batch.ts";
import type { Driver } from "./driver.ts";
import { type Key, type Repeats, sameRequest } from "./repeats.ts";
import type { Supervisor } from "./supervisor.ts";

export interface AccessPorts {
  readonly supervisor: Supervisor;
}

export interface SendPorts extends AccessPorts {
  readonly repeats: Repeats;
  readonly clock: Clock;
}

/** @throws LoomError not_found, log_corrupt */
export async function driverOf({ supervisor }: AccessPorts, taskId: string): Promise<Driver> {
  if (!TaskId.safeParse(taskId).success) {
    throw new LoomError("not_found", `There is no task "${taskId}"`, { hint: "GET /tasks lists the tasks" });
  }
  return await supervisor.driver(taskId);
}

export async function taskOf(ports: AccessPorts, taskId: string): Promise<Task> {
  return (await driverOf(ports, taskId)).task;
}

export interface Order<T extends object> extends Terms {
  readonly taskId: string;
  readonly request: Request;
  /** What to answer, from what the request led to; with a key, kept in JSON for whoever sends it again. */
  readonly answerOf: (outcome: Outcome) => T;
}

/** @throws LoomError the refusal, when there is one */
export async function send<T extends object>(
  ports: SendPorts,
  order: Order<T>,
): Promise<T & { readonly replayed?: true }> {
  const { taskId, idempotency } = order;
  // A row under this key was written by this very function for the same kind of request: its body is such an answer.
  const again = ({ body }: IdempotencyRow) => ({ ...(body as unknown as T), replayed: true as const });
  const first = async () => await sendFirst(ports, await driverOf(ports, taskId), { order, again });
  return await ports.repeats.once<T & { readonly replayed?: true }>(idempotency, { first, again });
}

async function sendFirst<T extends object>(
  { clock }: SendPorts,
  driver: Driver,
  { order, again }: { readonly order: Order<T>; readonly again: (row: IdempotencyRow) => T },
): Promise<T> {
  const { request, idempotency, ifSeq, answerOf } = order;
  const row = idempotency === undefined ? undefined : rowUnder(idempotency, { answerOf, createdAt: clock.now() });
  const result = await driver.send(request, row, ifSeq);
  if (!result.ok) throw refused(result.error);
  const { events, duplicate, task = driver.task } = result.value;
  if (duplicate !== undefined && idempotency !== undefined) return again(sameRequest(duplicate, idempotency));
  return answerOf({ task, events });
}

function rowUnder<T extends object>(
  { key, fingerprint }: Key,
  { answerOf, createdAt }: { readonly answerOf: (outcome: Outcome) => T; readonly createdAt: number },
): Idempotency {
  return (_taskId, outcome) => ({
    key,
    fingerprint,
    status: 200,
    body: JSON.parse(JSON.stringify(answerOf(outcome))) as Json,
    createdAt,
  });
}
