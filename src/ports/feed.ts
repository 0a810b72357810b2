/** The feed: the log as it grows, to everyone who reads it. Each event once, in order, or a gap said aloud. */
import type { TaskEvent } from "../domain/event.ts";
import type { GlobalEvent } from "./event-store.ts";

export interface Token {
  readonly token: string;
  readonly subtaskId: string;
  readonly model: string;
}

export type FeedItem =
  | { readonly kind: "event"; readonly event: TaskEvent }
  | { readonly kind: "token"; readonly token: Token };

export interface Feed {
  /**
   * Events of a task with `seq` over `after`, then live ones, without end; tokens between them when asked for. Reads from the log
   * and never buffers more than a page: a slow reader is simply further behind, and misses only tokens. The iteration ends when
   * `signal` fires.
   */
  subscribe(
    taskId: string,
    options: { readonly after: number; readonly tokens: boolean; readonly signal: AbortSignal },
  ): AsyncIterable<FeedItem>;
  /** The same over all tasks, by `g`. */
  subscribeAll(options: { readonly after: number; readonly signal: AbortSignal }): AsyncIterable<GlobalEvent>;
  /** Puts a token on the lossy lane. */
  token(taskId: string, token: Token): void;
}
