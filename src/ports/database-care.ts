/** Care for a database file from outside a server: how it stands, a copy of it, whether it is sound, its newest schema. */

export interface DatabaseStatus {
  readonly path: string;
  readonly bytes: number;
  readonly walBytes: number;
  /** Bytes in the file that hold nothing and will be used again. */
  readonly freeBytes: number;
  readonly schema: { readonly found: number; readonly known: number };
  /** Null where the schema is another one than this Loom's. */
  readonly content: {
    readonly openTasks: number;
    readonly closedTasks: number;
    /** Closed tasks of which only the last view is left. */
    readonly droppedLogs: number;
    readonly events: number;
    readonly blobs: number;
  } | null;
  readonly blobFiles: { readonly count: number; readonly bytes: number };
  /** A Loom has it open now. */
  readonly inUse: boolean;
  /** The last Loom that had it open did not stop in good order; the next start checks the file. */
  readonly stoppedUncleanly: boolean;
}

/** Each: @throws LoomError not_found when there is no such file; storage_failed, storage_newer. */
export interface DatabaseCare {
  /** Also while a server runs. */
  status(path: string): Promise<DatabaseStatus>;
  /**
   * A copy as of one moment, with the blob files that it needs in the folder `blobs` beside it; also while a server runs.
   * Takes the place of nothing: what stands at `to` is left alone, and refused.
   */
  backup(path: string, to: string): Promise<{ readonly bytes: number; readonly blobFiles: number }>;
  /** Also while a server runs. @returns what is wrong, one sentence each */
  check(path: string): Promise<readonly string[]>;
  /** @throws LoomError storage_locked while a server runs */
  migrate(path: string): Promise<{ readonly from: number; readonly to: number }>;
}
