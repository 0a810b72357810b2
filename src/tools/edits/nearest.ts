/** What a block comes nearest to in a file, for a refusal: the stretch that shares most lines, else the line most alike. */
import { likeness } from "./likeness.ts";
import type { Block, LineIndex } from "./line-index.ts";
import { namesIn } from "./normalised-lines.ts";
import type { Difference, Nearest } from "./refusals.ts";
import type { Resemblance } from "./resemblance.ts";

const differencesMax = 3;
const alikeMin = 0.4;

interface Found {
  readonly block: Block;
  readonly like: Resemblance | null;
}

export function nearestOf(index: LineIndex, found: readonly Found[]): Nearest | null {
  const best = found.reduce<Found | null>(
    (most, one) => ((one.like?.equal ?? 0) > (most?.like?.equal ?? 0) ? one : most),
    null,
  );
  if (best !== null && best.like !== null) return stretch(index, best.block, best.like);
  const [first] = found;
  return first === undefined ? null : lineAlike(index, first.block);
}

function stretch(index: LineIndex, block: Block, { from, to, equal, fits }: Resemblance): Nearest {
  const fit = fits[0] ?? { places: [], fits: [] };
  const differences = block.at
    .flatMap((line, nth): Difference[] => {
      if (fit.fits[nth] === "equal") return [];
      const text = block.lines[line] ?? "";
      const place = fit.places[nth] ?? -1;
      return [place === -1 ? { text } : { text, ...lineAt(index, place) }];
    })
    .slice(0, differencesMax);
  return {
    from: (index.at[from] ?? 0) + 1,
    to: (index.at[to - 1] ?? 0) + 1,
    equal,
    of: block.codes.length,
    differences,
  };
}

function lineAt(index: LineIndex, place: number): { readonly line: number; readonly found: string } {
  const at = index.at[place] ?? 0;
  return { line: at + 1, found: index.file.lines[at] ?? "" };
}

/** Only lines that share a name with the longest line of the block are looked at closely. */
function lineAlike(index: LineIndex, block: Block): Nearest | null {
  const wanted = block.texts.reduce((longest, text) => (text.length > longest.length ? text : longest), "");
  const names = [...namesIn(wanted)].filter((name) => name.length > 2);
  let best = { place: -1, likeness: alikeMin };
  for (const [place, text] of index.texts.entries()) {
    if (!names.some((name) => text.includes(name))) continue;
    const alike = likeness(wanted, text);
    if (alike > best.likeness) best = { place, likeness: alike };
  }
  if (best.place === -1) return null;
  const { line, found } = lineAt(index, best.place);
  const text = block.lines[block.at[block.texts.indexOf(wanted)] ?? 0] ?? "";
  return { from: line, to: line, equal: 0, of: block.codes.length, differences: [{ text, line, found }] };
}
