/** A drift that models show, as an operator on a true edit. */
import type { Random } from "./random.ts";
import type { EditKind, TrueEdit } from "./true-edits.ts";

export interface Drifted {
  readonly old: string;
  readonly fresh: string;
  /** The file, where it is not the source with line feeds. */
  readonly file?: string | Buffer;
  readonly replaceAll?: boolean;
  /** Where it is not the true edit's; null for what must be refused. */
  readonly right?: string | Buffer | null;
}

export interface Drift {
  readonly operator: string;
  readonly lines?: readonly [least: number, most: number];
  readonly kinds?: readonly EditKind[];
  /** No other stretch of the file may come near the block. */
  readonly needsDistance?: boolean;
  /** @returns null where this block cannot drift so */
  make(random: Random, edit: TrueEdit): Drifted | null;
}
