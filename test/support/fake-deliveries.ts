/** What a fake Loom answers of webhooks. */
import { LoomError } from "../../src/lib/errors.ts";
import type { DeliveryView, Loom } from "../../src/ports/loom.ts";

export function pageOfSent(
  all: readonly DeliveryView[],
  { taskId, status, limit, cursor }: Parameters<Loom["deliveries"]>[0],
): Awaited<ReturnType<Loom["deliveries"]>> {
  const from = cursor === undefined ? 0 : all.findIndex(({ delivery_id }) => delivery_id === cursor) + 1;
  const found = all
    .slice(from)
    .filter((sent) => (taskId ?? sent.task_id) === sent.task_id && (status ?? sent.status) === sent.status);
  const page = found.slice(0, limit);
  return { deliveries: page, nextCursor: found.length > limit ? (page.at(-1)?.delivery_id ?? null) : null };
}

/** @param isKnown whether it counts as asked for before */
export function sentAgain(
  all: readonly DeliveryView[],
  deliveryId: string,
  isKnown: boolean,
): Awaited<ReturnType<Loom["redeliver"]>> {
  const found = all.find(({ delivery_id }) => delivery_id === deliveryId);
  if (found === undefined) throw new LoomError("not_found", `No delivery "${deliveryId}"`);
  const delivery: DeliveryView = { ...found, status: "pending" };
  return { delivery, appliedSeq: 1, ...(isKnown ? { replayed: true } : {}) };
}
