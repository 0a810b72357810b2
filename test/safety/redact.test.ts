/** Redaction: a secret that Loom was given comes out of text in no form. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRedaction, isRedactable, redacted } from "../../src/safety/redact.ts";

const secret = 's3cr3t/+k=y&"v\\alue';

describe("text that carries a secret", () => {
  const redaction = createRedaction([secret, 's3cr3t/+k=y&"v\\alue-and-more']);
  test.each([
    ["as it is", secret],
    ["in a URL", encodeURIComponent(secret)],
    ["in a URL, codes in lower case", encodeURIComponent(secret).replaceAll(/%../g, (code) => code.toLowerCase())],
    ["in JSON", JSON.stringify({ key: secret })],
    ["in base64", Buffer.from(secret).toString("base64")],
    ["in base64url", Buffer.from(secret).toString("base64url")],
    ["in hex", Buffer.from(secret).toString("hex")],
    ["in upper-case hex", Buffer.from(secret).toString("hex").toUpperCase()],
  ])("loses it %s", (_form, text) => {
    const cleaned = redaction.text(`before ${text} after`);
    expect(cleaned).toContain(redacted);
    expect(cleaned).not.toContain(text);
    expect(cleaned).toMatch(/^before .*after$/s);
  });

  test("loses the longest secret first", () => expect(redaction.text(`${secret}-and-more`)).toBe(redacted));

  test("loses it inside base64 of something longer, wherever it stands", () =>
    fc.assert(
      fc.property(
        fc.string({ minLength: 0, maxLength: 9 }),
        fc.string({ minLength: 0, maxLength: 9 }),
        (before, after) => {
          const text = Buffer.from(before + secret + after).toString("base64");
          expect(redaction.text(text)).toContain(redacted);
        },
      ),
    ));
});

describe("a value with secrets inside", () => {
  const redaction = createRedaction(["abcdefgh1234"]);
  test("loses them at every depth, keys included, and keeps its shape", () => {
    const at = new Date(0);
    const value = { list: ["x abcdefgh1234", 1, null, true], inner: { abcdefgh1234: "y" }, at };
    expect(redaction.value(value)).toEqual({ list: [`x ${redacted}`, 1, null, true], inner: { [redacted]: "y" }, at });
    expect(redaction.value(value).at).toBe(at);
    expect(redaction.value("abcdefgh1234")).toBe(redacted);
    expect(redaction.value(Object.assign(Object.create(null) as object, { a: "abcdefgh1234" }))).toEqual({
      a: redacted,
    });
  });
});

describe("a redaction without secrets", () => {
  test("hands back the very same value", () => {
    const none = createRedaction([]);
    const value = { a: ["b"] };
    expect(none.value(value)).toBe(value);
    expect(none.text("text")).toBe("text");
  });
});

describe("a value that is no secret to look for", () => {
  test.each(["", "short", "1234567", "password", "Password", "localhost", "not-needed"])("stays: %j", (value) => {
    expect(isRedactable(value)).toBe(false);
    expect(createRedaction([value]).text(`a ${value} b`)).toBe(`a ${value} b`);
  });
  test("is told apart from one that is", () => expect(isRedactable("sk-1234567890")).toBe(true));
});

describe("a redacted text", () => {
  test("never holds a secret, whatever stands around it", () =>
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 8, maxLength: 20 }), { minLength: 1, maxLength: 4 }),
        fc.string(),
        (secrets, text) => {
          const kept = secrets.filter((value) => isRedactable(value) && !redacted.includes(value));
          const redaction = createRedaction(kept);
          const cleaned = redaction.text(`${text}\n${kept.join("\n")}\n${text}`).replaceAll(redacted, "\n");
          for (const value of kept) expect(cleaned).not.toContain(value);
        },
      ),
    ));
});
