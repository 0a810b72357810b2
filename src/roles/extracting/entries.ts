/** What an extractor's reply is read as: entries for the memory, as far as what it was shown bears them out. */

import { MemoryType } from "../../domain/event.ts";
import type { MemoryEntry } from "../../domain/report.ts";
import { isJsonObject, type JsonObject } from "../../lib/json.ts";
import { within } from "../excerpt.ts";
import { objectSchema, textSchema } from "../prompts.ts";
import { firstText, type JsonReader, listIn, textOf, textsOf } from "../reading.ts";
import { borneOut } from "./borne-out.ts";

const types = ["decision", "error", "tool_result", "discovery", "artifact", "context"] as const;
const entriesMax = 8;
const tagsMax = 4;

/** A reply that a grammar holds to this is 2 000 tokens at most: models that loop fill whatever room there is. */
export function entriesSchema(idsToCome: readonly string[]): JsonObject {
  const entry = {
    type: { type: "string", enum: types },
    summary: textSchema(200),
    detail: textSchema(400),
    tags: { type: "array", items: textSchema(24), maxItems: tagsMax },
  };
  const ids = { type: "array", items: { type: "string", enum: idsToCome }, maxItems: idsToCome.length };
  const items = objectSchema(idsToCome.length === 0 ? entry : { ...entry, relevance_to: ids });
  return objectSchema({ entries: { type: "array", maxItems: entriesMax, items } });
}

interface Known {
  readonly reader: JsonReader;
  readonly ids: ReadonlySet<string>;
  /** What the extractor was shown. */
  readonly material: string;
}

/** @returns entries that say something which was seen, each once; of an unknown type they are discoveries; null when there is no JSON */
export function readEntries(text: string, known: Known): MemoryEntry[] | null {
  const found = known.reader.readJson(text);
  const list =
    found === null ? null : listIn(found.value, ["entries", "memories", "items"], (member) => "summary" in member);
  if (list === null) return null;
  const entries = new Map<string, MemoryEntry>();
  for (const raw of list.slice(0, entriesMax)) {
    const entry = isJsonObject(raw) ? borneOut(entryOf(raw, known.ids), known.material) : null;
    if (entry !== null && !entries.has(entry.summary.toLowerCase())) entries.set(entry.summary.toLowerCase(), entry);
  }
  return [...entries.values()];
}

function entryOf(raw: JsonObject, ids: ReadonlySet<string>): MemoryEntry {
  const type = MemoryType.exclude(["user_instruction"]).safeParse(
    textOf(raw["type"] ?? raw["entry_type"]).toLowerCase(),
  );
  return {
    entry_type: type.success ? type.data : "discovery",
    summary: within(firstText(raw, ["summary", "title"]), 500),
    detail: within(firstText(raw, ["detail", "details", "description"]), 2000),
    tags: textsOf(raw["tags"] ?? [])
      .slice(0, tagsMax)
      .map((tag) => within(tag, 60)),
    relevance_to: textsOf(raw["relevance_to"] ?? [])
      .filter((id) => ids.has(id))
      .slice(0, 20),
  };
}
