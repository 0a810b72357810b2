/** Facts made to fit where there is a limit of bytes: long texts are cut first, long lists only when that was not enough. */

export interface Fitted {
  /** As JSON. */
  readonly text: string;
  readonly isCut: boolean;
}

interface Cut {
  readonly chars: number;
  readonly items: number;
}

/** Ever harder. */
const cuts: readonly Cut[] = [
  ...[4096, 1024, 256, 64].map((chars) => ({ chars, items: Number.POSITIVE_INFINITY })),
  ...[64, 16, 4, 1].map((items) => ({ chars: 64, items })),
];

/** Every name stands at the outermost level, whatever is cut. @returns null when not even the hardest cut fits */
export function fitted(facts: object, bytesMax: number): Fitted | null {
  const whole = JSON.stringify(facts);
  if (Buffer.byteLength(whole) <= bytesMax) return { text: whole, isCut: false };
  for (const cut of cuts) {
    const text = JSON.stringify(
      Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, trimmed(value, cut)])),
    );
    if (Buffer.byteLength(text) <= bytesMax) return { text, isCut: true };
  }
  return null;
}

function trimmed(value: unknown, cut: Cut): unknown {
  if (typeof value === "string") return shortened(value, cut.chars);
  if (Array.isArray(value)) return value.slice(0, cut.items).map((item) => trimmed(item, cut));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).slice(0, Math.max(cut.items, 4));
  return Object.fromEntries(entries.map(([name, member]) => [name, trimmed(member, cut)]));
}

/** Says what is missing, and never ends in half a character. */
export function shortened(text: string, chars: number): string {
  if (text.length <= chars) return text;
  const head = text.slice(0, chars).replace(/[\uD800-\uDBFF]$/, "");
  return `${head}… [cut: ${Buffer.byteLength(text)} bytes in all]`;
}
