/**
 * The HTTP server: puts the gate, bodies, problems, routes and their description together, listens, and goes down without
 * leaving anyone hanging. Holds one handle of Loom; decides nothing about tasks.
 */
import type { Socket } from "node:net";
import fastify, { type FastifyError, type FastifyReply, type FastifyRequest } from "fastify";
import type { FastifyZodOpenApiTypeProvider } from "fastify-zod-openapi";
import { LoomError, messageOf } from "../lib/errors.ts";
import type { Audit, Keys } from "../ports/access.ts";
import type { Loom } from "../ports/loom.ts";
import type { Log } from "../ports/runtime.ts";
import { Access, type AccessRules } from "./access.ts";
import { auditRequests } from "./auditing.ts";
import { readJson } from "./body.ts";
import { callerOf } from "./caller.ts";
import { controlRoutes } from "./control.ts";
import { descriptionRoutes } from "./description.ts";
import type { App, Door } from "./door.ts";
import { putGate } from "./gate.ts";
import { KeyUse } from "./key-use.ts";
import { peopleRoutes } from "./people.ts";
import { problemOf, problemText, sendProblem } from "./problems.ts";
import { RouteMap } from "./route-map.ts";
import { EventStreams } from "./sse.ts";
import { streamRoutes } from "./streams.ts";
import { systemRoutes } from "./system.ts";
import { taskRoutes } from "./tasks.ts";
import { Tickets } from "./tickets.ts";
import { unavailableRoutes } from "./unavailable.ts";
import { validatorCompiler } from "./validation.ts";
import { webhookRoutes } from "./webhooks.ts";
import { workRoutes } from "./work.ts";

export interface ApiConfig extends AccessRules {
  readonly port: number;
  readonly bodyLimitBytes: number;
  readonly heartbeatMs: number;
}

export interface ApiOptions {
  readonly loom: Loom;
  readonly config: ApiConfig;
  readonly log: Log;
  readonly version: string;
  /** Those that were made, beside the configured one. */
  readonly keys: Keys;
  readonly audit: Audit;
  /** Epoch milliseconds. Default the machine's clock. */
  readonly now?: () => number;
  /** One line for each request, at its end. Default true. */
  readonly accessLog?: boolean;
}

export interface Api extends AsyncDisposable {
  /** @throws LoomError config_invalid, when the address cannot be had */
  listen(): Promise<{ readonly host: string; readonly port: number; readonly url: string }>;
}

/** How long a client may take to send its request. */
const requestTimeoutMs = 60_000;
/** How long requests in flight may go on when the server goes down. */
const graceMs = 2000;
/** Longer than any id, so that the id's own schema refuses it. */
const paramLengthMax = 300;

export function createApi(options: ApiOptions): Api {
  const { loom, config, log, version, keys, audit, now = Date.now, accessLog = true } = options;
  const tickets = new Tickets({ apiKey: config.apiKey, keys, now });
  const closing = new AbortController();
  const access = new Access(config, keys);
  const streams = new EventStreams(config.heartbeatMs, (request) => access.isWelcome(callerOf(request)));
  const app = createApp(config);
  app.setErrorHandler((error, request, reply) => answerError(error, { request, reply, log }));
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, async (_request: FastifyRequest, body: Buffer) =>
    readJson(body),
  );
  if (accessLog) logRequests(app, log);
  const use = new KeyUse({ keys, log, now });
  putGate(app, { access, tickets, routes: new RouteMap(), use, closing: closing.signal });
  auditRequests(app, { audit, now });
  app.addHook("preClose", (done) => {
    closing.abort();
    streams[Symbol.dispose]();
    done();
  });
  const door: Door = { loom, streams, tickets, log, closing: closing.signal };
  addRoutes(app, door);
  descriptionRoutes(app, {
    version,
    createApp: () => createApp(config),
    addRoutes: (described) => addRoutes(described, door),
  });
  return { listen: () => listen(app, config), [Symbol.asyncDispose]: () => close(app) };
}

function createApp({ bodyLimitBytes }: ApiConfig): App {
  const app = fastify({
    logger: false,
    bodyLimit: bodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    return503OnClosing: false,
    forceCloseConnections: "idle",
    routerOptions: { maxParamLength: paramLengthMax },
    frameworkErrors: (error, request, reply) => {
      sendProblem(request, reply, problemOf(error));
    },
    clientErrorHandler: refuseSocket,
    // Without a word on them, fastify loads compilers for JSON schemas, a hundred files; those set below take their place.
    schemaController: { compilersFactory: { buildValidator: neverBuilt, buildSerializer: neverBuilt } },
  }).withTypeProvider<FastifyZodOpenApiTypeProvider>();
  app.removeAllContentTypeParsers();
  app.setValidatorCompiler(validatorCompiler);
  // Answers are held to their schemas by tests; checking each again would cost more than making it.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  return app;
}

function neverBuilt(): never {
  throw new Error("The compilers of schemas are set when the server is made");
}

function addRoutes(app: App, door: Door): void {
  for (const add of [taskRoutes, controlRoutes, peopleRoutes, workRoutes, streamRoutes, systemRoutes, webhookRoutes])
    add(app, door);
  unavailableRoutes(app);
}

function answerError(
  error: unknown,
  { request, reply, log }: { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly log: Log },
): FastifyReply {
  const problem = problemOf(error);
  if (problem.status === 500) {
    const stack = error instanceof Error ? error.stack : undefined;
    log.error(
      { method: request.method, route: request.routeOptions.url, error: messageOf(error), stack },
      "A request failed unforeseen",
    );
  }
  return sendProblem(request, reply, problem);
}

function logRequests(app: App, log: Log): void {
  app.addHook("onResponse", (request, reply, done) => {
    const facts = {
      method: request.method,
      route: request.routeOptions.url ?? "none",
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
    };
    log.info(facts, "request");
    done();
  });
}

async function listen(
  app: App,
  { host, port }: ApiConfig,
): Promise<{ readonly host: string; readonly port: number; readonly url: string }> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw new LoomError("config_invalid", `Cannot listen on ${host}:${port}: ${messageOf(error)}`, {
      hint: "Stop what uses the port, or choose another: --port, or [server] port.",
      cause: error,
    });
  }
  const address = app.server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  const name = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "[::1]" : host.includes(":") ? `[${host}]` : host;
  return { host, port: bound, url: `http://${name}:${bound}` };
}

async function close(app: App): Promise<void> {
  const impatient = setTimeout(() => app.server.closeAllConnections(), graceMs);
  try {
    await app.close();
  } finally {
    clearTimeout(impatient);
  }
}

/** What is not HTTP gets its answer here, before there is a request to speak of. */
function refuseSocket(error: FastifyError | (Error & { readonly code?: string }), socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, reason] =
    error.code === "HPE_HEADER_OVERFLOW"
      ? [431, "Request Header Fields Too Large"]
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? [408, "Request Timeout"]
        : [400, "Bad Request"];
  const body = problemText(
    { status, code: "bad_request", detail: `This is not a request that can be read: ${reason}.` },
    "/",
  );
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\ncontent-type: application/problem+json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
