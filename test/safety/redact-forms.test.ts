/** Planted secrets: in every encoding that a tool or a model may print them in, however the text is split on its way. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRedaction, isRedactable, redacted } from "../../src/safety/redact.ts";
import { type Encoding, encodings } from "./encodings.ts";

const secrets = [
  "sk-live-9f8e7d6c5b4a39281706",
  'p@ss w0rd/+&="quoted"\\slashed<tag>',
  "Ünïcödé-schlüssel-ßecret-€42",
  "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  "a%20b%zz~c!d*e'f(g)",
  "0123456789abcdefABCDEF",
  "tok\nwith\tcontrol\r\ncharacters\u0000inside",
];
const redaction = createRedaction(secrets);

/** Where texts are cut: each place of a short one, some hundred of a long one. */
function places(text: string): number[] {
  const step = Math.max(1, Math.floor(text.length / 150));
  return Array.from({ length: Math.floor(text.length / step) }, (_, index) => (index + 1) * step);
}

function streamed(pieces: readonly string[]): string {
  const tokens = redaction.tokens();
  return pieces.map((piece) => tokens.push(piece)).join("") + tokens.end();
}

const rows = secrets.flatMap((secret, index) =>
  encodings.map((encoding): readonly [string, string, Encoding] => [
    `secret ${index + 1} ${encoding.name}`,
    secret,
    encoding,
  ]),
);

describe(`${rows.length} ways to print a secret`, () => {
  test("are more than two hundred", () => expect(rows.length).toBeGreaterThan(200));

  test.each(rows)("%s is taken out, whole and in two pieces cut anywhere", (_name, secret, { encode }) => {
    const text = `before >${encode(secret)}< after`;
    const cleaned = redaction.text(text);
    expect(cleaned).toMatch(/^before >.*< after$/s);
    expect(cleaned).toContain(redacted);
    expect(survivors(cleaned, encode(secret))).toEqual([]);
    for (const at of places(text)) expect(streamed([text.slice(0, at), text.slice(at)])).toBe(cleaned);
    expect(streamed(text.split(""))).toBe(cleaned);
  });
});

/** Pieces of what was planted that are still there, but for the few characters at the ends of base64 that are half something else's. */
function survivors(cleaned: string, encoded: string): string[] {
  const planted = encoded.replace(/(?:=|%3D)+$/, "");
  const length = 8;
  const count = Math.max(1, planted.length - length + 1);
  const pieces = Array.from({ length: count }, (_, index) => planted.slice(index, index + length));
  return pieces.filter((piece) => cleaned.includes(piece) && !redacted.includes(piece) && !/^[\s"<>]*$/.test(piece));
}

const anySecret = fc.oneof(
  fc.string({ minLength: 8, maxLength: 40 }),
  fc.string({ unit: "binary", minLength: 8, maxLength: 24 }),
  fc.base64String({ minLength: 12, maxLength: 64 }),
);

describe("any secret", () => {
  test("is taken out in any encoding, with anything around it, in pieces of any size", () =>
    fc.assert(
      fc.property(
        anySecret.filter((secret) => isRedactable(secret) && secret.isWellFormed()),
        fc.constantFrom(...encodings),
        fc.tuple(fc.string(), fc.string()),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }),
        (secret, { encode }, [before, after], sizes) => {
          const own = createRedaction([secret]);
          const text = `${before} ${encode(secret)} ${after}`;
          const cleaned = own.text(text);
          expect(cleaned).toContain(redacted);
          const tokens = own.tokens();
          let shown = "";
          let from = 0;
          for (let index = 0; from < text.length; index += 1) {
            const size = sizes[index % sizes.length] ?? 1;
            shown += tokens.push(text.slice(from, from + size));
            from += size;
          }
          expect(shown + tokens.end()).toBe(cleaned);
        },
      ),
      { numRuns: 400 },
    ));

  test("leaves other text as it is, and a stream of it gets through but for a few characters", () =>
    fc.assert(
      fc.property(fc.array(fc.lorem(), { maxLength: 20 }), (words) => {
        expect(redaction.text(words.join(" "))).toBe(words.join(" "));
        const tokens = redaction.tokens();
        let held = "";
        for (const word of words) {
          held = (held + word).slice(tokens.push(word).length);
          expect(held.length).toBeLessThan(8);
        }
        expect(tokens.end()).toBe(held);
      }),
    ));
});

