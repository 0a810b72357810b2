/**
 * The guard around every wire: time limits (first token, idle, total), retries with jitter, the circuit breaker, and one
 * meaning for every error. Knows nothing of providers.
 */
import { LoomError } from "../lib/errors.ts";
import { unreachable } from "../lib/result.ts";
import type { ModelReply } from "../ports/model.ts";
import type { Clock, Log, Random } from "../ports/runtime.ts";
import { Breaker } from "./breaker.ts";
import { abortable, Deadline, Joined } from "./deadline.ts";
import type { EarlyEnd, EndOf } from "./early-end.ts";
import { type FailingModel, type Failure, judge, loomErrorOf, StreamFailure } from "./failures.ts";
import type { Chunk, RawCall, WireUsage } from "./wire.ts";

export interface RetryPolicy {
  readonly attempts: number;
  readonly baseMs: number;
  readonly capMs: number;
  /** What a server asks for beyond this is not waited for here, but handed up. */
  readonly retryAfterMaxMs: number;
}

export const usualRetry: RetryPolicy = { attempts: 3, baseMs: 500, capMs: 8000, retryAfterMaxMs: 30_000 };

/** Where the server does not say when to come back. */
const comeBackMs = 5000;

export interface Limits {
  readonly firstTokenMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
}

export interface RawReply {
  readonly text: string;
  readonly calls: readonly RawCall[];
  readonly finish: ModelReply["finish"];
  readonly usage: WireUsage | null;
  /** Attempts that had begun to answer and broke off: the server did its work, and reports it to nobody. */
  readonly broken: Broken;
  /** The reply was left before its model had ended it. Nobody counted it then, but perhaps its prompt. */
  readonly left: Left | null;
}

export interface Left {
  readonly why: EarlyEnd["why"];
  /** Received, and of no use. */
  readonly droppedCharacters: number;
}

export interface Broken {
  readonly attempts: number;
  readonly characters: number;
}

export interface GuardOptions {
  readonly at: FailingModel;
  readonly limits: Limits;
  readonly retry: RetryPolicy;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

type Open = (signal: AbortSignal) => AsyncIterable<Chunk>;

export interface CallOptions {
  readonly signal: AbortSignal;
  readonly onToken?: ((text: string) => void) | undefined;
}

interface GuardedOptions extends CallOptions {
  readonly endOf?: EndOf | undefined;
}

export class Guard {
  readonly #options: GuardOptions;
  readonly #breaker: Breaker;

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#breaker = new Breaker(options.clock);
  }

  /** @throws LoomError model_unavailable while the model is left alone after failing several times in a row */
  throwIfOpen(): void {
    const awayMs = this.#breaker.awayMs;
    if (awayMs > 0) throw this.#stayAway(awayMs);
  }

  /**
   * Opens the stream, once or more often, and returns the whole reply. Tokens of a failed attempt have been passed on by then.
   *
   * @throws LoomError model_unavailable | model_refused | context_overflow; the signal's reason when aborted
   */
  async call(open: Open, options: GuardedOptions): Promise<RawReply> {
    options.signal.throwIfAborted();
    const awayMs = this.#breaker.enter();
    if (awayMs > 0) throw this.#stayAway(awayMs);
    try {
      const reply = await this.#attempts(open, options);
      this.#breaker.succeeded();
      return reply;
    } catch (error) {
      this.#learn(error);
      throw error;
    }
  }

