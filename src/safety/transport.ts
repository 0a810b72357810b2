/**
 * Requests to servers that the operator named: the models'. Nothing is judged here. What the SDKs do with `fetch` is done
 * with less: no web streams, no copies of signals, no decoding. Measured: 0.8 ms of CPU a model call, with `fetch` 1.5 ms.
 */
type Init = NonNullable<Parameters<typeof fetch>[1]>;
type Client = typeof import("undici");
type Answer = Awaited<ReturnType<Client["request"]>>;

/** A hundred files, which a server that starts need not wait for. */
let client: Promise<Client> | null = null;

/** @returns what an SDK needs of a `Response`; what it does not serve (redirects) is left to `fetch` itself */
export async function transport(input: string | URL | Request, init: Init = {}): Promise<Response> {
  const { method = "GET", body, signal } = init;
  if (typeof input === "object" && "method" in input) return await fetch(input, init);
  if (body !== undefined && body !== null && typeof body !== "string") return await fetch(input, init);
  const url = String(input);
  client ??= import("undici");
  const { request } = await client;
  const answer = await request(url, {
    method,
    // Nothing here unpacks a body.
    headers: { ...plainHeaders(init.headers), "accept-encoding": "identity" },
    body: body ?? null,
    signal: signal ?? null,
    // Whoever calls keeps the time.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  // A body that is left early fails with nobody listening, which would end the process.
  answer.body.on("error", () => undefined);
  if (answer.statusCode >= 300 && answer.statusCode < 400) {
    await answer.body.dump();
    return await fetch(input, init);
  }
  return new PlainResponse(url, answer) as unknown as Response;
}

function plainHeaders(headers: Init["headers"]): Record<string, string> {
  return Object.fromEntries(headers instanceof Headers ? headers : new Headers(headers));
}

/** The part of `Response` that the SDKs use. Its body is a Node stream, which they take as the async iterable that it is. */
class PlainResponse {
  readonly url: string;
  readonly status: number;
  readonly statusText = "";
  readonly ok: boolean;
  readonly headers: ReadonlyMap<string, string> | Headers;
  readonly body: AsyncIterable<Uint8Array> & { cancel(): Promise<void> };
  readonly #body: Answer["body"];

  constructor(url: string, { statusCode, headers, body }: Answer) {
    this.url = url;
    this.status = statusCode;
    this.ok = statusCode >= 200 && statusCode < 300;
    this.#body = body;
    this.body = {
      [Symbol.asyncIterator]: () => reading(body),
      cancel: async () => void body.destroy(),
    };
    const lines = Object.entries(headers).map(([name, value = ""]): [string, string] => [
      name,
      [value].flat().join(", "),
    ]);
    // Names are in lower case, as `Headers` has them; making those takes as long as the rest of an answer. Errors are looked at more closely.
    this.headers = this.ok ? new Map(lines) : new Headers(lines);
  }

  text(): Promise<string> {
    return this.#body.text();
  }

  json(): Promise<unknown> {
    return this.#body.json();
  }
}

/** How long the rest of a body that nobody reads may take, so that its connection can serve the next call. */
const restMs = 1000;

/** The pieces of a body. Who leaves early, as SDKs do at the `[DONE]` that comes before the end, lets the rest go by. */
function reading(body: Answer["body"]): AsyncIterator<Uint8Array> {
  const pieces = body.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>;
  return {
    next: () => pieces.next(),
    return: async () => {
      if (!body.readableEnded) {
        const limit = setTimeout(() => body.destroy(), restMs).unref();
        body.once("close", () => clearTimeout(limit)).resume();
      }
      return { done: true, value: undefined };
    },
  };
}
