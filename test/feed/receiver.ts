/** A receiver of webhooks on a real socket, which answers as it is told and keeps what came; and a plain way to reach it. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import type { Egress } from "../../src/ports/policy.ts";

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
  /** The body as it came, byte for byte. */
  readonly text: string;
}

export interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly received: readonly Received[];
  /** Resolves when so many have come, those of before included. */
  cameTo(count: number): Promise<void>;
}

/** Answers all alike. */
export const answering =
  (status: number, headers: Record<string, string> = {}) =>
  (_request: Received, response: ServerResponse): void =>
    void response.writeHead(status, headers).end();

/** @param port 0: any free one */
export async function openReceiver(
  answer: (request: Received, response: ServerResponse) => void,
  port = 0,
): Promise<Receiver> {
  const received: Received[] = [];
  let came = Promise.withResolvers<void>();
  const receive = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const sent = await text(request);
    const body: unknown = JSON.parse(sent);
    const entry = { path: `${request.method} ${request.url}`, headers: request.headers, body, text: sent };
    received.push(entry);
    answer(entry, response);
    came.resolve();
  };
  const server = createServer((request, response) => void receive(request, response));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const at = typeof address === "object" ? address?.port : undefined;
  return {
    url: `http://127.0.0.1:${at}`,
    received,
    async cameTo(count) {
      while (received.length < count) {
        await came.promise;
        came = Promise.withResolvers<void>();
      }
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Follows no redirect and judges no address. */
export const plainEgress: Pick<Egress, "fetch"> = {
  async fetch(url, { method, headers, body, signal }) {
    const response = await fetch(url, {
      method,
      headers,
      signal,
      redirect: "manual",
      ...(body === undefined ? {} : { body }),
    });
    return {
      status: response.status,
      url,
      headers: Object.fromEntries(response.headers),
      body: new Uint8Array(await response.arrayBuffer()),
      truncated: false,
    };
  },
};
