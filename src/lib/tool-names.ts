/** Tool names as models write them: the tool that is meant where only one can be, else the nearest ones to name in the error. */

/** @returns the name of the offered tool that `written` means, or null when none or several could be meant */
export function meantTool(written: string, offered: readonly string[]): string | null {
  if (offered.includes(written)) return written;
  const candidates = offered.filter(
    (name) => plain(name) === plain(written) || plain(name) === plain(withoutPrefix(written)),
  );
  return candidates.length === 1 ? (candidates[0] ?? null) : null;
}

/** @returns up to three offered names: those that begin with the same word, then the most alike; all of them when none is alike */
export function nearestTools(written: string, offered: readonly string[]): string[] {
  const bare = withoutPrefix(written);
  const near = offered
    .map((name) => ({
      name,
      distance: distance(plain(bare), plain(name)),
      isOfTheKind: firstWord(bare) === firstWord(name),
    }))
    .filter(({ name, distance: away, isOfTheKind }) => isOfTheKind || away <= Math.ceil(name.length / 2))
    .sort((a, b) => Number(b.isOfTheKind) - Number(a.isOfTheKind) || a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => name);
  return near.length > 0 ? near : [...offered];
}

/** What is to be done, as a rule: `list` of `list_files` and of `listFiles`. */
function firstWord(name: string): string | undefined {
  return /^(?:[A-Z]?[a-z0-9]+|[A-Z]+)/.exec(name)?.[0].toLowerCase();
}

/** `functions.read_file`, `default_api:read_file`, `tools/read_file` */
function withoutPrefix(name: string): string {
  return name.split(/[.:/]/).at(-1) ?? name;
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of a.split("").entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j += 1) {
      const replaced = (row[j] ?? 0) + (letter === b[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
