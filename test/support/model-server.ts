/**
 * A real HTTP model server on loopback that speaks three wires (OpenAI, Ollama, Anthropic) and answers by script or by a
 * function. It counts tokens (four characters each, prefixes cached), keeps every request, and fails on demand.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { LoomError } from "../../src/lib/errors.ts";
import { isJsonObject, type JsonObject, parseJson } from "../../src/lib/json.ts";
import { probeSystem } from "../../src/models/probing.ts";
import { type Script, ScriptPlayer } from "../../src/models/script.ts";
import { boundAnswer, type Fault, Renderer, type ServedReply, servedModel, tokensOf } from "./model-server-reply.ts";
import { type ServedRequest, type Wire, wires } from "./model-server-wires.ts";

export interface ModelServerOptions {
  readonly answer?: (request: ServedRequest) => ServedReply | Promise<ServedReply>;
  readonly script?: Script;
  /** Waited for before the script is asked. */
  readonly before?: (request: ServedRequest) => Promise<void>;
  /** Before the first byte of each reply. */
  readonly latencyMs?: number;
  /** As listed for the model; null: the server lists none. Tools are native where "tools" is among them. */
  readonly capabilities?: readonly string[] | null;
  /** Tools reach no model: not counted, never called; by schema the same script is played as JSON. */
  readonly dropsTools?: boolean;
  /** A schema binds no reply. So it is where a forced tool stands for it and tools are dropped. */
  readonly ignoresSchema?: boolean;
  /** What becomes of a probe of Loom, instead of the answer that this server's ways make of it. */
  readonly probeFault?: (probe: ServedRequest) => Fault | undefined;
  /** A request with tools is a 400. */
  readonly refusesTools?: boolean;
  /** Longer prompts are refused, on Ollama's wire only where `heedsTruncate`; else it cuts them. Told in the list of models. */
  readonly contextTokens?: number;
  /** An Ollama that is new enough for `truncate: false`. */
  readonly heedsTruncate?: boolean;
  /** Answers /props, as llama.cpp does. */
  readonly props?: JsonObject;
  readonly reportsUsage?: boolean;
  /** How this server counts; four characters a token of the prompt unless it says otherwise. */
  readonly count?: (request: ServedRequest) => number;
  readonly port?: number;
}

export interface ModelServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Chat requests so far, oldest first; without the probes of Loom, which no script has to answer. */
  readonly requests: readonly ServedRequest[];
  readonly probes: readonly ServedRequest[];
  /** Method and path of every request that was no chat. */
  readonly asked: readonly string[];
  /** Chat requests whose client left before their end. */
  readonly left: number;
  /** Resolves when `left` reaches `count`. */
  whenLeft(count: number): Promise<void>;
  /** The next chat requests fail, whatever they ask. */
  fail(fault: Fault, times?: number): void;
}

export async function startModelServer(options: ModelServerOptions = {}): Promise<ModelServer> {
  const served = new Served(options);
  const server = createServer((request, response) => void served.serve(request, response));
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return Object.assign(served, {
    port,
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  });
}

class Served {
  readonly requests: ServedRequest[] = [];
  readonly probes: ServedRequest[] = [];
  readonly asked: string[] = [];
  readonly #options: ModelServerOptions;
  readonly #player: ScriptPlayer | null;
  readonly #faults: Fault[] = [];
  readonly #renderer: Renderer;
  #left = 0;
  #leaveListeners: (() => void)[] = [];