  #learn(error: unknown): void {
    if (!(error instanceof LoomError)) this.#breaker.left();
    else if (error.code === "model_unavailable") this.#breaker.failed();
    // It was there to refuse.
    else this.#breaker.succeeded();
  }

  async #attempts(open: Open, { signal, onToken, endOf }: GuardedOptions): Promise<RawReply> {
    const { clock, limits } = this.#options;
    using total = new Deadline(clock, limits.totalMs, () => silence("the whole call took longer than", limits.totalMs));
    using both = new Joined(signal, total.signal);
    let broken: Broken = { attempts: 0, characters: 0 };
    for (let attempt = 1; ; attempt += 1) {
      const collected = new Collected(onToken, endOf);
      try {
        await this.#attempt(open, { signal: both.signal, collected });
        return { ...collected.reply(), broken };
      } catch (error) {
        signal.throwIfAborted();
        broken = collected.added(broken);
        const nth = total.signal.aborted ? Number.POSITIVE_INFINITY : attempt;
        const delayMs = this.#delayOrThrow(error, { attempt: nth, begun: broken.attempts > 0 });
        await clock.sleepUntil(clock.now() + delayMs, both.signal).catch(() => undefined);
        signal.throwIfAborted();
      }
    }
  }

  async #attempt(
    open: Open,
    { signal, collected }: { readonly signal: AbortSignal; readonly collected: Collected },
  ): Promise<void> {
    const { clock, limits } = this.#options;
    let isWaiting = true;
    const reason = (): Error =>
      isWaiting
        ? silence("no first token after", limits.firstTokenMs)
        : new StreamFailure(`the stream stood still for ${limits.idleMs / 1000} s`, { retry: true });
    using quiet = new Deadline(clock, limits.firstTokenMs, reason);
    using stop = new Joined(signal, quiet.signal);
    for await (const chunk of abortable(open(stop.signal), stop.signal)) {
      if (chunk.kind !== "quiet") isWaiting = false;
      if (!isWaiting) quiet.extend(limits.idleMs);
      collected.add(chunk);
      if (collected.isLeft) break;
    }
  }

  /** @returns how long to wait before the next attempt; throws what the error means when there shall be none */
  #delayOrThrow(error: unknown, { attempt, begun }: { readonly attempt: number; readonly begun: boolean }): number {
    const { at, clock, log, retry } = this.#options;
    const failure = error instanceof LoomError ? null : judge(error, clock.now());
    if (failure === null) throw error;
    const delayMs = attempt < retry.attempts ? this.#delay(failure, attempt) : null;
    if (delayMs === null) throw loomErrorOf(failure, at, { cause: error, fallbackMs: comeBackMs, begun });
    log.warn(
      { model: at.name, attempt, delayMs: Math.round(delayMs), detail: failure.detail },
      "A model call failed and is tried again",
    );
    return delayMs;
  }

  #delay(failure: Failure, attempt: number): number | null {
    const { retry, random } = this.#options;
    if (failure.kind !== "unavailable" || !failure.retry) return null;
    const { retryAfterMs } = failure;
    if (retryAfterMs !== undefined) return retryAfterMs > retry.retryAfterMaxMs ? null : retryAfterMs;
    const fullMs = Math.min(retry.capMs, retry.baseMs * 2 ** (attempt - 1));
    return fullMs * (0.5 + random.next() / 2);
  }

  #stayAway(awayMs: number): LoomError {
    const { at } = this.#options;
    return new LoomError(
      "model_unavailable",
      `Model "${at.model}" of [models.${at.name}] at ${at.url} failed several times in a row and is left alone for a while`,
      {
        hint: "See that the server runs and has the model loaded (`loom doctor`), or name a second model for the role",
        retryAfterMs: awayMs,
      },
    );
  }
}

/** A server that says nothing for so long would say nothing the second time: not tried again in place. */
function silence(what: string, ms: number): StreamFailure {
  return new StreamFailure(`${what} ${ms / 1000} s`, { retry: false });
}

/** A text is looked at again once it has grown by so many characters, and by this share: all looks together stay linear. */
const glanceCharacters = 64;
const glanceShare = 1 / 16;

/** The chunks of one attempt, put together. */
class Collected {
  readonly #onToken: ((text: string) => void) | undefined;
  readonly #endOf: EndOf | undefined;
  #text = "";
  readonly #calls: RawCall[] = [];
  #end: Extract<Chunk, { kind: "end" }> | null = null;
  #hasBegun = false;
  #seen = 0;
  #prompt: WireUsage | null = null;
  #left: Left | null = null;

  constructor(onToken: ((text: string) => void) | undefined, endOf: EndOf | undefined) {
    this.#onToken = onToken;
    this.#endOf = endOf;
  }

  /** No more of the stream is wanted. */
  get isLeft(): boolean {
    return this.#left !== null;
  }

  add(chunk: Chunk): void {
    this.#hasBegun ||= chunk.kind !== "quiet";
    switch (chunk.kind) {
      case "text":
        this.#addText(chunk.text);
        break;
      case "tool_call":
        this.#calls.push(chunk.call);
        break;
      case "end":
        this.#end = chunk;
        break;
      case "quiet":
        this.#prompt = chunk.usage ?? this.#prompt;
        break;
      case "thinking":
        break;
      default:
        unreachable(chunk);
    }
  }

  /** What came so far is judged when more comes: a reply that ends there is whole, whatever it says. */
  #addText(text: string): void {
    const end = this.#endSoFar();
    if (end !== null) {
      this.#left = { why: end.why, droppedCharacters: this.#text.length + text.length - end.length };
      this.#text = this.#text.slice(0, end.length);
      const usage = this.#prompt === null ? {} : { usage: this.#prompt };
      this.#end = { kind: "end", finish: end.why === "repetition" ? "length" : "stop", ...usage };
      return;
    }
    this.#text += text;
    this.#onToken?.(text);
  }

  #endSoFar(): EarlyEnd | null {
    const { length } = this.#text;
    if (this.#endOf === undefined || length - this.#seen < Math.max(glanceCharacters, length * glanceShare))
      return null;
    this.#seen = length;
    return this.#endOf(this.#text);
  }

  /** @returns `broken` with this attempt, if the server had begun */
  added({ attempts, characters }: Broken): Broken {
    if (!this.#hasBegun) return { attempts, characters };
    return { attempts: attempts + 1, characters: characters + this.#text.length };
  }

  reply(): Omit<RawReply, "broken"> {
    if (this.#end === null) throw new StreamFailure("the stream ended before the reply was whole", { retry: true });
    const { finish, usage = null } = this.#end;
    return { text: this.#text, calls: this.#calls, finish, usage, left: this.#left };
  }
}
