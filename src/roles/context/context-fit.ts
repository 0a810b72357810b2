/**
 * Makes the parts of a prompt fit the room there is. What is pinned stays whole as long as it can, what is not gives way
 * first, and nothing that was there disappears: each part keeps at least a floor. Room is in bytes of text no denser than code. Pure.
 */
import { textSize } from "../../lib/prompt-size.ts";
import { withinBytes } from "../excerpt.ts";

export interface Part {
  readonly text: string;
  /** Given way to by all that is not. */
  readonly isPinned: boolean;
  /** How much of the room is this part's when there is too little, beside others of its kind. */
  readonly weight: number;
  readonly shorten: (text: string, bytesMax: number) => string;
}

export function pinned(text: string, shorten: Part["shorten"] = withinBytes): Part {
  return { text, isPinned: true, weight: 1, shorten };
}

export function cuttable(text: string, weight = 1, shorten: Part["shorten"] = withinBytes): Part {
  return { text, isPinned: false, weight, shorten };
}

/** No part is cut below this, unless all of them have to be. */
export const partFloorBytes = 240;
const separator = "\n\n";

/** @returns the parts that say something, one after another, in at most `bytesMax` bytes */
export function fittedText(parts: readonly Part[], bytesMax: number): string {
  const said = parts.filter(({ text }) => text !== "");
  const room = bytesMax - separator.length * Math.max(0, said.length - 1);
  return fittedParts(said, room).join(separator);
}

/** @returns the text of each part, in at most `bytesMax` bytes together */
export function fittedParts(parts: readonly Part[], bytesMax: number): string[] {
  const needs = parts.map(({ text }) => textSize(text));
  const rooms = allocated(
    parts.map(({ isPinned, weight }, index) => ({ need: needs[index] ?? 0, isPinned, weight })),
    Math.max(0, bytesMax),
  );
  return parts.map(({ text, shorten }, index) => {
    const room = rooms[index] ?? 0;
    const need = needs[index] ?? 0;
    // Dense text has fewer bytes in the same room.
    return need <= room ? text : shorten(text, Math.floor((room * Buffer.byteLength(text)) / need));
  });
}

export interface Need {
  readonly need: number;
  readonly isPinned: boolean;
  readonly weight: number;
}

/** @returns how much each gets: never more than it needs, nor more than there is together */
export function allocated(needs: readonly Need[], max: number): number[] {
  const total = needs.reduce((sum, { need }) => sum + need, 0);
  if (total <= max) return needs.map(({ need }) => need);
  const floor = Math.min(partFloorBytes, Math.floor(max / needs.length));
  const given = needs.map(({ need }) => Math.min(need, floor));
  let rest = max - given.reduce((sum, bytes) => sum + bytes, 0);
  rest = pour(needs, given, { rest, isPinned: true });
  pour(needs, given, { rest, isPinned: false });
  return given;
}

/** Hands out what is left by weight; what one does not need goes to the others. @returns what is left then */
function pour(
  needs: readonly Need[],
  given: number[],
  { rest, isPinned }: { rest: number; isPinned: boolean },
): number {
  let left = rest;
  let open = needs.flatMap((each, index) =>
    each.isPinned === isPinned && each.need > (given[index] ?? 0) ? [{ ...each, index }] : [],
  );
  while (open.length > 0 && left > 0) {
    const unit = left / open.reduce((sum, { weight }) => sum + weight, 0);
    const wants = ({ need, index }: { need: number; index: number }) => need - (given[index] ?? 0);
    const sated = open.filter((each) => wants(each) <= unit * each.weight);
    for (const each of sated.length > 0 ? sated : open) {
      const more = Math.min(wants(each), sated.length > 0 ? Number.POSITIVE_INFINITY : Math.floor(unit * each.weight));
      given[each.index] = (given[each.index] ?? 0) + more;
      left -= more;
    }
    if (sated.length === 0) return left;
    open = open.filter((each) => !sated.includes(each));
  }
  return left;
}
