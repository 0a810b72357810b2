/** What a prompt may hold: parts cut to the room there is, pinned ones last, and sizes in tokens that are corrected by what came back. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { textSize } from "../../../src/lib/prompt-size.ts";
import {
  allocated,
  cuttable,
  fittedParts,
  fittedText,
  type Part,
  partFloorBytes,
  pinned,
} from "../../../src/roles/context/context-fit.ts";
import { pressureOf, TokenGauge } from "../../../src/roles/context/context-size.ts";
import { withinBytes } from "../../../src/roles/excerpt.ts";

const bytes = (text: string) => Buffer.byteLength(text);
const anyText = fc.oneof(
  fc.string({ maxLength: 3000 }),
  fc.string({ maxLength: 800, unit: "grapheme" }),
  fc.nat({ max: 5000 }).map((length) => "word ".repeat(length / 5)),
);
const anyPart: fc.Arbitrary<Part> = fc
  .record({ text: anyText, isPinned: fc.boolean(), weight: fc.integer({ min: 1, max: 5 }) })
  .map(({ text, isPinned, weight }) => (isPinned ? pinned(text) : cuttable(text, weight)));

describe("a text that is cut to bytes", () => {
  test("never has more of them, begins as it began, and breaks no character", () =>
    fc.assert(
      fc.property(anyText, fc.nat({ max: 4000 }), (given, max) => {
        const text = given.toWellFormed();
        const cut = withinBytes(text, max, "; read on");
        expect(bytes(cut)).toBeLessThanOrEqual(Math.max(max, 0));
        expect(cut.includes("\uFFFD")).toBe(cut.includes("\uFFFD") && text.includes("\uFFFD"));
        expect(bytes(text) > max || cut === text).toBe(true);
        expect(text.startsWith(cut.split("\n[… ")[0] ?? "")).toBe(true);
      }),
    ));

  test("says how much there is and where to read on", () => {
    const cut = withinBytes(`begin${"x".repeat(5000)}end`, 1000, "; read_artifact shows it");
    expect(cut).toMatch(/^begin[\s\S]*5008 bytes in all[\s\S]*read_artifact shows it …\]\nx+end$/);
  });
});

describe("parts of a prompt", () => {
  test("never take more than there is", () =>
    fc.assert(
      fc.property(fc.array(anyPart, { minLength: 1, maxLength: 12 }), fc.nat({ max: 30_000 }), (parts, max) => {
        const texts = fittedParts(parts, max);
        expect(texts.reduce((sum, text) => sum + bytes(text), 0)).toBeLessThanOrEqual(max);
        expect(bytes(fittedText(parts, max))).toBeLessThanOrEqual(Math.max(max, 2 * (parts.length - 1)));
      }),
    ));

  test("are whole where all of them fit", () =>
    fc.assert(
      fc.property(fc.array(anyPart, { minLength: 1, maxLength: 12 }), (parts) => {
        const room = parts.reduce((sum, { text }) => sum + textSize(text), 0);
        expect(fittedParts(parts, room)).toEqual(parts.map(({ text }) => text));
      }),
    ));

  test("that are pinned stay whole as long as the others have their floor", () =>
    fc.assert(
      fc.property(fc.array(anyPart, { minLength: 1, maxLength: 12 }), fc.nat({ max: 5000 }), (parts, more) => {
        const whole = parts.reduce((sum, { text, isPinned }) => sum + (isPinned ? textSize(text) : 0), 0);
        const max = whole + parts.length * partFloorBytes + more;
        const texts = fittedParts(parts, max);
        expect(parts.filter((part, index) => part.isPinned && texts[index] !== part.text)).toEqual([]);
      }),
    ));

  test("all keep their floor where the floors fit", () =>
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ need: fc.nat({ max: 50_000 }), isPinned: fc.boolean(), weight: fc.integer({ min: 1, max: 9 }) }),
          { minLength: 1, maxLength: 30 },
        ),
        fc.nat({ max: 50_000 }),
        (needs, more) => {
          const max = needs.length * partFloorBytes + more;
          for (const [index, given] of allocated(needs, max).entries()) {
            const need = needs[index]?.need ?? 0;
            expect(given).toBeGreaterThanOrEqual(Math.min(need, partFloorBytes));
            expect(given).toBeLessThanOrEqual(need);
          }
        },
      ),
    ));

  test("share what is left by their weight", () => {
    const long = "x".repeat(100_000);
    const [small = "", large = ""] = fittedParts([cuttable(long, 1), cuttable(long, 3)], 8000);
    expect(large.length / small.length).toBeGreaterThan(2.5);
  });
});

describe("the size of a prompt in tokens", () => {
  test("is careful, until the server counts; then only what came after is estimated", () => {
    const gauge = new TokenGauge(4);
    expect(gauge.tokens(4000)).toBeGreaterThan(1000);
    gauge.counted(4000, 900);
    expect(gauge.tokens(4000)).toBe(900);
    expect(gauge.tokens(4300)).toBe(1000);
    gauge.forget();
    expect(gauge.tokens(4000)).toBeGreaterThan(900);
  });

  test("grows when a prompt turns out to have been too long", () => {
    const gauge = new TokenGauge(6);
    gauge.wasOver(6000, 3000);
    expect(gauge.tokens(6000)).toBeGreaterThanOrEqual(3000);
  });

  test("has levels of pressure", () => {
    expect([0, 499, 500, 650, 799, 800, 5000].map((tokens) => pressureOf(tokens, 1000))).toEqual([
      "calm",
      "calm",
      "raised",
      "high",
      "high",
      "full",
      "full",
    ]);
  });
});
