/** Webhooks as a person looks at them: what was sent for which task, how that went, and sending it again. */
import { LoomError } from "../lib/errors.ts";
import type { Json } from "../lib/json.ts";
import type { EventStore, IdempotencyRow } from "../ports/event-store.ts";
import type { DeliveryView, Loom } from "../ports/loom.ts";
import type { Delivery, Outbox } from "../ports/outbox.ts";
import type { Redaction } from "../ports/policy.ts";
import type { Clock } from "../ports/runtime.ts";
import type { Key, Repeats } from "./repeats.ts";

export interface DeliveryPorts {
  readonly outbox: Outbox;
  readonly store: EventStore;
  readonly redaction: Redaction;
  readonly clock: Clock;
  readonly repeats: Repeats;
}

export function deliveriesOf(ports: DeliveryPorts): Pick<Loom, "deliveries" | "redeliver"> {
  return {
    deliveries: (query) => list(ports, query),
    redeliver: (deliveryId, terms) => redeliver(ports, deliveryId, terms?.idempotency),
  };
}

async function list(
  { outbox, redaction }: DeliveryPorts,
  { limit, cursor, taskId, status }: Parameters<Loom["deliveries"]>[0],
): ReturnType<Loom["deliveries"]> {
  if (cursor !== undefined && (await outbox.delivery(cursor)) === null) throw noCursor(cursor);
  const found = await outbox.deliveries({
    limit: limit + 1,
    ...(cursor === undefined ? {} : { before: cursor }),
    ...(taskId === undefined ? {} : { taskId }),
    ...(status === undefined ? {} : { status }),
  });
  const page = found.slice(0, limit);
  const last = found.length > limit ? page.at(-1) : undefined;
  return { deliveries: redaction.value(page.map(viewOf)), nextCursor: last?.deliveryId ?? null };
}

interface Redelivery {
  readonly delivery: DeliveryView;
  readonly appliedSeq: number;
  readonly replayed?: true;
}

async function redeliver(ports: DeliveryPorts, deliveryId: string, key: Key | undefined): Promise<Redelivery> {
  // A row under this key was written below and nowhere else: its body is such an answer.
  const again = ({ body }: IdempotencyRow) => ({ ...(body as unknown as Redelivery), replayed: true as const });
  return await ports.repeats.once<Redelivery>(key, { first: () => redeliverNow(ports, deliveryId, key), again });
}

async function redeliverNow(
  { outbox, store, redaction, clock }: DeliveryPorts,
  deliveryId: string,
  key: Key | undefined,
): Promise<Redelivery> {
  const found = await outbox.delivery(deliveryId);
  if (found === null) {
    const hint = "GET /webhooks/deliveries lists those there are";
    throw new LoomError("not_found", `No delivery "${deliveryId}"`, { hint });
  }
  const now = clock.now();
  const appliedSeq = (await store.row(found.taskId))?.lastSeq ?? 0;
  const delivery = redaction.value(viewOf({ ...found, status: "pending", dueAt: now }));
  const answer = { delivery, appliedSeq };
  const body = JSON.parse(JSON.stringify(answer)) as Json;
  await outbox.redeliver(
    deliveryId,
    now,
    key === undefined ? undefined : { ...key, status: 202, body, createdAt: now },
  );
  return answer;
}

function viewOf(delivery: Delivery): DeliveryView {
  const { status, attempts, history } = delivery;
  return {
    delivery_id: delivery.deliveryId,
    task_id: delivery.taskId,
    url: delivery.url,
    type: delivery.type,
    status,
    attempts,
    history: history.map(({ at, statusCode, error }) => ({ at: timeOf(at), status_code: statusCode, error })),
    last_error: delivery.lastError,
    created_at: timeOf(delivery.createdAt),
    next_attempt_at: status === "pending" ? timeOf(delivery.dueAt) : null,
  };
}

function timeOf(at: number): string {
  return new Date(at).toISOString();
}

function noCursor(cursor: string): LoomError {
  return new LoomError("invalid_request", `"${cursor}" is not a cursor`, {
    hint: "Take the cursor from the Link header of the page before",
    errors: [{ pointer: "#/query/cursor", detail: "not a cursor" }],
  });
}
