/** Signatures are those of the specification, and each receiver gets the one it can verify. */
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import { createSigner, type Message } from "../../src/feed/webhook-signature.ts";

const made = () => `whsec_${randomBytes(32).toString("base64")}`;
const vector: Message = {
  id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
  timestamp: 1_614_265_330,
  body: '{"test": 2432232314}',
};
const signedFor = (secret: string, { id, timestamp, body }: Message = vector) =>
  new Webhook(secret).sign(id, new Date(timestamp * 1000), body);

describe("a signature", () => {
  test("is that of the specification's example", () => {
    const sign = createSigner({ secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", ofEndpoints: {} });
    expect(sign("https://example.test/", vector)).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  });

  test("is made with both secrets while one takes the place of the other", () => {
    const [fresh, old] = [made(), made()];
    const sign = createSigner({ secret: `${fresh} ${old}`, ofEndpoints: {} });
    expect(sign("https://example.test/", vector)).toBe(`${signedFor(fresh)} ${signedFor(old)}`);
  });

  test("is accepted by the verifier, whatever the body", () => {
    const secret = made();
    const sign = createSigner({ secret, ofEndpoints: {} });
    const timestamp = Math.floor(Date.now() / 1000);
    fc.assert(
      fc.property(fc.json(), fc.string(), (body, name) => {
        const id = `msg_${Buffer.from(name).toString("hex")}`;
        const signature = sign("https://example.test/", { id, timestamp, body });
        const headers = { "webhook-id": id, "webhook-timestamp": String(timestamp), "webhook-signature": signature };
        expect(() => new Webhook(secret).verify(body, headers)).not.toThrow();
      }),
    );
  });
});

describe("a receiver", () => {
  const [general, host, path] = [made(), made(), made()];
  const sign = createSigner({
    secret: general,
    ofEndpoints: { "http://agent:8080": host, "http://agent:8080/deep/": path },
  });
  test.each([
    ["http://agent:8080/done", host],
    ["http://agent:8080", host],
    ["http://agent:8080/deep", path],
    ["http://agent:8080/deep/er?x=1", path],
    ["http://agent:8080/deeper", host],
    ["http://agent:8081/done", general],
    ["https://agent:8080/done", general],
    ["http://agent:8080.example.test/", general],
    ["no url", general],
  ])("%s gets the signature of the nearest address", (url, secret) => {
    expect(sign(url, vector)).toBe(signedFor(secret));
  });
});
