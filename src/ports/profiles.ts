/** What was found out about models, kept across restarts: one small JSON object for each server and model. */
import type { JsonObject } from "../lib/json.ts";

export interface Profiles {
  /** As it was last kept; null when nothing is known. Read at once: it is asked for when Loom opens. @throws LoomError storage_failed */
  find(key: string): JsonObject | null;
  /** In place of what was kept. @throws LoomError storage_full, storage_failed */
  keep(key: string, profile: JsonObject): Promise<void>;
}
