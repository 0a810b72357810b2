/**
 * A reverse proxy of the worst kind for streams: it holds back what comes until it has 32 KiB of it, whatever the headers
 * ask, and cuts an answer that says nothing for a second. As nginx with `proxy_buffering on` and `proxy_read_timeout 1s`.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const heldBytes = 32 * 1024;
const readTimeoutMs = 1000;

export interface StreamProxy extends AsyncDisposable {
  readonly url: string;
}

export async function startBufferingProxy(upstreamPort: number): Promise<StreamProxy> {
  const server = createServer((incoming, outgoing) => forward(incoming, { outgoing, upstreamPort }));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function forward(
  incoming: IncomingMessage,
  { outgoing, upstreamPort }: { readonly outgoing: ServerResponse; readonly upstreamPort: number },
): void {
  const { url = "/", method = "GET", headers } = incoming;
  const upstream = request({ host: "127.0.0.1", port: upstreamPort, path: url, method, headers }, (answer) =>
    holdBack(answer, outgoing),
  );
  upstream.on("error", () => {
    if (outgoing.headersSent) outgoing.destroy();
    else outgoing.writeHead(502).end();
  });
  outgoing.on("close", () => upstream.destroy());
  incoming.pipe(upstream);
}

function holdBack(answer: IncomingMessage, outgoing: ServerResponse): void {
  outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
  let held: Buffer[] = [];
  let bytes = 0;
  const release = (then: () => void = () => undefined) => {
    outgoing.write(Buffer.concat(held), then);
    held = [];
    bytes = 0;
  };
  const cut = () => release(() => outgoing.destroy());
  const impatience = setTimeout(cut, readTimeoutMs);
  answer.on("data", (chunk: Buffer) => {
    impatience.refresh();
    held.push(chunk);
    bytes += chunk.length;
    if (bytes >= heldBytes) release();
  });
  answer.on("end", () => release(() => outgoing.end()));
  answer.on("error", cut);
  answer.on("close", () => clearTimeout(impatience));
}
