/** The events of a model server's stream: whole however the stream is cut, and ended by what says so. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonEvents, type StreamedEvent } from "../../src/models/event-stream.ts";

async function* cut(text: string, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let left = Buffer.from(text);
  for (const size of sizes) {
    yield left.subarray(0, size);
    left = left.subarray(size);
  }
  yield left;
}

async function allOf<T>(events: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const event of events) all.push(event);
  return all;
}

async function read(text: string, sizes: readonly number[] = []): Promise<readonly StreamedEvent[]> {
  return await allOf(jsonEvents(cut(text, sizes)));
}

describe("a stream of events", () => {
  test("is the JSON of each, with its name where it has one, up to the one that says done", async () => {
    const text =
      ': hello\n\ndata: {"a":1}\r\n\r\nevent: error\ndata: {"b":\ndata: 2}\n\ndata: [DONE]\n\ndata: {"c":3}\n\n';
    expect(await read(text)).toEqual([
      { event: undefined, data: { a: 1 } },
      { event: "error", data: { b: 2 } },
    ]);
  });

  test("leaves out an event that has no end, and fails with one that is no JSON", async () => {
    expect(await read('data: {"a":1}\n\ndata: {"b":2}\n')).toEqual([{ event: undefined, data: { a: 1 } }]);
    await expect(read("data: {oh\n\n")).rejects.toThrow("The server sent an event that is no JSON");
  });

  test("is not kept for ever where a server ends no line", async () => {
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      const piece = Buffer.from(`data: ${"x".repeat(4 * 1024 * 1024)}`);
      for (let nth = 0; nth < 100; nth += 1) yield piece;
    };
    await expect(allOf(jsonEvents(endless()))).rejects.toThrow("an event of more than 16777216 characters");
  });

  test("is the same however it is cut, within a letter too", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(fc.string(), fc.string({ unit: "binary" }))),
        fc.array(fc.integer({ min: 0, max: 40 })),
        async (values, sizes) => {
          const text = values.map((value) => `data: ${JSON.stringify(value)}\n\n`).join("");
          expect((await read(text, sizes)).map(({ data }) => data)).toEqual(JSON.parse(JSON.stringify(values)));
        },
      ),
    );
  });
});
