/**
 * Server-sent events over one HTTP response: the head, frames with backpressure, and one heartbeat for all streams. Knows no
 * events. Frames of one turn of the event loop go out together, and no more is held than that: a writer waits until its client
 * has taken what was sent, and is simply further behind.
 */

import type { ServerResponse } from "node:http";
import { setImmediate } from "node:timers";
import type { FastifyReply, FastifyRequest } from "fastify";

/** How long a browser waits before it connects again. */
const retryMs = 2000;
/** One for all: making an error, with its stack, costs more than all the rest of a client's going. */
const hungUp = new Error("The client is gone");
const heartbeat = Buffer.from(": hb\n\n");
/** What is written in one turn goes out at once when it is more than this. */
const heldBytesMax = 64 * 1024;

const head = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
  connection: "keep-alive",
} as const;

export class EventStream {
  readonly #response: ServerResponse;
  readonly #gone = new AbortController();
  #held: Buffer[] = [];
  #heldBytes = 0;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.once("close", () => this.#gone.abort(hungUp));
    // Writing to a client that has just left is its news, not our failure; "close" follows.
    response.on("error", () => this.#gone.abort(hungUp));
    if (response.destroyed) this.#gone.abort(hungUp);
  }

  /** Fires when the client is gone or the stream was ended. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  open(headers: ReturnType<FastifyReply["getHeaders"]>): void {
    for (const [name, value] of Object.entries({ ...headers, ...head })) {
      if (value !== undefined) this.#response.setHeader(name, value);
    }
    this.#response.writeHead(200);
    this.#response.write(`retry: ${retryMs}\n\n`);
  }

  /** @returns when more can be written: at once, or once the client has taken what was sent, or is gone */
  async write(frame: Buffer | string): Promise<void> {
    this.push(frame);
    if (this.isFull) await this.#drained();
  }

  /** More than its client takes was written: who goes on writes to memory. */
  get isFull(): boolean {
    return !this.signal.aborted && this.#response.writableNeedDrain;
  }

  /** Writes without waiting: for many frames in a row, by who looks at `isFull` and waits with `write`. */
  push(frame: Buffer | string): void {
    if (this.signal.aborted) return;
    const bytes = typeof frame === "string" ? Buffer.from(frame) : frame;
    if (this.#held.length === 0) setImmediate(() => this.#flush());
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > heldBytesMax) this.#flush();
  }

  #flush(): void {
    const frames = this.#held;
    if (frames.length === 0 || this.signal.aborted) return;
    this.#held = [];
    this.#heldBytes = 0;
    const [first = heartbeat] = frames;
    this.#response.write(frames.length === 1 ? first : Buffer.concat(frames));
  }

  /** A client that takes nothing needs no sign of life, and gets none heaped up. */
  beat(): void {
    if (this.signal.aborted || this.#response.writableNeedDrain) return;
    this.#flush();
    this.#response.write(heartbeat);
  }

  end(): void {
    this.#flush();
    this.#response.end();
    this.#gone.abort(hungUp);
  }

  #drained(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const done = () => {
      this.#response.off("drain", done);
      this.signal.removeEventListener("abort", done);
      resolve();
    };
    this.#response.once("drain", done);
    this.signal.addEventListener("abort", done, { once: true });
    if (this.signal.aborted) done();
    return promise;
  }
}

/** All open streams of one server. */
export class EventStreams implements Disposable {
  readonly #heartbeatMs: number;
  readonly #isWelcome: (request: FastifyRequest) => boolean;
  readonly #open = new Map<EventStream, FastifyRequest>();
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  /** @param isWelcome asked with each heartbeat; the stream of who is welcome no more ends */
  constructor(heartbeatMs: number, isWelcome: (request: FastifyRequest) => boolean) {
    this.#heartbeatMs = heartbeatMs;
    this.#isWelcome = isWelcome;
  }

  /** Takes the reply over from the framework and sends the head, so that the client knows at once that it is connected. */
  open(reply: FastifyReply): EventStream {
    reply.hijack();
    const stream = new EventStream(reply.raw);
    stream.open(reply.getHeaders());
    this.#open.set(stream, reply.request);
    stream.signal.addEventListener("abort", () => this.#forget(stream), { once: true });
    this.#timer ??= setInterval(() => this.#beat(), this.#heartbeatMs);
    if (this.#closed || stream.signal.aborted) stream.end();
    return stream;
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    for (const stream of this.#open.keys()) stream.end();
  }

  #beat(): void {
    for (const [stream, request] of this.#open) {
      if (this.#isWelcome(request)) stream.beat();
      else stream.end();
    }
  }

  #forget(stream: EventStream): void {
    this.#open.delete(stream);
    if (this.#open.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
