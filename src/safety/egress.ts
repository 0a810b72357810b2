/**
 * Egress: requests to places that a model or a client named. Resolves the name, checks every address it has, and dials the
 * one that was checked; each redirect is a new request with all of it again. Caps time and size. Dials no proxy.
 */
import { lookup as systemLookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Response } from "undici";
import { LoomError, messageOf } from "../lib/errors.ts";
import type { Egress, EgressResponse } from "../ports/policy.ts";
import { forbiddenClass } from "./addresses.ts";

export interface Address {
  readonly address: string;
  readonly family: number;
}

/** @returns every address of a name; rejects when it has none */
export type Lookup = (hostname: string) => Promise<readonly Address[]>;

type Request = Parameters<Egress["fetch"]>[1];
type Limits = Pick<Request, "allowPrivate" | "signal">;

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const credentialHeaders: ReadonlySet<string> = new Set(["authorization", "cookie", "proxy-authorization", "x-api-key"]);

export function createEgress(options: { readonly lookup?: Lookup } = {}): Egress {
  const lookup = options.lookup ?? ((hostname) => systemLookup(hostname, { all: true, verbatim: true }));
  return {
    fetch: (url, request) => follow(url, request, lookup),
    check: async (url, limits) => {
      try {
        await target(url, limits, lookup);
        return null;
      } catch (error) {
        limits.signal.throwIfAborted();
        return error instanceof LoomError && error.code === "host_refused" ? error.message : null;
      }
    },
  };
}

async function follow(start: string, request: Request, lookup: Lookup): Promise<EgressResponse> {
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(request.timeoutMs)]);
  let hop: Hop = {
    url: start,
    method: request.method,
    headers: request.headers,
    ...(request.body === undefined ? {} : { body: request.body }),
  };
  for (let left = request.maxRedirects; ; left -= 1) {
    const answer = await dial(hop, { ...request, signal }, lookup).catch((error: unknown) => {
      request.signal.throwIfAborted();
      throw failure(hop.url, error, request.timeoutMs);
    });
    const location = answer.headers["location"];
    if (left <= 0 || location === undefined || !redirectStatuses.has(answer.status)) return answer;
    hop = redirected(hop, { status: answer.status, location });
  }
}

interface Hop {
  readonly url: string;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

function redirected(hop: Hop, answer: { readonly status: number; readonly location: string }): Hop {
  const from = new URL(hop.url);
  if (!URL.canParse(answer.location, from.href))
    throw refusal(hop.url, `redirects to "${answer.location}", which is no URL`);
  const to = new URL(answer.location, from);
  const kept = Object.entries(hop.headers).filter(
    ([name]) => to.origin === from.origin || !credentialHeaders.has(name.toLowerCase()),
  );
  const next = { url: to.href, headers: Object.fromEntries(kept) };
  const repeats = answer.status === 307 || answer.status === 308;
  if (!repeats || hop.body === undefined) return { ...next, method: repeats ? hop.method : "GET" };
  return { ...next, method: hop.method, body: hop.body };
}

/** One request to one checked address. */
async function dial(
  hop: Hop,
  limits: Limits & Pick<Request, "maxBytes" | "timeoutMs">,
  lookup: Lookup,
): Promise<EgressResponse> {
  const { url, pinned } = await target(hop.url, limits, lookup);
  // Its hundred files are loaded by the first request, not by a server that starts.
  const { Agent, fetch } = await import("undici");
  const agent = new Agent({
    connect: {
      timeout: limits.timeoutMs,
      lookup: (_hostname, options, callback) => {
        if (options.all === true) callback(null, [pinned]);
        else callback(null, pinned.address, pinned.family);
      },
    },
  });
  try {
    const response = await fetch(url, {
      method: hop.method,
      headers: { ...hop.headers },
      ...(hop.body === undefined ? {} : { body: hop.body }),
      redirect: "manual",
      dispatcher: agent,
      signal: limits.signal,
    });
    const body = await capped(response, limits.maxBytes);
    return { status: response.status, url: hop.url, headers: Object.fromEntries(response.headers), ...body };
  } finally {
    await agent.destroy();
  }
}

/** @throws LoomError host_refused; whatever the resolver throws */
async function target(
  text: string,
  limits: Limits,
  lookup: Lookup,
): Promise<{ readonly url: URL; readonly pinned: Address }> {
  if (!URL.canParse(text)) throw refusal(text, "it is no URL");
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw refusal(text, `its scheme is "${url.protocol}", and only http: and https: are allowed`);
  if (url.username !== "" || url.password !== "") throw refusal(text, "it carries credentials");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const family = isIP(host);
  const addresses = family === 0 ? await abortable(lookup(host), limits.signal) : [{ address: host, family }];
  for (const { address } of addresses) {
    const forbidden = forbiddenClass(address, limits);
    if (forbidden !== null) throw refusal(text, `${host} is at ${address}, a ${forbidden} address`);
  }
  const [pinned] = addresses;
  if (pinned === undefined) throw new Error(`${host} has no address`);
  return { url, pinned };
}

async function capped(response: Response, maxBytes: number): Promise<Pick<EgressResponse, "body" | "truncated">> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  if (response.body !== null) {
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      const room = maxBytes - bytes;
      chunks.push(chunk.subarray(0, room));
      bytes += Math.min(chunk.byteLength, room);
      if (chunk.byteLength > room) return { body: Buffer.concat(chunks), truncated: true };
    }
  }
  return { body: Buffer.concat(chunks), truncated: false };
}

/** DNS has no signal of its own: the wait ends, the question is forgotten. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
  signal.addEventListener("abort", stop, { once: true });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener("abort", stop));
}

function refusal(url: string, why: string): LoomError {
  return new LoomError("host_refused", `Refused to request ${shown(url)}: ${why}`, {
    hint: "Use a public http(s) address, or set allow_private in loom.toml for addresses of your own network",
  });
}

function failure(url: string, error: unknown, timeoutMs: number): LoomError {
  if (error instanceof LoomError) return error;
  if (error instanceof Error && error.name === "TimeoutError") {
    return new LoomError("server_unreachable", `${shown(url)} did not answer within ${timeoutMs} ms`, { cause: error });
  }
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return new LoomError("server_unreachable", `Cannot reach ${shown(url)}: ${messageOf(cause)}`, { cause: error });
}

/** Without what may be a password. */
function shown(url: string): string {
  return url.slice(0, 300).replace(/\/\/[^/@\s]*@/, "//…@");
}
