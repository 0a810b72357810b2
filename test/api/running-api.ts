/** The real server over a fake Loom, on a port of its own, and small clients for it: JSON, and server-sent events. */

import { z } from "zod";
import type { ApiConfig } from "../../src/api/server.ts";
import { createApi } from "../../src/api/server.ts";
import { FakeAccess } from "../support/fake-access.ts";
import { FakeLoom } from "../support/fake-loom.ts";

export interface LogLine {
  readonly level: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: unknown;
}

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: string;
  readonly hint?: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

export class RunningApi implements AsyncDisposable {
  readonly loom: FakeLoom;
  readonly url: string;
  readonly port: number;
  readonly lines: readonly LogLine[];
  readonly access: FakeAccess;
  readonly close: () => Promise<void>;

  private constructor(
    facts: Pick<RunningApi, "loom" | "lines" | "access" | "close"> & { readonly url: string; readonly port: number },
  ) {
    this.loom = facts.loom;
    this.lines = facts.lines;
    this.access = facts.access;
    this.close = facts.close;
    this.url = facts.url;
    this.port = facts.port;
  }

  static async open(
    config: Partial<ApiConfig> = {},
    options: { readonly accessLog?: boolean; readonly now?: () => number; readonly access?: FakeAccess } = {},
  ): Promise<RunningApi> {
    const loom = new FakeLoom();
    const { access = new FakeAccess(), ...others } = options;
    const lines: LogLine[] = [];
    const write = (level: string) => (facts: LogLine["facts"], message: string) => {
      lines.push({ level, facts, message });
    };
    const api = createApi({
      loom,
      log: { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") },
      version: "1.2.3",
      config: { ...defaults, ...config },
      keys: access.keys,
      audit: access.audit,
      ...others,
    });
    const { url, port } = await api.listen();
    return new RunningApi({ loom, lines, access, url, port, close: async () => await api[Symbol.asyncDispose]() });
  }

  async get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return await this.send("GET", path, { headers });
  }

  async post(path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return await this.send("POST", path, { body, headers });
  }

  async send(
    method: string,
    path: string,
    { body, headers }: { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> } = {},
  ): Promise<Answer> {
    const json = body === undefined ? {} : { body: JSON.stringify(body) };
    const type: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" };
    const response = await fetch(this.url + path, { method, headers: { ...type, ...headers }, ...json });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") === true && text !== "";
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
  }

  /** Submits a task straight to Loom. */
  async task(goal = "Write a haiku"): Promise<string> {
    const { task } = await this.loom.submit({ goal, submittedBy: "test" });
    return task.taskId;
  }

  async stream(path: string, headers: Readonly<Record<string, string>> = {}): Promise<SseReader> {
    return await SseReader.open(this.url + path, headers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

const defaults: ApiConfig = {
  host: "127.0.0.1",
  port: 0,
  apiKey: null,
  allowedHosts: [],
  allowedOrigins: [],
  bodyLimitBytes: 1024 * 1024,
  heartbeatMs: 3000,
};

export interface Frame {
  readonly id?: string;
  readonly event?: string;
  readonly data?: string;
  readonly retry?: string;
  readonly comment?: string;
}

/** Reads frames of one stream, one at a time. */
export class SseReader implements AsyncDisposable {
  readonly response: Response;
  readonly #abort: AbortController;
  readonly #frames: AsyncGenerator<Frame, void>;

  private constructor(response: Response, abort: AbortController) {
    this.response = response;
    this.#abort = abort;
    this.#frames = framesOf(response);
  }

  static async open(url: string, headers: Readonly<Record<string, string>>): Promise<SseReader> {
    const abort = new AbortController();
    return new SseReader(await fetch(url, { headers, signal: abort.signal }), abort);
  }

  /** The next frame; undefined when the server ended the stream. */
  async next(): Promise<Frame | undefined> {
    const { value, done } = await this.#frames.next();
    return done === true ? undefined : value;
  }

  async take(count: number): Promise<Frame[]> {
    const frames: Frame[] = [];
    while (frames.length < count) {
      const frame = await this.next();
      if (frame === undefined) throw new Error(`The stream ended after ${frames.length} frames`);
      frames.push(frame);
    }
    return frames;
  }

  async rest(): Promise<Frame[]> {
    const frames: Frame[] = [];
    for (let frame = await this.next(); frame !== undefined; frame = await this.next()) frames.push(frame);
    return frames;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#frames.return().catch(() => undefined);
  }
}

async function* framesOf(response: Response): AsyncGenerator<Frame, void> {
  if (response.body === null) return;
  let rest = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + chunk).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) yield frameOf(block);
  }
  if (rest !== "") throw new Error(`The stream ended within a frame: ${rest}`);
}

function frameOf(block: string): Frame {
  const fields = block.split("\n").map((line) => {
    const colon = line.indexOf(":");
    return colon === 0 ? ["comment", line.slice(1).trim()] : [line.slice(0, colon), line.slice(colon + 2)];
  });
  return Object.fromEntries(fields) as Frame;
}

/** What every problem document holds. */
export const ProblemShape = z.looseObject({
  type: z.string().regex(/^urn:loom:problem:[a-z_]+$/),
  title: z.string().min(1),
  status: z.int().min(400).max(599),
  detail: z.string().min(1),
  instance: z.string().startsWith("/"),
  code: z.string().regex(/^[a-z_]+$/),
});
