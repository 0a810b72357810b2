/** Looks at this machine's files that may not be there, or not be ours to read: nothing is found then. */
import { readdirSync, readFileSync } from "node:fs";

export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

export function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
