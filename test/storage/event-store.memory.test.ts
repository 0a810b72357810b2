/** The in-memory adapter under the contracts of its ports. */
import { describe, expect, test } from "vitest";
import { createMemoryEventStore } from "../../src/storage/event-store.memory.ts";
import { batch, blob, key, notes, startedAt } from "../contracts/batches.ts";
import { eventStoreContract } from "../contracts/event-store.ts";
import { eventStoreListsContract } from "../contracts/event-store-lists.ts";
import { ledgerContract } from "../contracts/ledger.ts";
import { memoryContract } from "../contracts/memory.ts";
import type { OpenedStorage } from "../contracts/opened-storage.ts";
import { outboxContract } from "../contracts/outbox.ts";

function openMemory(): OpenedStorage {
  let now = startedAt;
  return {
    storage: createMemoryEventStore({ clock: { now: () => now } }),
    setNow: (next) => {
      now = next;
    },
    [Symbol.dispose]: () => undefined,
  };
}

describe("memory", () => {
  eventStoreContract(openMemory);
  ledgerContract(openMemory);
  eventStoreListsContract(openMemory);
  outboxContract(openMemory);
  memoryContract(openMemory);

  test("without a clock keeps keys for ever", async () => {
    const store = createMemoryEventStore();
    await store.append(batch({ taskId: "task_a", events: notes(1), idempotency: key("k", { createdAt: 1 }) }));
    expect(await store.idempotency("k")).not.toBeNull();
  });

  test("is not changed by a caller that goes on with what it handed over", async () => {
    const store = createMemoryEventStore();
    const kept = blob("abc");
    const done = store.append(batch({ taskId: "task_a", blobs: [kept] }));
    kept.bytes.fill(0);
    await done;
    expect(await store.get(kept.digest)).toEqual(blob("abc").bytes);
  });
});
