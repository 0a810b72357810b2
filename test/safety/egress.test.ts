/** Egress over real sockets on this machine: what is refused, what is dialled, and what is cut short. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { forbiddenClass } from "../../src/safety/addresses.ts";
import { createEgress, type Lookup } from "../../src/safety/egress.ts";

let server: Server;
let base = "";
const seen: {
  readonly method: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly path: string;
}[] = [];

beforeAll(async () => {
  server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const path = request.url ?? "";
  seen.push({ method: request.method ?? "", headers: request.headers, body: Buffer.concat(chunks).toString(), path });
  const to = new URL(path, base).searchParams.get("to");
  if (path.startsWith("/hop"))
    response.writeHead(Number(/\d+/.exec(path)?.[0]), { location: to ?? "/end" }).end("moved");
  else if (path === "/large") response.end("x".repeat(100_000));
  else if (path === "/zipped")
    response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("y".repeat(1_000_000)));
  else if (path === "/silent") response.flushHeaders();
  else response.writeHead(200, { "content-type": "text/plain" }).end("hello");
}

const request = {
  method: "GET" as const,
  headers: {},
  maxBytes: 1_000_000,
  timeoutMs: 5000,
  maxRedirects: 5,
  allowPrivate: true,
  signal: new AbortController().signal,
};

const here: Lookup = async () => [{ address: "127.0.0.1", family: 4 }];

describe("the class of an address", () => {
  test.each([
    ["127.0.0.1", "loopback"],
    ["127.9.9.9", "loopback"],
    ["10.0.0.1", "private"],
    ["172.16.0.1", "private"],
    ["192.168.1.1", "private"],
    ["100.64.0.1", "carrierGradeNat"],
    ["169.254.1.1", "linkLocal"],
    ["169.254.169.254", "metadata"],
    ["100.100.100.200", "metadata"],
    ["0.0.0.0", "unspecified"],
    ["224.0.0.1", "multicast"],
    ["255.255.255.255", "broadcast"],
    ["192.0.2.1", "reserved"],
    ["::", "unspecified"],
    ["::1", "loopback"],
    ["::ffff:127.0.0.1", "loopback"],
    ["::ffff:169.254.169.254", "metadata"],
    ["::127.0.0.1", "loopback"],
    ["64:ff9b::10.0.0.1", "private"],
    ["64:ff9b:1::8.8.8.8", "translated"],
    ["2002:7f00:1::", "loopback"],
    ["2001::1", "teredo"],
    ["fe80::1", "linkLocal"],
    ["fe80::1%eth0", "linkLocal"],
    ["fc00::1", "uniqueLocal"],
    ["fd00:ec2::254", "metadata"],
    ["ff02::1", "multicast"],
    ["2001:db8::1", "reserved"],
    ["no address", "unreadable"],
  ])("keeps %s out as %s", (address, name) => expect(forbiddenClass(address, { allowPrivate: false })).toBe(name));

  test.each(["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::"])(
    "lets %s pass",
    (address) => expect(forbiddenClass(address, { allowPrivate: false })).toBeNull(),
  );

  test("lets addresses of one's own network pass when asked to, and those of metadata services never", () => {
    const own = ["127.0.0.1", "::1", "10.0.0.1", "fc00::1", "100.64.0.1"].map((address) =>
      forbiddenClass(address, { allowPrivate: true }),
    );
    expect(own).toEqual([null, null, null, null, null]);
    for (const address of ["169.254.169.254", "100.100.100.200", "fd00:ec2::254", "0.0.0.0", "fe80::1", "224.0.0.1"]) {
      expect(forbiddenClass(address, { allowPrivate: true })).not.toBeNull();
    }
  });
});

describe("a URL that must not be requested", () => {
  const egress = createEgress({
    lookup: async (name) => [{ address: name === "public.test" ? "8.8.8.8" : "10.1.2.3", family: 4 }],
  });
  test.each([
    ["ftp://public.test/x", "its scheme"],
    ["file:///etc/passwd", "its scheme"],
    ["http://me:secret@public.test/", "carries credentials"],
    ["not a url", "it is no URL"],
    ["http://internal.test/", "10.1.2.3, a private address"],
    ["http://127.0.0.1/", "a loopback address"],
    ["http://2130706433/", "a loopback address"],
    ["http://0x7f.1/", "a loopback address"],
    ["http://017700000001/", "a loopback address"],
    ["http://[::1]/", "a loopback address"],
    ["http://[::ffff:10.0.0.1]/", "a private address"],
    ["http://169.254.169.254/latest/", "a metadata address"],
  ])("is refused with the reason: %s", async (url, reason) => {
    const refused = egress.fetch(url, { ...request, allowPrivate: false });
    await expect(refused).rejects.toMatchObject({
      code: "host_refused",
      message: expect.stringContaining(reason) as string,
    });
    const checked = await egress.check(url, { allowPrivate: false, signal: request.signal });
    expect(checked).toContain(reason);
    expect(checked).not.toContain("secret");
  });

  test("is refused when only one of its addresses is out of bounds", async () => {
    const two = createEgress({
      lookup: async () => [
        { address: "8.8.8.8", family: 4 },
        { address: "::1", family: 6 },
      ],
    });
    expect(await two.check("http://two.test/", { allowPrivate: false, signal: request.signal })).toContain(
      "::1, a loopback address",
    );
  });

  test("is told apart from one whose name cannot be resolved", async () => {
    const nowhere = createEgress({ lookup: () => Promise.reject(new Error("ENOTFOUND")) });
    expect(await nowhere.check("http://nowhere.test/", { allowPrivate: false, signal: request.signal })).toBeNull();
    await expect(nowhere.fetch("http://nowhere.test/", request)).rejects.toMatchObject({
      code: "server_unreachable",
      message: expect.stringContaining("ENOTFOUND") as string,
    });
    const empty = createEgress({ lookup: async () => [] });
    await expect(empty.fetch("http://empty.test/", request)).rejects.toMatchObject({ code: "server_unreachable" });
  });

  test("passes the check when it is public", async () => {
    expect(await egress.check("https://public.test/", { allowPrivate: false, signal: request.signal })).toBeNull();
  });
});

describe("a request", () => {
  const egress = createEgress({ lookup: here });

  test("goes to the address that was checked, under the name that was asked for", async () => {
    let lookups = 0;
    const rebinding = createEgress({
      lookup: async () => {
        lookups += 1;
        return [{ address: lookups === 1 ? "127.0.0.1" : "169.254.169.254", family: 4 }];
      },
    });
    const { port } = new URL(base);
    const answered = await rebinding.fetch(`http://rebind.test:${port}/`, request);
    expect({ status: answered.status, text: Buffer.from(answered.body).toString(), lookups }).toEqual({
      status: 200,
      text: "hello",
      lookups: 1,
    });
    expect(seen.at(-1)?.headers.host).toBe(`rebind.test:${port}`);
  });

  test("carries method, headers and body", async () => {
    await createEgress().fetch(`${base}/post`, {
      ...request,
      method: "POST",
      body: "payload",
      headers: { "x-test": "1" },
    });
    expect(seen.at(-1)).toMatchObject({ method: "POST", body: "payload", headers: { "x-test": "1" } });
  });

  test("is cut at the size it may have, compressed or not", async () => {
    for (const path of ["/large", "/zipped"]) {
      const answered = await egress.fetch(base + path, { ...request, maxBytes: 1000 });
      expect({ bytes: answered.body.byteLength, truncated: answered.truncated }).toEqual({
        bytes: 1000,
        truncated: true,
      });
    }
    const whole = await egress.fetch(`${base}/large`, { ...request, maxBytes: 100_000 });
    expect({ bytes: whole.body.byteLength, truncated: whole.truncated }).toEqual({ bytes: 100_000, truncated: false });
  });

  test("ends when its time is up, and says so", async () => {
    const late = egress.fetch(`${base}/silent`, { ...request, timeoutMs: 60 });
    await expect(late).rejects.toMatchObject({
      code: "server_unreachable",
      message: expect.stringContaining("60 ms") as string,
    });
  });

  test("ends with the caller's reason when it is aborted", async () => {
    const stop = new AbortController();
    const reason = new Error("cancelled");
    const silent = egress.fetch(`${base}/silent`, { ...request, signal: stop.signal });
    stop.abort(reason);
    await expect(silent).rejects.toBe(reason);
    await expect(egress.check("http://slow.test", { allowPrivate: true, signal: stop.signal })).rejects.toBe(reason);
  });

  test("says what it could not reach", async () => {
    await expect(egress.fetch("http://127.0.0.1:1/", request)).rejects.toMatchObject({
      code: "server_unreachable",
      message: expect.stringContaining("127.0.0.1:1") as string,
    });
  });
});

describe("a redirect", () => {
  const egress = createEgress({ lookup: here });

  test("is followed to its end, a POST becoming a GET where HTTP says so", async () => {
    const answered = await egress.fetch(`${base}/hop/302`, { ...request, method: "POST", body: "b" });
    expect({ status: answered.status, url: answered.url }).toEqual({ status: 200, url: `${base}/end` });
    expect(seen.at(-1)).toMatchObject({ method: "GET", body: "" });
    await egress.fetch(`${base}/hop/307`, { ...request, method: "POST", body: "b" });
    expect(seen.at(-1)).toMatchObject({ method: "POST", body: "b", path: "/end" });
    await egress.fetch(`${base}/hop/308`, request);
    expect(seen.at(-1)).toMatchObject({ method: "GET", path: "/end" });
  });

  test("is checked like a first request", async () => {
    const to = encodeURIComponent("http://169.254.169.254/latest");
    await expect(egress.fetch(`${base}/hop/302?to=${to}`, request)).rejects.toMatchObject({
      code: "host_refused",
      message: expect.stringContaining("metadata") as string,
    });
    const bad = encodeURIComponent("http://[");
    await expect(egress.fetch(`${base}/hop/302?to=${bad}`, request)).rejects.toMatchObject({ code: "host_refused" });
  });

  test("carries no credentials to another origin, and keeps them on the same one", async () => {
    const { port } = new URL(base);
    const headers = { authorization: "Bearer x", "x-test": "1" };
    await egress.fetch(`${base}/hop/302?to=${encodeURIComponent(`http://other.test:${port}/end`)}`, {
      ...request,
      headers,
    });
    expect(seen.at(-1)?.headers).toMatchObject({ "x-test": "1" });
    expect(seen.at(-1)?.headers).not.toHaveProperty("authorization");
    await egress.fetch(`${base}/hop/302`, { ...request, headers });
    expect(seen.at(-1)?.headers).toMatchObject({ authorization: "Bearer x" });
  });

  test("comes back as it is when no more may be followed", async () => {
    const answered = await egress.fetch(`${base}/hop/301`, { ...request, maxRedirects: 0 });
    expect({ status: answered.status, location: answered.headers["location"] }).toEqual({
      status: 301,
      location: "/end",
    });
    const loop = await egress.fetch(`${base}/hop/302?to=${encodeURIComponent("/hop/302?to=/hop/302")}`, {
      ...request,
      maxRedirects: 1,
    });
    expect(loop.status).toBe(302);
  });
});