  constructor(options: ModelServerOptions) {
    this.#options = options;
    this.#renderer = new Renderer({
      dropsTools: options.dropsTools === true,
      ignoresSchema: options.ignoresSchema === true,
      reportsUsage: options.reportsUsage !== false,
      ...(options.count === undefined ? {} : { count: options.count }),
    });
    this.#player = options.script === undefined ? null : new ScriptPlayer(options.script, "The script");
  }

  get left(): number {
    return this.#left;
  }

  async whenLeft(count: number): Promise<void> {
    while (this.#left < count) await new Promise<void>((resolve) => this.#leaveListeners.push(resolve));
  }

  fail(fault: Fault, times = 1): void {
    for (let at = 0; at < times; at += 1) this.#faults.push(fault);
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const body = await bodyOf(request);
    const wire = wires[path];
    if (wire !== undefined && request.method === "POST")
      return await this.#chat(wire, { request, body, response, path });
    this.asked.push(`${request.method} ${path}`);
    const facts = this.#facts(path);
    send(
      response,
      facts === null ? 404 : 200,
      facts ?? { error: { message: `no such path: ${path}`, type: "not_found_error" } },
    );
  }

  async #chat(
    wire: Wire,
    {
      request,
      body,
      response,
      path,
    }: { request: IncomingMessage; body: JsonObject; response: ServerResponse; path: string },
  ): Promise<void> {
    const parsed = wire.parse(body);
    const prompt = [
      this.#options.dropsTools ? "" : JSON.stringify(body["tools"] ?? []),
      ...parsed.messages.map(({ role, content }) => `${role}: ${content}`),
    ].join("\n");
    const asked: ServedRequest = { wire: wire.wire, path, headers: request.headers, body, prompt, ...parsed };
    const isProbe = asked.messages.some(({ content }) => content.startsWith(probeSystem));
    (isProbe ? this.probes : this.requests).push(asked);
    response.on("close", () => this.#closed(response));
    const reply = isProbe ? this.#probed(asked) : await this.#reply(asked);
    const waitMs = (this.#options.latencyMs ?? 0) + (reply.delayMs ?? 0);
    if (waitMs > 0) await sleep(waitMs);
    if (reply.fault?.kind === "status") return sendFault(response, wire, reply.fault);
    if (reply.fault?.kind === "hang") return;
    const rendering = this.#renderer.render(asked, reply);
    if (!asked.isStream && reply.fault === undefined) return send(response, 200, wire.whole(rendering));
    await stream(response, wire, { frames: wire.stream(rendering), fault: reply.fault?.kind });
  }

  #closed(response: ServerResponse): void {
    if (response.writableFinished) return;
    this.#left += 1;
    const listeners = this.#leaveListeners;
    this.#leaveListeners = [];
    for (const listener of listeners) listener();
  }

  /** As a model answers, not as a script does. */
  #probed(asked: ServedRequest): ServedReply {
    const fault = this.#options.probeFault?.(asked) ?? this.#refusal(asked);
    if (fault !== undefined) return { text: "before the fault", fault };
    return this.#renderer.binds(asked) ? { json: boundAnswer(asked.schema) } : { text: "Blue." };
  }

  async #reply(asked: ServedRequest): Promise<ServedReply> {
    const fault = this.#faults.shift() ?? this.#refusal(asked);
    if (fault !== undefined) return { text: "before the fault", fault };
    if (this.#options.answer !== undefined) return await this.#options.answer(asked);
    await this.#options.before?.(asked);
    if (this.#player === null) return { text: "ok" };
    try {
      const { error, delay_ms, text, json, tool_calls } = this.#player.play({ role: null, messages: asked.messages });
      return {
        ...(text === undefined ? {} : { text }),
        ...(json === undefined ? {} : { json }),
        ...(tool_calls === undefined ? {} : { toolCalls: tool_calls }),
        ...(delay_ms === undefined ? {} : { delayMs: delay_ms }),
        ...(error === undefined
          ? {}
          : {
              fault: {
                kind: "status",
                status: error.status,
                ...(error.retry_after_ms === undefined ? {} : { retryAfterMs: error.retry_after_ms }),
              },
            }),
      };
    } catch (error) {
      if (error instanceof LoomError) return { fault: { kind: "status", status: 404, message: error.message } };
      throw error;
    }
  }

  #refusal(asked: ServedRequest): Fault | undefined {
    const { wire, tools, prompt, body } = asked;
    const { refusesTools, contextTokens, heedsTruncate } = this.#options;
    if (refusesTools && tools.length > 0)
      return { kind: "status", status: 400, message: `${servedModel} does not support tools` };
    const tokens = this.#options.count?.(asked) ?? tokensOf(prompt);
    if (contextTokens === undefined || tokens <= contextTokens) return undefined;
    if (wire === "ollama") {
      const message = "the prompt is longer than the context length currently available to the model";
      return heedsTruncate && body["truncate"] === false ? { kind: "status", status: 400, message } : undefined;
    }
    const message = `request (${tokens} tokens) exceeds the available context size (${contextTokens} tokens)`;
    return { kind: "status", status: 400, message, type: "exceed_context_size_error" };
  }

  #facts(path: string): JsonObject | null {
    const { capabilities = ["completion", "tools"], contextTokens, props } = this.#options;
    const listed = capabilities === null ? {} : { capabilities };
    const meta = contextTokens === undefined ? {} : { meta: { n_ctx: contextTokens } };
    if (path === "/v1/models")
      return { object: "list", data: [{ id: servedModel, object: "model", ...listed, ...meta }] };
    if (path === `/v1/models/${servedModel}`) return { id: servedModel, type: "model" };
    if (path === "/api/tags") return { models: [{ name: servedModel, model: servedModel }] };
    if (path === "/api/show")
      return { ...listed, model_info: contextTokens === undefined ? {} : { "test.context_length": contextTokens } };
    return path === "/props" && props !== undefined ? props : null;
  }
}

async function stream(
  response: ServerResponse,
  wire: Wire,
  { frames, fault }: { frames: readonly string[]; fault: Fault["kind"] | undefined },
): Promise<void> {
  response.writeHead(200, { "content-type": wire.contentType });
  if (fault === undefined) {
    for (const frame of frames) response.write(frame);
    response.end();
    return;
  }
  const said = frames.findIndex((frame) => frame.includes("before"));
  if (fault === "circle") return await circle(response, frames, said);
  const written = new Promise<void>((resolve) => response.write(frames.slice(0, said + 1).join(""), () => resolve()));
  await written;
  if (fault === "drop") response.destroy();
  if (fault === "cut") response.end();
}

/** In small writes that wait for their reader, as fast as a model would be and no faster. */
async function circle(response: ServerResponse, frames: readonly string[], said: number): Promise<void> {
  response.write(frames.slice(0, said).join(""));
  while (!response.destroyed) {
    await new Promise<void>((resolve) => response.write(frames[said] ?? "", () => resolve()));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function sendFault(
  response: ServerResponse,
  wire: Wire,
  { status, retryAfterMs, message, type }: Extract<Fault, { kind: "status" }>,
): void {
  if (retryAfterMs !== undefined) response.setHeader("retry-after-ms", String(retryAfterMs));
  send(response, status, wire.error(status, message ?? `failing with ${status}, as asked`, type ?? "api_error"));
}

function send(response: ServerResponse, status: number, body: JsonObject): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<JsonObject> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const value = parseJson(Buffer.concat(parts).toString("utf8"));
  return isJsonObject(value) ? value : {};
}
