/** What the model SDKs need of `fetch`, over a real socket: answers, errors, redirects, connections kept, streams left early. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { transport } from "../../src/safety/transport.ts";

interface Server extends AsyncDisposable {
  readonly url: string;
  readonly connections: () => number;
}

async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  let connections = 0;
  const server = createServer(handle).on("connection", () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function textOf(body: unknown): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body as AsyncIterable<Uint8Array>) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

describe("a request to a model server", () => {
  test("brings method, headers and body there, and the answer back", async () => {
    await using server = await serve((request, response) => {
      void textOf(request).then((body) => {
        response.writeHead(201, { "x-many": ["a", "b"], "content-type": "application/json" });
        response.end(JSON.stringify({ method: request.method, key: request.headers["x-api-key"], body }));
      });
    });
    const answer = await transport(server.url, { method: "POST", headers: { "x-api-key": "k" }, body: '{"a":1}' });
    expect([answer.status, answer.ok, answer.url]).toEqual([201, true, server.url]);
    expect(answer.headers.get("x-many")).toBe("a, b");
    expect(await answer.json()).toEqual({ method: "POST", key: "k", body: '{"a":1}' });
  });

  test("hands out an error status with its text", async () => {
    await using server = await serve((_request, response) => response.writeHead(429, { "retry-after": "3" }).end("no"));
    const answer = await transport(new URL(server.url));
    expect([answer.status, answer.ok, answer.headers.get("retry-after")]).toEqual([429, false, "3"]);
    expect(await answer.text()).toBe("no");
  });

  test("follows a redirect as fetch does", async () => {
    await using server = await serve((request, response) => {
      if (request.url === "/new") response.end("here");
      else response.writeHead(308, { location: "/new" }).end();
    });
    expect(await (await transport(`${server.url}/old`)).text()).toBe("here");
  });

  test("leaves what it does not serve to fetch", async () => {
    await using server = await serve((request, response) => request.pipe(response));
    expect(await (await transport(new Request(server.url))).text()).toBe("");
    const bytes = new TextEncoder().encode("bytes");
    expect(await (await transport(server.url, { method: "POST", body: bytes })).text()).toBe("bytes");
  });

  test("fails with the signal, before and in the middle of the answer", async () => {
    await using server = await serve((request, response) => {
      if (request.url === "/some") response.write("some");
    });
    const before = new AbortController();
    const pending = transport(server.url, { signal: before.signal });
    before.abort(new Error("enough"));
    await expect(pending).rejects.toThrow("enough");
    const within = new AbortController();
    const answer = await transport(`${server.url}/some`, { signal: within.signal });
    const reading = textOf(answer.body);
    within.abort(new Error("enough"));
    await expect(reading).rejects.toThrow(/aborted|enough/i);
  });

  test("keeps its connections when answers are left just before their end", async () => {
    await using server = await serve((_request, response) => {
      response.write("data: [DONE]\n\n");
      setImmediate(() => response.end());
    });
    for (let call = 0; call < 30; call += 1) {
      const answer = await transport(server.url);
      for await (const _piece of answer.body as unknown as AsyncIterable<Uint8Array>) break;
      await new Promise(setImmediate);
    }
    // A call may come before the rest of the one before has gone by, and then needs another; most do not.
    expect(server.connections()).toBeLessThan(15);
  });

  test("ends a connection at once whose answer is cancelled", async () => {
    const closed = Promise.withResolvers<void>();
    await using server = await serve((_request, response) => {
      response.write("some");
      response.on("close", () => closed.resolve());
    });
    const answer = await transport(server.url);
    await answer.body?.cancel();
    await closed.promise;
    await expect(textOf(answer.body)).rejects.toThrow(/abort|destroy|premature/i);
  });

  test("ends a connection whose answer goes on after it was left", async () => {
    const closed = Promise.withResolvers<void>();
    await using server = await serve((_request, response) => {
      const more = setInterval(() => response.write("more"), 20);
      response.on("close", () => {
        clearInterval(more);
        closed.resolve();
      });
    });
    const answer = await transport(server.url);
    for await (const _piece of answer.body as unknown as AsyncIterable<Uint8Array>) break;
    await closed.promise;
    expect(server.connections()).toBe(1);
  });
});
