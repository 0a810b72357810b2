/** Which texts go round in circles, and which merely repeat themselves as texts do. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { circleIn } from "../../src/models/circling.ts";

/** Holds 2000 characters: prose may say the same for 500 of them, a call for 1000. */
const maxTokens = 500;
const sentence = "You can't finish a task that doesn't exist. ";

describe("a text that ends in circles", () => {
  test.each([
    ["a sentence", "So it is:", sentence, 12],
    ["an empty fence", "", "```\n\n", 100],
    ["a character", "Hm", "a", 500],
    ["one phrase and another in turn", "I see:", "no file has been changed, no command has been run, ", 10],
    ["a long paragraph", "", `- ${"word ".repeat(40)}\n`, 10],
    ["the summary of a call", '{"tool":"finish","summary":"', "ListDirectory is not empty. ", 40],
  ])("is cut once round: %s", (_name, before, piece, times) => {
    const text = before + piece.repeat(times);
    expect(text.slice(0, circleIn(text, maxTokens)?.end)).toBe(before + piece);
  });

  test("is cut there too in the middle of a round", () => {
    const text = `So:${sentence.repeat(12)}You can't fin`;
    expect(text.slice(0, circleIn(text, maxTokens)?.end)).toBe(`So:${sentence}`);
  });
});

describe("a text that repeats itself", () => {
  test.each([
    ["is short", sentence.repeat(8)],
    ["is a file that a call writes", `{"tool":"write_file","path":"a.txt","content":"${"hello\\n".repeat(100)}`],
    ["has said something else since", `${sentence.repeat(40)}But now for something else.`],
    ["is never the same twice", Array.from({ length: 400 }, (_each, at) => `row ${at}, `).join("")],
    ["is four long paragraphs", `${"word ".repeat(100)}\n`.repeat(4)],
  ])("goes on when it %s", (_name, text) => {
    expect(circleIn(text, maxTokens)).toBeNull();
  });

  test("may do so for longer where the reply may be longer", () => {
    const text = sentence.repeat(20);
    expect(circleIn(text, 500)).not.toBeNull();
    expect(circleIn(text, 4000)).toBeNull();
  });
});

describe("laws", () => {
  const piece = fc.string({ minLength: 1, maxLength: 40 });

  test("any piece is cut once it fills what a reply may hold, and no more is left than the text before it and two of it", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), piece, (before, round) => {
        const text = before + round.repeat(Math.ceil((maxTokens * 4) / round.length));
        const end = circleIn(text, maxTokens)?.end ?? Number.POSITIVE_INFINITY;
        expect(end).toBeLessThanOrEqual(before.length + 2 * round.length);
        expect(end).toBeGreaterThan(0);
      }),
    );
  });

  test("what is kept, said again from where it came, is the whole text", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), piece, (before, round) => {
        const text = before + round.repeat(Math.ceil((maxTokens * 4) / round.length));
        const end = circleIn(text, maxTokens)?.end ?? 0;
        const period = Array.from({ length: end }, (_each, at) => at + 1).find((shift) =>
          text.startsWith(text.slice(end - shift, text.length - shift), end),
        );
        expect(period).toBeLessThanOrEqual(round.length);
      }),
    );
  });

  test("a text of which no half says one piece five times is left alone", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 600, maxLength: 900 }), (numbers) => {
        fc.pre(new Set(numbers.slice(-80)).size > 70);
        expect(circleIn(numbers.join(" "), maxTokens)).toBeNull();
      }),
    );
  });
});
