/**
 * The feed over the event store: backfill, cut-over and live tail are one loop that reads what is behind a cursor and
 * sleeps until a commit says that there may be more. Events stay in the log; only tokens travel beside it.
 */
import type { TaskEvent } from "../domain/event.ts";
import type { EventStore, GlobalEvent } from "../ports/event-store.ts";
import type { Feed, FeedItem, Token } from "../ports/feed.ts";
import { Lane } from "./lane.ts";
import { PageCache } from "./page-cache.ts";
import { type Source, Tail } from "./tail.ts";
import { Turns } from "./turns.ts";

export type FeedStore = Pick<EventStore, "read" | "readAll" | "row" | "lastGlobal" | "onCommit">;

/** Logs whose newest part is kept though nobody follows them: half a MiB each. */
const desertedMax = 16;

/** Disposing it ends all subscriptions. */
export function createFeed({ store }: { readonly store: FeedStore }): Feed & AsyncDisposable {
  return new StoreFeed(store);
}

class StoreFeed implements Feed, AsyncDisposable {
  readonly #store: FeedStore;
  readonly #tasks = new Map<string, Channel<TaskEvent>>();
  /** Tasks that nobody follows any more, the latest last. */
  readonly #deserted = new Set<string>();
  readonly #unsubscribe: () => void;
  readonly #turns = new Turns();
  readonly #cache = new PageCache();
  #all: Channel<GlobalEvent> | null = null;
  #isClosed = false;

  constructor(store: FeedStore) {
    this.#store = store;
    this.#unsubscribe = store.onCommit((taskIds) => {
      for (const taskId of taskIds) this.#grown(taskId);
      this.#all?.tail.hint();
    });
  }

  async *subscribe(
    taskId: string,
    { after, tokens, signal }: { readonly after: number; readonly tokens: boolean; readonly signal: AbortSignal },
  ): AsyncGenerator<FeedItem> {
    if (this.#isClosed) return;
    const channel = this.#channelOf(taskId);
    using lane = channel.join(signal, tokens);
    for await (const page of pages(channel.tail, { lane, after, turns: this.#turns })) {
      for (const token of lane.takeTokens()) yield { kind: "token", token };
      for (const event of page) {
        if (lane.hasEnded) return;
        yield { kind: "event", event };
      }
    }
  }

  async *subscribeAll({
    after,
    signal,
  }: {
    readonly after: number;
    readonly signal: AbortSignal;
  }): AsyncGenerator<GlobalEvent> {
    if (this.#isClosed) return;
    const channel = this.#channelOfAll();
    using lane = channel.join(signal, false);
    for await (const page of pages(channel.tail, { lane, after, turns: this.#turns })) {
      for (const event of page) {
        if (lane.hasEnded) return;
        yield event;
      }
    }
  }

  token(taskId: string, token: Token): void {
    this.#tasks.get(taskId)?.push(token);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#unsubscribe();
    const channels = [...this.#tasks.values(), ...(this.#all === null ? [] : [this.#all])];
    for (const channel of channels) channel.end();
    await Promise.all([...channels.map(({ tail }) => tail.settled()), this.#cache.settled()]);
  }

  #channelOf(taskId: string): Channel<TaskEvent> {
    this.#deserted.delete(taskId);
    const known = this.#tasks.get(taskId);
    if (known?.tail.hasFailed === false) return known;
    const source: Source<TaskEvent> = {
      name: taskId,
      read: (after, limit) => this.#store.read(taskId, { after, limit }),
      last: async () => (await this.#store.row(taskId))?.lastSeq ?? 0,
      position: ({ seq }) => seq,
    };
    const channel = new Channel(source, this.#cache, () => this.#desert(taskId, channel));
    this.#tasks.set(taskId, channel);
    return channel;
  }

  /** Who comes back in a moment, as clients do whose connection was cut, finds what was read before. */
  #desert(taskId: string, channel: Channel<TaskEvent>): void {
    if (this.#tasks.get(taskId) !== channel) return;
    this.#deserted.delete(taskId);
    this.#deserted.add(taskId);
    const [oldest] = this.#deserted;
    if (this.#deserted.size > desertedMax && oldest !== undefined) this.#forget(oldest);
  }

  #grown(taskId: string): void {
    // For nobody nothing is read.
    if (this.#deserted.has(taskId)) this.#forget(taskId);
    else this.#tasks.get(taskId)?.tail.hint();
  }

  #forget(taskId: string): void {
    this.#deserted.delete(taskId);
    this.#tasks.delete(taskId);
  }

  #channelOfAll(): Channel<GlobalEvent> {
    if (this.#all?.tail.hasFailed === false) return this.#all;
    const source: Source<GlobalEvent> = {
      name: "all",
      read: (after, limit) => this.#store.readAll({ after, limit }),
      last: () => this.#store.lastGlobal(),
      position: ({ g }) => g,
    };
    const channel = new Channel(source, this.#cache, () => {
      if (this.#all === channel) this.#all = null;
    });
    this.#all = channel;
    return channel;
  }
}

/** Everyone who follows one log. */
class Channel<T> {
  readonly tail: Tail<T>;
  readonly #lanes = new Set<Lane>();
  readonly #tokenLanes = new Set<Lane>();
  readonly #deserted: () => void;

  /** @param deserted is called when the last subscriber has gone */
  constructor(source: Source<T>, cache: PageCache, deserted: () => void) {
    this.#deserted = deserted;
    this.tail = new Tail(source, cache, () => {
      for (const lane of this.#lanes) lane.wake();
    });
  }

  join(signal: AbortSignal, tokens: boolean): Lane {
    const lane = new Lane(signal, (left) => this.#leave(left));
    this.#lanes.add(lane);
    if (tokens) this.#tokenLanes.add(lane);
    return lane;
  }

  push(token: Token): void {
    for (const lane of this.#tokenLanes) lane.push(token);
  }

  end(): void {
    for (const lane of this.#lanes) lane[Symbol.dispose]();
  }

  #leave(lane: Lane): void {
    this.#lanes.delete(lane);
    this.#tokenLanes.delete(lane);
    if (this.#lanes.size === 0) this.#deserted();
  }
}

interface Reading {
  readonly lane: Lane;
  readonly after: number;
  readonly turns: Turns;
}

/** What is live goes out at once; who has more than this to read at a time is catching up. */
const liveItems = 64;

/** Pages behind the cursor as they come; an empty one where the log has no more, before it sleeps. */
async function* pages<T>(tail: Tail<T>, { lane, after, turns }: Reading): AsyncGenerator<readonly T[]> {
  let cursor = after;
  while (!lane.hasEnded) {
    const hasTurn = tail.isFarBehind(cursor);
    if (hasTurn) await turns.next();
    if (lane.hasEnded) return; // while it stood in line
    const page = await tail.after(cursor);
    if (!hasTurn && page.length > liveItems) await turns.next();
    yield page;
    const last = page.at(-1);
    if (last === undefined) await lane.woken();
    else cursor = tail.position(last);
  }
}
