/**
 * A sign beside the database that stands while a process uses it. Who finds one left over knows that the process before did
 * not end in good order, and looks whether the file is sound.
 */
import { closeSync, existsSync, fsyncSync, openSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type { Database } from "better-sqlite3";
import { LoomError } from "../lib/errors.ts";

export type LastStop = "clean" | "unclean";

export interface Sign {
  readonly lastStop: LastStop;
  /** From here on an end of the process is unclean. */
  begin(): void;
  /** The use ends in good order. What never began stays as it was found, so that the next one looks again. */
  end(): void;
}

export function signAt(path: string): string {
  return `${path}.in-use`;
}

/** For who holds the lock of this database. */
export function standing(path: string): Sign {
  const sign = signAt(path);
  let hasBegun = false;
  return {
    lastStop: existsSync(sign) ? "unclean" : "clean",
    begin() {
      for (const place of [sign, dirname(path)]) sync(place, place === sign ? "a" : "r");
      hasBegun = true;
    },
    end() {
      if (hasBegun) rmSync(sign, { force: true });
    },
  };
}

/** On the disk, or a power cut would take the sign along. */
function sync(path: string, flags: "a" | "r"): void {
  const opened = openSync(path, flags, 0o600);
  try {
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
}

/** @throws LoomError storage_failed: a file that is not sound is not written to */
export function requireSound(connection: Database): void {
  const found = connection.pragma("quick_check(3)", { simple: false }) as readonly { readonly quick_check: string }[];
  const faults = found.map(({ quick_check }) => quick_check).filter((line) => line !== "ok");
  if (faults.length === 0) return;
  throw new LoomError("storage_failed", `The database "${connection.name}" is damaged: ${faults.join("; ")}`, {
    hint: "Put a backup in its place (`loom db backup` makes them); `loom db check` shows everything that is wrong",
  });
}
