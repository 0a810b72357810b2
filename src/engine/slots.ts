/**
 * Slots and lanes: which of the wanted effects start now. A subtask holds one slot from its first leg until verdict, park
 * or yield. In a lane one effect runs at a time, so that nothing begins while what it replaces is still unwinding.
 */
import type { Effect } from "../domain/effect.ts";
import { unreachable } from "../lib/result.ts";

export interface Flying {
  readonly effect: Effect;
  /** Told to stop, and not yet settled. */
  readonly stopping: boolean;
}

/**
 * @param wanted in the order in which they should start; verification goes before new work, since it frees a slot
 * @param flight what is in flight now
 * @returns the effects to start: at most one a lane, never more slots held than `slotsMax`
 */
export function startable(wanted: readonly Effect[], flight: readonly Flying[], slotsMax: number): Effect[] {
  const lanes = new Set(flight.map(({ effect }) => laneOf(effect)));
  let slots = slotsMax - flight.filter(({ effect }) => holdsSlot(effect)).length;
  const isUndoWanted = wanted.some(({ kind }) => kind === "undo");
  const isUnwinding = flight.some(({ effect, stopping }) => stopping && effect.kind !== "wait");
  const starting: Effect[] = [];
  for (const effect of verifyFirst(wanted)) {
    const lane = laneOf(effect);
    if (effect.mode !== "run" || lanes.has(lane)) continue;
    if (effect.kind === "undo" ? isUnwinding : isUndoWanted && touchesFiles(effect)) continue;
    if (holdsSlot(effect)) {
      if (slots <= 0) continue;
      slots -= 1;
    }
    lanes.add(lane);
    starting.push(effect);
  }
  return starting;
}

/** Does it count among the subtasks that run side by side? */
export function holdsSlot({ kind }: Effect): boolean {
  return kind === "work" || kind === "verify";
}

/** What an undo puts back must not be written to by work that begins under it. */
function touchesFiles({ kind }: Effect): boolean {
  return kind === "work" || kind === "revert" || kind === "check";
}

function laneOf(effect: Effect): string {
  switch (effect.kind) {
    case "work":
    case "verify":
    case "revert":
      return `subtask:${effect.subtaskId}`;
    case "plan":
    case "check":
    case "answer":
    case "undo":
      return effect.kind;
    case "extract":
    case "wait":
      return effect.key;
    default:
      return unreachable(effect);
  }
}

function verifyFirst(wanted: readonly Effect[]): Effect[] {
  const isVerify = ({ kind }: Effect) => kind === "verify";
  return [...wanted.filter(isVerify), ...wanted.filter((effect) => !isVerify(effect))];
}
