/** Where a stream goes on, and what of it is wanted: `Last-Event-ID`, `?after=`, `?last_event_id=`, `?types=`, `?subtask=`. */
import type { FastifyRequest } from "fastify";
import { type EventType, eventTypes } from "../domain/event.ts";
import { LoomError } from "../lib/errors.ts";

const known: ReadonlySet<string> = new Set([...eventTypes, "token_streamed", "stream_gap"]);

export interface CursorQuery {
  readonly after?: string | undefined;
  readonly last_event_id?: string | undefined;
}

/**
 * The header wins over the query: a browser that reconnects repeats the URL it began with and says in the header how far it came.
 *
 * @param prefix what ids of this stream begin with; may be left out in the query
 * @returns the last event that the client has, 0 when it has none
 * @throws LoomError invalid_request
 */
export function cursorOf(
  request: FastifyRequest,
  { query, prefix }: { readonly query: CursorQuery; readonly prefix: "" | "g" },
): number {
  const header = request.headers["last-event-id"];
  const given: readonly (readonly [string, string | undefined])[] = [
    ["#/headers/last-event-id", typeof header === "string" && header !== "" ? header : undefined],
    ["#/query/last_event_id", query.last_event_id],
    ["#/query/after", query.after],
  ];
  const [pointer, text] = given.find(([, value]) => value !== undefined) ?? ["", undefined];
  if (text === undefined) return 0;
  const digits = new RegExp(`^(?:${prefix})?(?<digits>\\d{1,15})$`).exec(text)?.groups?.["digits"];
  if (digits === undefined) throw badCursor(pointer, `"${text}" is not the id of an event`);
  return Number(digits);
}

export function beyondTheLog(after: number, last: number): LoomError {
  return badCursor("#/query/after", `${after} is beyond the last event, ${last}`);
}

/** Which events, of which subtask; undefined for all. */
export interface Selection {
  readonly types?: ReadonlySet<string> | undefined;
  readonly subtask?: string | undefined;
}

export function isSelected(
  selection: Selection,
  item: { readonly type: EventType | "token_streamed"; readonly subtaskId?: string | undefined },
): boolean {
  if (selection.types !== undefined && !selection.types.has(item.type)) return false;
  return selection.subtask === undefined || selection.subtask === item.subtaskId;
}

/** @throws LoomError invalid_request, naming the first unknown type */
export function typesOf(list: string | undefined): ReadonlySet<string> | undefined {
  if (list === undefined) return undefined;
  const types = list.split(",").map((name) => name.trim());
  const odd = types.find((name) => !known.has(name));
  if (odd === undefined) return new Set(types);
  throw new LoomError("invalid_request", `"${odd}" is not a type of event.`, {
    hint: `Types are ${[...known].join(", ")}.`,
    errors: [{ pointer: "#/query/types", detail: `"${odd}" is not a type of event` }],
  });
}

function badCursor(pointer: string, detail: string): LoomError {
  return new LoomError("invalid_request", `Cannot go on from there: ${detail}.`, {
    hint: "Use the id of an event that you got from this stream, or leave it out to begin at the start.",
    errors: [{ pointer, detail }],
  });
}
