/**
 * The queue before a store's one writer: batches that arrive in one turn of the event loop are committed together, each
 * with a fate of its own, those of one task in the order they were made. How to commit is left to the adapter.
 */
import { setImmediate } from "node:timers";
import { messageOf } from "../lib/errors.ts";
import type { Result } from "../lib/result.ts";
import type { Append, AppendResult } from "../ports/event-store.ts";
import type { Log } from "../ports/runtime.ts";

export type Fate = Result<AppendResult, unknown>;

export interface Committer {
  /** Work that must be done before the commit, or null; batches of the same task wait for it, others do not. */
  prepare(batch: Append): Promise<void> | null;
  /** Durable when it returns or resolves; never throws. One fate a batch, in their order. */
  commit(batches: readonly Append[]): readonly Fate[] | Promise<readonly Fate[]>;
}

type CommitListener = (taskIds: readonly string[]) => void;

interface Waiting extends PromiseWithResolvers<AppendResult> {
  readonly batch: Append;
}

export class GroupCommit {
  readonly #committer: Committer;
  readonly #log: Log | undefined;
  readonly #listeners = new Set<CommitListener>();
  readonly #owedListeners = new Set<CommitListener>();
  /** By task: the end of the preparations made so far. */
  readonly #prepared = new Map<string, Promise<unknown>>();
  #waiting: Waiting[] = [];
  #isCommitting = false;

  constructor(committer: Committer, log: Log | undefined) {
    this.#committer = committer;
    this.#log = log;
  }

  append(batch: Append): Promise<AppendResult> {
    const preparation = this.#committer.prepare(batch);
    const earlier = this.#prepared.get(batch.taskId);
    if (preparation === null && earlier === undefined) return this.#enqueue(batch);
    return this.#enqueueAfter(batch, earlier, preparation);
  }

  onCommit(listener: CommitListener): () => void {
    return subscribe(this.#listeners, listener);
  }

  /** After commits that wrote deliveries only: most do not, and who sends them need not look. */
  onOwed(listener: () => void): () => void {
    return subscribe(this.#owedListeners, listener);
  }

  /** Something else than an append made deliveries due. */
  tellOwed(): void {
    this.#tell(this.#owedListeners, []);
  }

  async #enqueueAfter(
    batch: Append,
    earlier: Promise<unknown> | undefined,
    preparation: Promise<void> | null,
  ): Promise<AppendResult> {
    const ready = Promise.allSettled([earlier, preparation]);
    this.#prepared.set(batch.taskId, ready);
    try {
      await ready;
      await preparation;
    } finally {
      // In one breath with the enqueueing below: a batch that comes between would overtake this one.
      if (this.#prepared.get(batch.taskId) === ready) this.#prepared.delete(batch.taskId);
    }
    return this.#enqueue(batch);
  }

  #enqueue(batch: Append): Promise<AppendResult> {
    const waiting = { batch, ...Promise.withResolvers<AppendResult>() };
    this.#waiting.push(waiting);
    // Not a microtask: those run between two callbacks of one turn, and each append of a busy server would have its own
    // commit. Measured with 100 loops that wait for a file between appends: 9 000 appends/s, with microtasks 2 300.
    if (this.#waiting.length === 1 && !this.#isCommitting) setImmediate(() => this.#flush());
    return waiting.promise;
  }

  /** What arrives while a commit is under way in another thread shares the next one. */
  #flush(): void {
    const group = this.#waiting;
    this.#waiting = [];
    const fates = this.#committer.commit(group.map(({ batch }) => batch));
    if (!(fates instanceof Promise)) {
      this.#settle(group, fates);
      return;
    }
    this.#isCommitting = true;
    void fates.then((known) => {
      this.#isCommitting = false;
      this.#settle(group, known);
      if (this.#waiting.length > 0) setImmediate(() => this.#flush());
    });
  }

  #settle(group: readonly Waiting[], fates: readonly Fate[]): void {
    const touched = new Set<string>();
    let owed = false;
    for (const [index, { batch, resolve, reject }] of group.entries()) {
      const fate = fates[index];
      if (fate?.ok !== true) reject(fate?.error);
      else resolve(fate.value);
      if (fate?.ok !== true || fate.value.kind !== "appended") continue;
      touched.add(batch.taskId);
      owed ||= (batch.outbox ?? []).length > 0;
    }
    if (touched.size > 0) this.#tell(this.#listeners, [...touched]);
    if (owed) this.tellOwed();
  }

  #tell(listeners: ReadonlySet<CommitListener>, taskIds: readonly string[]): void {
    for (const listener of listeners) {
      try {
        listener(taskIds);
      } catch (error) {
        this.#log?.error({ error: messageOf(error) }, "A listener for commits threw");
      }
    }
  }
}

function subscribe(listeners: Set<CommitListener>, listener: CommitListener): () => void {
  // A wrapper, so that one function may listen twice and end each subscription by itself.
  const own: CommitListener = (taskIds) => listener(taskIds);
  listeners.add(own);
  return () => void listeners.delete(own);
}
