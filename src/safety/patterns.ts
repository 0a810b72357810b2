/** Patterns of rules: texts with `*`, paths with `*` and `**`. Each is answered in time in proportion to both lengths. */

/** Does `*`, which stands for any text, let the pattern be this text? */
export function matchesText(pattern: string, text: string): boolean {
  return walk(pattern, text, (_character) => true);
}

/** The same for paths: `*` and `?` stay within a component, `**` does not; `infra/**` is also `infra`. */
export function matchesPath(pattern: string, path: string): boolean {
  const plain = pathPattern(pattern);
  if (plain.endsWith("/**") && walk(plain.slice(0, -3), path, isWithin)) return true;
  return walk(plain, path, isWithin);
}

/** Could a pattern of the shell and one of a rule stand for the same path? Bracket expressions count as any character. */
export function mayMeet(pattern: string, shellPattern: string): boolean {
  const [a, b] = [tokensOf(pathPattern(pattern)), tokensOf(shellPattern.replaceAll(/\[[^\]/]*\]/g, "?"))];
  if (a.length * b.length > meetingMax) return true;
  const width = b.length + 1;
  const seen = new Set([0]);
  for (const place of seen) {
    const [i, j] = [Math.floor(place / width), place % width];
    for (const next of closure(new Set([i]), a)) seen.add(next * width + j);
    for (const next of closure(new Set([j]), b)) seen.add(i * width + next);
    const [one, other] = [a[i], b[j]];
    if (one !== undefined && other !== undefined && shareCharacter(one, other))
      seen.add((isStar(one) ? i : i + 1) * width + (isStar(other) ? j : j + 1));
  }
  return seen.has(a.length * width + b.length);
}

function shareCharacter(one: string, other: string): boolean {
  return one === other || accepts(one, other) || accepts(other, one);
}

/** Does a token that stands for several characters take this one, or what this one may be? */
function accepts(token: string, other: string): boolean {
  return token === "**" || ((token === "*" || token === "?") && other !== "/");
}

/** Does the pattern lie below this folder, as far as its plain beginning tells? */
export function liesBelow(pattern: string, folder: string): boolean {
  const plain = pathPattern(pattern);
  const head = /^[^*?]*/.exec(plain)?.[0] ?? "";
  return folder === "." || head.startsWith(`${folder}/`) || (head !== plain && `${folder}/`.startsWith(head));
}

const meetingMax = 1_000_000;

function pathPattern(pattern: string): string {
  return pattern.replace(/^(\.\/)+/, "").replace(/(?<=.)\/$/, "/**");
}

const isWithin = (character: string) => character !== "/";

/** Greedy, coming back only to the last star of each kind. */
function walk(pattern: string, text: string, single: (character: string) => boolean): boolean {
  const tokens = tokensOf(pattern);
  let states = new Set([0]);
  for (const character of text) {
    const next = new Set<number>();
    for (const state of closure(states, tokens)) step({ state, character, tokens, next, single });
    if (next.size === 0) return false;
    states = next;
  }
  return closure(states, tokens).has(tokens.length);
}

interface Step {
  readonly state: number;
  readonly character: string;
  readonly tokens: readonly string[];
  readonly next: Set<number>;
  readonly single: (character: string) => boolean;
}

function step({ state, character, tokens, next, single }: Step): void {
  const token = tokens[state];
  if (token === undefined) return;
  if (token === "**" || (token === "*" && single(character))) next.add(state);
  else if (token === character || (token === "?" && single(character))) next.add(state + 1);
}

// A star may stand for nothing; so may two with their slash: two stars, /a is also a.
function closure(states: ReadonlySet<number>, tokens: readonly string[]): Set<number> {
  const all = new Set(states);
  for (const state of all) {
    if (isStar(tokens[state])) all.add(state + 1);
    if (tokens[state] === "**" && tokens[state + 1] === "/") all.add(state + 2);
  }
  return all;
}

function tokensOf(pattern: string): string[] {
  return (
    pattern.match(/\*\*+|[\s\S]/gu)?.map((token) => (token.length > 1 && token.startsWith("*") ? "**" : token)) ?? []
  );
}

function isStar(token: string | undefined): boolean {
  return token === "*" || token === "**";
}
