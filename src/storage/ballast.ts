/**
 * A file that only takes up room. When the disk is full it is deleted, so that steps which already run can still be
 * recorded; it is there again after the next start. @see DECISIONS 34
 */
import { rmSync, statSync, writeFileSync } from "node:fs";

export interface Ballast {
  /** Never throws. @returns whether there was something to let go of */
  release(): boolean;
}

/** Best effort: without room for ballast there is none. */
export function createBallast(path: string, bytes: number): Ballast {
  let isHeld = succeeds(() => hold(path, bytes));
  // What could be written of it takes up room and is too little.
  if (!isHeld) succeeds(() => rmSync(path));
  return {
    release() {
      const wasHeld = isHeld;
      isHeld = false;
      return wasHeld && succeeds(() => rmSync(path));
    },
  };
}

function hold(path: string, bytes: number): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile() !== true || found.size !== bytes) writeFileSync(path, Buffer.alloc(bytes), { mode: 0o600 });
}

function succeeds(action: () => void): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}
