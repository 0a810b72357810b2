/** Which processes stand in a folder: those of a task, in whatever namespace, session or environment they are. */
import { readdirSync, readlinkSync } from "node:fs";

export function processesIn(folder: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && folderOf(name) === folder)
    .map(Number);
}

function folderOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return "";
  }
}
