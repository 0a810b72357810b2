/** Reads server-sent events from a body: frames of id, event and data. @see https://html.spec.whatwg.org/multipage/server-sent-events.html */

export interface Frame {
  readonly id: string | undefined;
  readonly data: string;
}

/** Yields each frame that has data; comments and frames without data are signs of life only. */
export async function* framesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Frame> {
  const decoder = new TextDecoder();
  let rest = "";
  let frame = empty();
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line !== "") take(frame, line);
      else if (frame.data.length > 0) {
        yield { id: frame.id, data: frame.data.join("\n") };
        frame = empty();
      } else frame = empty();
    }
  }
}

interface Draft {
  id: string | undefined;
  readonly data: string[];
}

function empty(): Draft {
  return { id: undefined, data: [] };
}

function take(frame: Draft, line: string): void {
  const colon = line.indexOf(":");
  const field = colon === -1 ? line : line.slice(0, colon);
  const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
  if (field === "data") frame.data.push(value);
  else if (field === "id") frame.id = value;
}
