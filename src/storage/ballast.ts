/**
 * A file that only takes up room. When the disk is full it is deleted, so that steps which already run can still be
 * recorded; it is there again after the next start. @see DECISIONS 34
 */
import { rmSync, statSync, writeFileSync } from "node:fs";

export interface Ballast {
  /** Best effort: without room for ballast there is none. */
  hold(bytes: number): void;
  /** Never throws. @returns whether there was something to let go of */
  release(): boolean;
}

/** What is held is told by the file alone: every thread may let go of it. */
export function ballastAt(path: string): Ballast {
  return {
    hold(bytes) {
      // What could be written of it takes up room and is too little.
      if (!succeeds(() => fill(path, bytes))) succeeds(() => rmSync(path));
    },
    release: () => succeeds(() => rmSync(path)),
  };
}

function fill(path: string, bytes: number): void {
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
