/** The SQLite adapter under the contracts of its ports. */
import { describe } from "vitest";
import { eventStoreContract } from "../contracts/event-store.ts";
import { eventStoreListsContract } from "../contracts/event-store-lists.ts";
import { ledgerContract } from "../contracts/ledger.ts";
import { memoryContract } from "../contracts/memory.ts";
import { outboxContract } from "../contracts/outbox.ts";
import { openTemporaryStorage, openThreadedStorage } from "./temporary.ts";

describe("SQLite", () => {
  eventStoreContract(openTemporaryStorage);
  ledgerContract(openTemporaryStorage);
  eventStoreListsContract(openTemporaryStorage);
  outboxContract(openTemporaryStorage);
  memoryContract(openTemporaryStorage);
});

describe("SQLite, written by a thread of its own", () => {
  eventStoreContract(openThreadedStorage);
  ledgerContract(openThreadedStorage);
  outboxContract(openThreadedStorage);
});
