/**
 * Replies that go round in circles: small models say one piece over and over until the token limit ends them. Only what is
 * word for word the same counts, and only once it fills a good part of what the reply may hold: texts may repeat themselves. Pure.
 */

const charactersPerToken = 4;
/** Of what a reply may hold. A file that a call writes may well be one line many times over. */
const shares = { prose: 1 / 4, call: 1 / 2 } as const;
const leastCharacters = { prose: 400, call: 800 } as const;
const timesMin = 5;
/** So many times the stretch that is wanted of a short piece is looked at for longer ones. */
const stretches = [1, 2, 4] as const;

export interface Circle {
  /** Of the text as far as it says something new: once round. */
  readonly end: number;
}

/** @param maxTokens of the whole reply @returns where a text that ends in circles begins to repeat itself; null for any other */
export function circleIn(text: string, maxTokens: number): Circle | null {
  const kind = /[{[<]/.test(text) ? "call" : "prose";
  const wanted = Math.max(leastCharacters[kind], Math.floor(maxTokens * charactersPerToken * shares[kind]));
  for (const times of stretches) {
    const length = wanted * times;
    if (length > text.length) return null;
    const period = periodOf(text.slice(-length));
    if (period * timesMin <= length) return { end: beginning(text, period) + period };
  }
  return null;
}

/** Of the longest repetition that ends the text: where it begins. */
function beginning(text: string, period: number): number {
  let start = text.length - period;
  while (start > 0 && text[start - 1] === text[start - 1 + period]) start -= 1;
  return start;
}

/** The smallest shift by which a text is itself: its length less its longest border (Knuth, Morris and Pratt). */
function periodOf(text: string): number {
  const borders = new Int32Array(text.length);
  let border = 0;
  for (let at = 1; at < text.length; at += 1) {
    while (border > 0 && text[at] !== text[border]) border = borders[border - 1] ?? 0;
    if (text[at] === text[border]) border += 1;
    borders[at] = border;
  }
  return text.length - border;
}
