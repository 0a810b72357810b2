/** Lost tests: what tests a change took away, skipped or emptied, by comparing files before and after. Pure. */
import { type TestCase, testCasesIn } from "./test-cases.ts";

export interface TestFileChange {
  readonly path: string;
  /** Null where the file was not there, or is not there any more. */
  readonly before: string | null;
  readonly after: string | null;
}

export interface TestLoss {
  readonly removed: readonly string[];
  readonly skipped: readonly string[];
  /** Still there, and nothing in them can fail any more. */
  readonly emptied: readonly string[];
}

/**
 * A case counts by its name, wherever it stands: moving it loses nothing. One that was renamed shows as a new case in the
 * same change; so many missing names are forgiven as there are new cases that check something.
 */
export function lostTests(changes: readonly TestFileChange[]): TestLoss {
  const before = casesIn(changes, ({ path, before: text }) => ({ path, text }));
  const after = casesIn(changes, ({ path, after: text }) => ({ path, text }));
  const works = ({ isSkipped, isHollow }: TestCase) => !isSkipped && !isHollow;
  const missing = [...before].filter(([name, one]) => !after.has(name) && !one.isSkipped).map(([name]) => name);
  const fresh = [...after].filter(([name, one]) => !before.has(name) && works(one)).length;
  const kept = [...before].flatMap(([name, one]) => {
    const now = after.get(name);
    return now === undefined ? [] : [{ name, one, now }];
  });
  const skipped = kept.filter(({ one, now }) => now.isSkipped && !one.isSkipped);
  const emptied = kept.filter(({ one, now }) => works(one) && now.isHollow && !now.isSkipped);
  return {
    removed: missing.slice(fresh),
    skipped: skipped.map(({ name }) => name),
    emptied: emptied.map(({ name }) => name),
  };
}

function casesIn(
  changes: readonly TestFileChange[],
  side: (change: TestFileChange) => { readonly path: string; readonly text: string | null },
): Map<string, TestCase> {
  const found = new Map<string, TestCase>();
  const seen = new Map<string, number>();
  for (const change of changes) {
    const { path, text } = side(change);
    for (const one of text === null ? [] : testCasesIn(path, text)) {
      const nth = (seen.get(one.name) ?? 0) + 1;
      seen.set(one.name, nth);
      found.set(nth === 1 ? one.name : `${one.name} (${nth})`, one);
    }
  }
  return found;
}

const namesShown = 8;

/** @returns what was lost, in a sentence; empty when nothing was */
export function lossText({ removed, skipped, emptied }: TestLoss): string {
  const said = [
    { what: "removed", names: removed },
    { what: "skipped", names: skipped },
    { what: "emptied of every check", names: emptied },
  ].filter(({ names }) => names.length > 0);
  return said
    .map(({ what, names }) => {
      const shown = names.slice(0, namesShown).map((name) => `"${name}"`);
      const more = names.length > namesShown ? ` and ${names.length - namesShown} more` : "";
      return `${names.length} ${names.length === 1 ? "test" : "tests"} ${what}: ${shown.join(", ")}${more}.`;
    })
    .join(" ");
}
