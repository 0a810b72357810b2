/** Plain requests beside the SDKs: what a server tells of itself. And the optional request members that some servers refuse. */
import { isJsonObject, type JsonObject, parseJson } from "../lib/json.ts";
import { ServerError } from "./failures.ts";

export interface Endpoint {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as POST when present. */
  readonly body?: JsonObject;
}

/** @returns the JSON object at an address; throws `ServerError` for a bad status, and what fetch throws */
export async function askJson({ url, headers = {}, body }: Endpoint, signal: AbortSignal): Promise<JsonObject> {
  const post = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const ask = () => fetch(url, { ...post, headers: { "content-type": "application/json", ...headers }, signal });
  const response = await ask().catch((error: unknown) => {
    signal.throwIfAborted();
    // Of a server that was started anew: whoever uses a connection to the old one finds out by it.
    if (error instanceof TypeError) return ask();
    throw error;
  });
  const text = await response.text();
  if (!response.ok) throw serverErrorOf(response, text);
  const value = parseJson(text);
  if (isJsonObject(value)) return value;
  throw new ServerError(502, `${url} did not answer with a JSON object`);
}

/**
 * The same, null when the server is there and has no such address. Throws when it is not there.
 *
 * @param missing statuses that mean that there is no such address
 */
export async function askJsonOrNull(
  endpoint: Endpoint,
  signal: AbortSignal,
  missing = /^[45]/,
): Promise<JsonObject | null> {
  try {
    return await askJson(endpoint, signal);
  } catch (error) {
    if (error instanceof ServerError && missing.test(String(error.status))) return null;
    throw error;
  }
}

/** @returns the error that an HTTP response of a bad status is, with the message that its body holds */
export function serverErrorOf(response: Response, text: string): ServerError {
  const body = parseJson(text);
  const inner = isJsonObject(body) ? body["error"] : undefined;
  const message = isJsonObject(inner) ? inner["message"] : inner;
  const words = typeof message === "string" ? message : text.trim() || response.statusText;
  return new ServerError(response.status, words, { headers: response.headers, body });
}

/**
 * Request members that a server may do without. One that it refuses by name (400) is left out from then on: servers differ
 * in what they take, and none of these is worth a failed call.
 */
export class Concessions {
  readonly #optional: readonly string[];
  readonly #refused = new Set<string>();

  constructor(optional: readonly string[]) {
    this.#optional = optional;
  }

  has(member: string): boolean {
    return this.#refused.has(member);
  }

  /** @returns whether the error is such a refusal, not known before: the call can be made again without the member */
  learn(error: unknown): boolean {
    if (!(error instanceof Error) || !("status" in error) || (error.status !== 400 && error.status !== 422))
      return false;
    const member = this.#optional.find((name) => new RegExp(`\\b${name}\\b`).test(error.message));
    if (member === undefined || this.#refused.has(member)) return false;
    this.#refused.add(member);
    return true;
  }

  notes(): string[] {
    return [...this.#refused].map((member) => `this server refuses \`${member}\`, so it is left out`);
  }
}

/** @returns a whole number over 0, else null */
export function countOf(value: unknown): number | null {
  return typeof value === "number" && Number.isInteger(value) && value > 0 ? value : null;
}

/** @returns the elements that are objects */
export function objectsOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
