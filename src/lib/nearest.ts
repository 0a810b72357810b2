/** The nearest known name to one that is unknown, for messages that help. */

/** Longer ones are no slips of the pen, and comparing them costs the square of their length. */
const nameCharsMax = 100;

/** @returns the candidate with the fewest edits, when it is near enough to have been meant */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  const scored = candidates.flatMap((candidate) => {
    const edits = editsBetween(name, candidate);
    return edits === null ? [] : [{ candidate, edits }];
  });
  scored.sort((a, b) => a.edits - b.edits);
  return scored[0]?.candidate;
}

/** @returns how many edits lie between the two, whatever their case; null when they are too many for the one to have been meant by the other */
export function editsBetween(name: string, candidate: string): number | null {
  const editsMax = Math.max(2, Math.floor(name.length / 3));
  const isComparable = name.length <= nameCharsMax && Math.abs(name.length - candidate.length) <= editsMax;
  const edits = isComparable ? editDistance(name.toLowerCase(), candidate.toLowerCase()) : Number.POSITIVE_INFINITY;
  return edits <= editsMax ? edits : null;
}

/** Levenshtein's distance, by rows. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitution));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
