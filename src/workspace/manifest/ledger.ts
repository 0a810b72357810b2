/** What is known of a tree, as lines of a file that only grows: each says what became of one path, or of one command. */
import { type FileHandle, open, readFile, truncate } from "node:fs/promises";
import { setImmediate as giveWay } from "node:timers/promises";
import { z } from "zod";
import { FileChange, FileState } from "../../domain/change.ts";
import { unreachable } from "../../lib/result.ts";
import type { Pack } from "./pack.ts";
import type { Known, Tree } from "./tree.ts";

/** Some 2 ms of reading. */
const linesAtOnce = 128;

const text = z.string();
const number = z.number();
const Stat = z.strictObject({ size: number, mtimeMs: number, ctimeMs: number, ino: number });

const Line = z.discriminatedUnion("is", [
  z.strictObject({ is: z.literal("tree"), version: z.literal(1), root: text }),
  z.strictObject({ is: z.literal("known"), path: text, state: FileState, stat: Stat.nullable(), racy: z.boolean() }),
  z.strictObject({ is: z.literal("gone"), path: text }),
  z.strictObject({ is: z.literal("content"), digest: text, offset: number, length: number }),
  z.strictObject({ is: z.literal("lack"), kind: z.enum(["gaps", "full", "notes"]), path: text, why: text }),
  z.strictObject({ is: z.literal("run"), marker: text, subtask: text }),
  z.strictObject({ is: z.literal("did"), marker: text, change: FileChange }),
  z.strictObject({ is: z.literal("beside"), marker: text, subtasks: z.array(text) }),
  z.strictObject({ is: z.literal("end"), marker: text }),
]);
type Line = z.infer<typeof Line>;

/** What an ended command was found to have done. */
export interface Told {
  readonly changes: FileChange[];
  sharedWith: readonly string[];
}

export interface Recalled {
  readonly tree: Tree;
  readonly pack: Pack;
  /** Commands that were begun and have not ended: marker → subtask. */
  readonly running: Map<string, string>;
  /** Commands that had ended; whether the log has heard of it, the ledger does not know. */
  readonly told: Map<string, Told>;
}

export class Ledger implements AsyncDisposable {
  readonly #file: FileHandle;
  #lines: string[] = [];
  #size: number;

  private constructor(file: FileHandle, bytes: number) {
    this.#file = file;
    this.#size = bytes;
  }

  static async open(path: string): Promise<Ledger> {
    const file = await open(path, "a", 0o600);
    return new Ledger(file, (await file.stat()).size);
  }

  get size(): number {
    return this.#size;
  }

  say(line: Line): void {
    const written = `${JSON.stringify(line)}\n`;
    this.#lines.push(written);
    this.#size += written.length;
  }

  /** @param known null for what is not there any more */
  know(path: string, known: Known | undefined): void {
    this.say(known === undefined ? { is: "gone", path } : { is: "known", path, ...known });
  }

  /** Written is enough against the death of this process; `sync` is against the machine's. */
  async flush(): Promise<void> {
    const written = this.#lines.join("");
    this.#lines = [];
    if (written !== "") await this.#file.appendFile(written);
  }

  async sync(): Promise<void> {
    await this.#file.datasync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

/** Reads a ledger back into `into`. @returns whether it is one of this tree; a last line that was cut off is no line */
export async function recall(path: string, root: string, into: Recalled): Promise<boolean> {
  const bytes = await readFile(path);
  const lines = bytes.toString("utf8").split("\n");
  const head = lineOf(lines[0] ?? "");
  if (head?.is !== "tree" || head.root !== root) return false;
  for (const [index, written] of lines.slice(1, -1).entries()) {
    if (index % linesAtOnce === 0) await giveWay();
    const line = lineOf(written);
    if (line === null) return false;
    take(line, into);
  }
  await truncate(path, bytes.lastIndexOf("\n") + 1);
  return true;
}

function lineOf(written: string): Line | null {
  try {
    return Line.parse(JSON.parse(written));
  } catch {
    return null;
  }
}

function take(line: Line, into: Recalled): void {
  const { pack, running, tree } = into;
  switch (line.is) {
    case "tree":
      break;
    case "known":
      tree.known.set(line.path, { state: line.state, stat: line.stat, racy: line.racy });
      break;
    case "gone":
      tree.known.delete(line.path);
      break;
    case "content":
      pack.recall(line.digest, line);
      break;
    case "lack":
      tree[line.kind].set(line.path, line.why);
      break;
    case "run":
      running.set(line.marker, line.subtask);
      break;
    case "did":
      toldOf(into, line.marker).changes.push(line.change);
      break;
    case "beside":
      toldOf(into, line.marker).sharedWith = line.subtasks;
      break;
    case "end":
      running.delete(line.marker);
      break;
    default:
      unreachable(line);
  }
}

function toldOf({ told }: Recalled, marker: string): Told {
  const known = told.get(marker) ?? { changes: [], sharedWith: [] };
  told.set(marker, known);
  return known;
}
