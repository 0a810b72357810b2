/** Changes made through a workspace, kept as the log keeps them, so that they can be shown and undone. */
import type { FileChange, RecordedChange } from "../../src/domain/change.ts";
import type { BlobStore } from "../../src/ports/blob-store.ts";
import type { ChangeMade, Workspace } from "../../src/ports/workspace.ts";

export class History implements BlobStore {
  readonly #blobs = new Map<string, Uint8Array>();
  readonly all: RecordedChange[] = [];

  async get(digest: string): Promise<Uint8Array | null> {
    return this.#blobs.get(digest) ?? null;
  }

  forget(digest: string): void {
    this.#blobs.delete(digest);
  }

  async apply(workspace: Workspace, plan: ChangeMade, subtaskId = "s1"): Promise<RecordedChange[]> {
    await workspace.apply(plan);
    return this.record(plan, subtaskId);
  }

  record(
    { changes, blobs }: { changes: readonly FileChange[]; blobs: ChangeMade["blobs"] },
    subtaskId: string,
  ): RecordedChange[] {
    for (const { digest, bytes } of blobs) this.#blobs.set(digest, bytes);
    const seq = this.all.length + 1;
    const recorded = changes.map((change, index) => ({
      ...change,
      changeId: `c${seq}.${index}`,
      subtaskId,
      seq,
      undone: false,
    }));
    this.all.push(...recorded);
    return recorded;
  }

  markUndone(ids: readonly string[]): void {
    for (const [index, change] of this.all.entries())
      if (ids.includes(change.changeId)) this.all[index] = { ...change, undone: true };
  }
}
