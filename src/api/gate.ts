/**
 * What every request passes before its route: the headers that keep browsers honest, who may come in, whether the path and
 * method exist at all, and whether the server is still taking anything.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { LoomError } from "../lib/errors.ts";
import type { Access } from "./access.ts";
import { type Caller, noteCaller } from "./caller.ts";
import type { App } from "./door.ts";
import type { KeyUse } from "./key-use.ts";
import { pathOf } from "./problems.ts";
import type { RouteMap } from "./route-map.ts";
import { type RouteRule, ruleFor, ruleOf } from "./scopes.ts";
import type { Tickets } from "./tickets.ts";
import { refuseUnkeptPromises } from "./unavailable.ts";

export interface Gate {
  readonly access: Access;
  readonly tickets: Tickets;
  readonly routes: RouteMap;
  readonly use: KeyUse;
  readonly closing: AbortSignal;
}

const readableHeaders = "etag, idempotency-replayed, link, location, preference-applied, retry-after";
const sendableHeaders =
  "authorization, content-type, idempotency-key, if-match, if-none-match, last-event-id, prefer, x-api-key";

export function putGate(app: App, gate: Gate): void {
  app.addHook("onRoute", ({ url, method }) => {
    const methods = [method].flat();
    for (const each of methods) ruleFor(each, url);
    gate.routes.add(url, methods);
  });
  // A connection kept alive would keep the server alive.
  app.addHook("onSend", (_request, reply, _payload, done) => {
    if (gate.closing.aborted) reply.header("connection", "close");
    done();
  });
  app.addHook("onRequest", (request, reply, done) => {
    try {
      setHeaders(request, reply, gate.access);
      if (isPreflight(request)) {
        gate.access.admitPreflight(request.headers);
        sendMethods(request, reply, gate.routes);
        return;
      }
      admit(request, gate);
      done();
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

function setHeaders(request: FastifyRequest, reply: FastifyReply, access: Access): void {
  reply
    .header("x-content-type-options", "nosniff")
    .header("cache-control", "no-store")
    .header("referrer-policy", "no-referrer");
  const origin = access.sharedWith(request.headers.origin);
  if (origin === undefined) return;
  reply
    .header("access-control-allow-origin", origin)
    .header("access-control-expose-headers", readableHeaders)
    .header("vary", "origin");
}

function admit(request: FastifyRequest, { access, tickets, routes, use, closing }: Gate): void {
  const rule = ruleOf(request);
  if (rule?.scope === null) return;
  const caller = access.admit(request.headers, () => tickets.admit(request));
  use.take(caller);
  if (rule === undefined) throw noRoute(request, routes);
  noteCaller(request, caller);
  requireScope(caller, rule);
  if (closing.aborted)
    throw new LoomError("shutting_down", "The server is going down.", { hint: "Try again once it is back." });
  refuseUnkeptPromises(request);
}

/** @throws LoomError forbidden, naming the scope that is needed and those that there are */
function requireScope(caller: Caller, { scope }: RouteRule): void {
  if (scope === null || caller.scopes.includes(scope)) return;
  throw new LoomError(
    "forbidden",
    `This needs the scope "${scope}", and the key "${caller.name}" has ${caller.scopes.join(", ")}.`,
    {
      hint: `Use a key with that scope: loom keys create --name … --scopes ${[...caller.scopes, scope].join(",")}`,
      extra: { scope_needed: scope, scopes: caller.scopes },
    },
  );
}

function isPreflight({ method }: FastifyRequest): boolean {
  return method === "OPTIONS";
}

function sendMethods(request: FastifyRequest, reply: FastifyReply, routes: RouteMap): void {
  const methods = routes.methodsAt(pathOf(request.url));
  if (methods.length === 0) throw noRoute(request, routes);
  const allowed = [...methods, "OPTIONS"].join(", ");
  reply.code(204).header("allow", allowed);
  if (reply.hasHeader("access-control-allow-origin")) {
    reply
      .header("access-control-allow-methods", allowed)
      .header("access-control-allow-headers", sendableHeaders)
      .header("access-control-max-age", "600");
  }
  reply.send();
}

/** A path that is known answers 405 and names its methods; the problem handler turns them into `Allow`. */
function noRoute(request: FastifyRequest, routes: RouteMap): LoomError {
  const path = pathOf(request.url);
  const methods = routes.methodsAt(path);
  if (methods.length === 0) {
    return new LoomError("not_found", `There is nothing at "${path}".`, {
      hint: "GET /openapi.json lists every route.",
    });
  }
  const allowed = [...methods, "OPTIONS"];
  return new LoomError("method_not_allowed", `"${path}" does not take ${request.method}.`, {
    hint: `It takes ${allowed.join(", ")}.`,
    extra: { allow: allowed },
  });
}
