/** The JSON of a stream of server-sent events. The SDK's own reading of one is a sixth of what a call costs. */
import { StringDecoder } from "node:string_decoder";
import { createParser } from "eventsource-parser";
import { parseJson } from "../lib/json.ts";
import { StreamFailure } from "./failures.ts";

/** Of one event, in characters; no reply is as long. */
const eventMax = 16 * 1024 * 1024;

export interface StreamedEvent {
  /** As the server names it; absent for most. */
  readonly event: string | undefined;
  readonly data: unknown;
}

/**
 * @param body pieces of UTF-8, cut anywhere. Who leaves before the end, or an event that is no JSON, cancels it
 * @returns the events up to the one that says `[DONE]`, or to the end of the body
 * @throws StreamFailure for an event that is no JSON or longer than 16 Mi characters; what the body throws
 */
export async function* jsonEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<StreamedEvent, void, undefined> {
  const waiting: { readonly event: string | undefined; readonly data: string }[] = [];
  const parser = createParser({
    maxBufferSize: eventMax,
    onEvent: ({ event, data }) => void waiting.push({ event, data }),
    onError: (error) => {
      if (error.type === "max-buffer-size-exceeded")
        throw new StreamFailure(`The server sent an event of more than ${eventMax} characters`, { retry: false });
    },
  });
  const decoder = new StringDecoder("utf8");
  for await (const piece of body) {
    parser.feed(decoder.write(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)));
    for (const { event, data } of waiting.splice(0)) {
      if (data === "[DONE]") return;
      const value = parseJson(data);
      if (value === undefined) throw new StreamFailure("The server sent an event that is no JSON", { retry: true });
      yield { event, data: value };
    }
  }
}