describe("a secret of several lines", () => {
  const lines = ["MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "q7h2Jk4mN0pR3sT6uV9wX2yZ5aB8cD1e"];
  const pem = `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`;
  const own = createRedaction([pem]);
  test("is taken out line by line too, as tools number and indent them; its frame stays", () => {
    const printed = lines.map((line, index) => `${index + 2}:   ${line}`).join("\n");
    expect(own.text(`-----BEGIN PRIVATE KEY-----\n${printed}`)).toBe(
      `-----BEGIN PRIVATE KEY-----\n2:   ${redacted}\n3:   ${redacted}`,
    );
    expect(own.text(pem)).toBe(redacted);
  });
});

describe("one of Loom's own keys", () => {
  const key = `loom_0123456789_${"aB3-_".repeat(8)}xyz`;
  const none = createRedaction([]);
  test("is known by its shape, though nobody told it", () => {
    expect(none.text(`LOOM_API_KEY=${key}\n`)).toBe(`LOOM_API_KEY=${redacted}\n`);
    expect(none.text("loom_0123456789_short and loom_run")).toBe("loom_0123456789_short and loom_run");
  });
});

describe("a very long secret", () => {
  test("is taken out whole", () => {
    const long = Array.from({ length: 500 }, (_, index) => (index * 7919).toString(36)).join("-");
    expect(createRedaction([long]).text(`<${long}>`)).toMatch(/^<(\[redacted\])+>$/);
  });
});

describe("a secret that is mostly escapes", () => {
  test("is found, and looked for in no more time than others", () => {
    const odd = `a${"\\\\".repeat(20)}b%%25c`;
    const own = createRedaction([odd]);
    for (const { encode } of encodings) expect(own.text(`<${encode(odd)}>`)).toContain(redacted);
    const near = `a${"\\\\".repeat(2000)}`;
    expect(own.text(near)).toBe(near);
  });
});

describe("the secret of webhooks", () => {
  test("is taken out without its prefix too", () => {
    const bare = Buffer.from("0123456789abcdefghijklmn").toString("base64");
    expect(createRedaction([`whsec_${bare}`]).text(`whsec_${bare} ${bare}`)).toBe(`${redacted} ${redacted}`);
  });
});

describe("what stands under a name that only secrets have", () => {
  test.each([
    "authorization",
    "Authorization",
    "api_key",
    "apiKey",
    "X-API-Key",
    "password",
    "client-secret",
    "Set-Cookie",
  ])("%s is taken out", (name) =>
    expect(createRedaction([]).value({ [name]: "anything" })).toEqual({ [name]: redacted }),
  );
  test.each(["tokens_used", "author", "authors", "token", "key", "password_hint", "max_tokens", "keys", "secretary"])(
    "%s is left",
    (name) => expect(createRedaction([]).value({ [name]: "anything" })).toEqual({ [name]: "anything" }),
  );
  test("is left where it is no text, or none", () => {
    const value = { password: "", secret: 7, api_key: null, cookie: ["a"] };
    expect(createRedaction([]).value(value)).toBe(value);
  });
});

describe("looking for secrets", () => {
  const text = `${"The quick brown fox jumps over the lazy dog; const answer = 42; // nothing secret here\n".repeat(3000)}`;
  const timed = (count: number): number => {
    const many = createRedaction(
      Array.from({ length: count }, (_, index) => `sk-${(index * 7_919_777).toString(36)}-${"x".repeat(20)}${index}`),
    );
    const times = Array.from({ length: 9 }, () => {
      const began = performance.now();
      expect(many.text(text)).toBe(text);
      return performance.now() - began;
    });
    return Math.min(...times);
  };
  test("costs about the same for one secret and for two hundred", () => {
    expect(timed(200)).toBeLessThan(Math.max(40, timed(1) * 12));
  });
});
