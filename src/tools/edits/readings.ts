/** What a pair of texts may mean, most literal first: as it is, or with the escapes undone that a model left in. */

export interface Reading {
  readonly old: string;
  readonly fresh: string;
}

/** @param old and `fresh` have `\n` for every line end */
export function readingsOf(old: string, fresh: string): readonly Reading[] {
  const readings = [{ old, fresh }];
  if (old.includes("\\n") && !old.includes("\n")) readings.push(...unescapedReadings(old, fresh));
  if (old.includes('\\"')) {
    const isThroughout = fresh.includes('\\"') && !hasBareQuote(fresh);
    readings.push({ old: withQuotes(old), fresh: isThroughout ? withQuotes(fresh) : fresh });
  }
  return readings;
}

/** Escaped once more as a whole; or only its line ends, so that what stands in strings is as it should be. */
function unescapedReadings(old: string, fresh: string): Reading[] {
  const readings: Reading[] = [];
  const whole = hasBareQuote(old) ? null : unescaped(old);
  if (whole !== null) {
    const isThroughout = !fresh.includes("\n") && !hasBareQuote(fresh);
    readings.push({ old: whole, fresh: (isThroughout ? unescaped(fresh) : null) ?? fresh });
  }
  const broken = withLineEnds(old);
  if (broken !== whole) {
    const isThroughout = !fresh.includes("\n");
    const freshBroken = isThroughout ? withLineEnds(fresh) : fresh;
    // Left-over escapes that the old text does not show might be line ends too: nobody could say.
    const isClear = !isThroughout || !freshBroken.includes("\\n") || broken.includes("\\n");
    if (isClear) readings.push({ old: broken, fresh: freshBroken });
  }
  return readings;
}

function hasBareQuote(text: string): boolean {
  return /(?:^|[^\\])(?:\\\\)*"/.test(text);
}

function withQuotes(text: string): string {
  return text.replaceAll('\\"', '"');
}

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f" };

/** @returns null where something is escaped as JSON never does it */
function unescaped(text: string): string | null {
  let isValid = true;
  const plain = text.replaceAll(/\\(u[0-9a-fA-F]{4}|[\s\S])?/g, (_, sign: string | undefined) => {
    if (sign === undefined || !/^(?:u....|["\\/bfnrt])$/.test(sign)) isValid = false;
    if (sign === undefined) return "\\";
    if (sign.length > 1) return String.fromCharCode(Number.parseInt(sign.slice(1), 16));
    return escapes[sign] ?? sign;
  });
  return isValid ? plain.replaceAll("\r\n", "\n") : null;
}

/** `\n` and `\t` outside of quotes, where code has no escapes; a quote that is not closed ends nowhere. */
const quotedOrEscape = /"(?:[^"\\]|\\[\s\S])*"?|'(?:[^'\\]|\\[\s\S])*'?|`(?:[^`\\]|\\[\s\S])*`?|\\[\s\S]/g;

function withLineEnds(text: string): string {
  return text.replaceAll(quotedOrEscape, (part) => {
    if (part === "\\n") return "\n";
    return part === "\\t" ? "\t" : part;
  });
}
