/** The logs of the fake Loom: stamps events, numbers them over all tasks, and lets readers follow. Keeps everything in memory. */
import type { Event, TaskEvent } from "../../src/domain/event.ts";
import type { GlobalEvent } from "../../src/ports/event-store.ts";
import type { FeedItem, Token } from "../../src/ports/feed.ts";
import { type FakeTask, foldInto } from "./fake-task.ts";

const tokensMax = 100;
const pageSize = 50;

interface Following {
  readonly after: number;
  readonly tokens: boolean;
  readonly signal: AbortSignal;
}

export class FakeLog {
  readonly all: GlobalEvent[] = [];
  /** Readers that follow a log right now. */
  followers = 0;
  readonly #listeners = new Set<(taskId: string, token: Token | null) => void>();
  #now = Date.UTC(2026, 0, 1);

  append(task: FakeTask, events: readonly Event[]): readonly TaskEvent[] {
    const stamped = events.map((event) => {
      this.#now += 1;
      const logged: TaskEvent = { ...event, seq: task.events.length + 1, at: this.#now };
      task.events.push(logged);
      this.all.push({ g: this.all.length + 1, taskId: task.id, event: logged });
      foldInto(task, logged);
      return logged;
    });
    this.tell(task.id, null);
    return stamped;
  }

  tell(taskId: string, token: Token | null): void {
    for (const listener of this.#listeners) listener(taskId, token);
  }

  async *follow(task: FakeTask, { after, tokens, signal }: Following): AsyncGenerator<FeedItem> {
    const heard: Token[] = [];
    const listener = (id: string, token: Token | null) => {
      if (id === task.id && token !== null && tokens && heard.length < tokensMax) heard.push(token);
    };
    this.#listeners.add(listener);
    this.followers += 1;
    try {
      for (let seq = after; !signal.aborted; ) {
        for (const event of task.events.slice(seq, seq + pageSize)) {
          seq = event.seq;
          yield { kind: "event", event };
        }
        for (const token of heard.splice(0)) yield { kind: "token", token };
        if (task.events.length <= seq && heard.length === 0) await this.news(signal);
      }
    } finally {
      this.#listeners.delete(listener);
      this.followers -= 1;
    }
  }

  async *followAll({ after, signal }: Omit<Following, "tokens">): AsyncGenerator<GlobalEvent> {
    this.followers += 1;
    try {
      for (let g = after; !signal.aborted; ) {
        for (const item of this.all.filter((each) => each.g > g)) {
          g = item.g;
          yield item;
        }
        if ((this.all.at(-1)?.g ?? 0) <= g) await this.news(signal);
      }
    } finally {
      this.followers -= 1;
    }
  }

  /** Resolves at the next event or token of any task, or when the signal fires. */
  news(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const done = () => {
      this.#listeners.delete(done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    this.#listeners.add(done);
    signal.addEventListener("abort", done, { once: true });
    return promise;
  }
}
