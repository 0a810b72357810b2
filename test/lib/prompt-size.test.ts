/** Sizes of texts: never under their bytes, and over them where a token is worth less than three. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { textSize } from "../../src/lib/prompt-size.ts";

describe("the size of a text", () => {
  test("is never under its bytes, and never over three times its characters and its bytes", () =>
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" })), (text) => {
        expect(textSize(text)).toBeGreaterThanOrEqual(Buffer.byteLength(text));
        expect(textSize(text)).toBeLessThanOrEqual(Math.max(Buffer.byteLength(text), 3 * text.length) + 3);
      }),
    ));

  test.each([
    ["prose", "The quick brown fox jumps over the lazy dog, and nobody knows why it does so. ", 0.9, 1.25],
    ["code", "export function head(text: string, max: number): string {\n  return text.slice(0, max);\n}\n", 1, 1.4],
    ["numbers", "1048576 2097152 4194304\n", 2.2, 3],
    ["a digest", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n", 2, 3],
    ["a rule", "========================================\n", 1, 1],
  ])("of %s is in proportion to its tokens", (_kind, text, least, most) => {
    const share = textSize(text) / Buffer.byteLength(text);
    expect(share).toBeGreaterThanOrEqual(least);
    expect(share).toBeLessThanOrEqual(most);
  });
});
