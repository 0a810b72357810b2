/** Held paths: what a call is told that would change, or a command that has changed, what another subtask holds. */
import type { FileChange } from "../../domain/change.ts";
import { type HeldPath, heldByOther, heldText } from "../../domain/holders.ts";
import { leasedBy } from "../../domain/lease.ts";
import type { Execution } from "../../ports/executor.ts";
import type { Judgement } from "../../ports/policy.ts";
import type { PreparedCall } from "../../ports/tool.ts";
import { within } from "../excerpt.ts";
import type { CallRecord } from "../records.ts";

const pathCharsMax = 500;

type Worker = Pick<Execution<"work">, "current" | "effect">;

/** @returns the first path that the call would change and another subtask holds, or null */
export function heldFrom(
  { current, effect }: Worker,
  { action, change }: Pick<PreparedCall, "action" | "change">,
  { writes = [] }: Pick<Judgement, "writes"> = {},
): HeldPath | null {
  const made = change?.changes.map(({ path }) => path) ?? [];
  return heldByOther(current(), effect.subtaskId, [...made, ...action.writes, ...action.deletes, ...writes]);
}

/** A refusal that says whose the path is, and how this subtask comes to it all the same. */
export function heldRecord(tool: string, held: HeldPath): CallRecord {
  const refusal = `path_held: ${heldText(shown(held))}, which changed it first. Nothing was changed. Go on with what does not need it, and do not put it elsewhere instead. When only this is left, answer with {"status":"blocked","reason":"…"}: you are called again when the path is free.`;
  return {
    tool,
    kind: "none",
    success: false,
    output: "",
    error: refusal,
    mark: "held",
    held: held.path,
    changed: [],
  };
}

/** Nobody knew before it ran. @returns what is to be said of it, or nothing */
export function trespassNote(
  { current, effect }: Worker,
  { changes, sharedWith }: { readonly changes: readonly FileChange[]; readonly sharedWith: readonly string[] },
): string {
  if (sharedWith.length > 0) return "";
  const held = heldByOther(current(), effect.subtaskId, leasedBy(changes));
  if (held === null) return "";
  return `\n[This changed what is not yours: ${heldText(shown(held))}. Look at what you did there, and put it right if it took anything away.]`;
}

/** @param path which the attempt waited for */
export function freeAgain(path: string): string {
  const name = within(path, pathCharsMax);
  return `"${name}" is free for you now. Others have changed it meanwhile, and maybe other files too: read it again, and leave what they did. Make your change there now if it is still needed, then finish.`;
}

function shown({ holder, path }: HeldPath): HeldPath {
  return { holder, path: within(path, pathCharsMax) };
}
