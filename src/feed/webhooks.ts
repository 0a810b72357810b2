/**
 * Sends what the outbox owes: each delivery on its own, several at a time, again after a failure, over restarts. What is
 * owed and what became of it stands in the outbox; where a request may go is the egress's to judge.
 */

import type { EventOf } from "../domain/event.ts";
import { messageOf } from "../lib/errors.ts";
import type { Delivery, Outbox } from "../ports/outbox.ts";
import type { Egress } from "../ports/policy.ts";
import type { Clock, Log, Random } from "../ports/runtime.ts";

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

/** Waits before the second attempt, the third and so on; the first goes out at once. @see CONTRACT section 3 */
const retryDelaysMs = [5 * secondMs, 5 * minuteMs, 30 * minuteMs, 2 * hourMs, 5 * hourMs, 10 * hourMs];
/** Up to a tenth longer, so that what failed together does not come back together. */
const jitterShare = 0.1;
/** What a receiver may ask for. */
const retryAfterMaxMs = 24 * hourMs;
const deliveriesMax = 8;
/** A slow receiver that is owed much leaves room for others. */
const deliveriesPerHostMax = 2;
/** How many due deliveries are looked at to find some that may start. */
const lookahead = 64;
const timeoutMs = 20 * secondMs;
/** Answers are not read for what they say. */
/** Ends a sleep; one for all, since making an error costs more than looking. */
const wake = new Error("There may be something to send");
const answerBytesMax = 16 * 1024;
/** After a failure of the outbox itself. @see DECISIONS 34 */
const storageRetryMs = 5 * secondMs;

export type WebhookEvent = EventOf<"webhook_delivered"> | EventOf<"webhook_failed">;

export interface WebhookOptions {
  readonly outbox: Outbox;
  readonly egress: Pick<Egress, "fetch">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly allowPrivate: boolean;
  /** Told of each final outcome, once it is recorded in the outbox. */
  readonly settle: (taskId: string, event: WebhookEvent) => Promise<void>;
}

export interface WebhookSender extends AsyncDisposable {
  start(): void;
}

/** Disposing it cuts off what is under way; that is owed still, and goes out again after the next start. */
export function createWebhookSender(options: WebhookOptions): WebhookSender {
  return new OutboxSender(options);
}

type Answer =
  | { readonly kind: "delivered"; readonly status: number }
  | { readonly kind: "gone"; readonly reason: string }
  | { readonly kind: "failed"; readonly reason: string; readonly retryAfterMs: number };

class OutboxSender implements WebhookSender {
  readonly #options: WebhookOptions;
  readonly #stop = new AbortController();
  readonly #underWay = new Map<string, { readonly host: string; readonly done: Promise<void> }>();
  #running: Promise<void> | null = null;
  /** Aborted to cut a sleep short; a new one for each. */
  #sleep = new AbortController();

  constructor(options: WebhookOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("The sender of webhooks was stopped"));
    this.#sleep.abort(wake);
    await this.#running;
    await Promise.all([...this.#underWay.values()].map(({ done }) => done));
  }

  async #run(): Promise<void> {
    const { outbox, clock } = this.#options;
    using ends = new DisposableStack();
    ends.defer(outbox.onOwed(() => this.#sleep.abort(wake)));
    while (!this.#stop.signal.aborted) {
      this.#sleep = new AbortController();
      const until = await this.#startDue();
      await sleepUntil(clock, until, this.#sleep.signal);
    }
  }

  /** @returns when to look again if nothing else happens, or null */
  async #startDue(): Promise<number | null> {
    const { outbox, clock, log } = this.#options;
    try {
      const now = clock.now();
      const due = await outbox.due(now, lookahead);
      if (due.length === 0) return await outbox.nextDue();
      for (const delivery of due) if (this.#mayStart(delivery)) this.#startOne(delivery);
      const next = (await outbox.due(Number.MAX_SAFE_INTEGER, due.length + 1)).at(-1);
      return next !== undefined && next.dueAt > now ? next.dueAt : null;
    } catch (error) {
      log.error({ error: messageOf(error) }, "Cannot read the outbox");
      return clock.now() + storageRetryMs;
    }
  }

  #mayStart({ deliveryId, url }: Delivery): boolean {
    if (this.#stop.signal.aborted || this.#underWay.has(deliveryId) || this.#underWay.size >= deliveriesMax)
      return false;
    const sameHost = [...this.#underWay.values()].filter(({ host }) => host === hostOf(url));
    return sameHost.length < deliveriesPerHostMax;
  }

  #startOne(delivery: Delivery): void {
    const done = this.#deliver(delivery)
      .catch((error: unknown) => {
        if (this.#stop.signal.aborted) return;
        this.#options.log.error(
          { delivery: delivery.deliveryId, error: messageOf(error) },
          "A webhook was not settled",
        );
      })
      .finally(() => {
        this.#underWay.delete(delivery.deliveryId);
        this.#sleep.abort(wake);
      });
    this.#underWay.set(delivery.deliveryId, { host: hostOf(delivery.url), done });
  }

  async #deliver(delivery: Delivery): Promise<void> {
    const answer = await this.#post(delivery);
    const attempts = delivery.attempts + 1;
    const { deliveryId, taskId } = delivery;
    const final = { delivery_id: deliveryId, target_host: hostOf(delivery.url), attempts };
    if (answer.kind === "delivered") {
      await this.#record(delivery, { status: "delivered", dueAt: delivery.dueAt, error: null });
      return await this.#options.settle(taskId, { type: "webhook_delivered", ...final, status_code: answer.status });
    }
    const error = answer.reason;
    const delayMs = answer.kind === "gone" ? undefined : retryDelaysMs[attempts - 1];
    if (answer.kind === "gone" || delayMs === undefined) {
      await this.#record(delivery, { status: "failed", dueAt: delivery.dueAt, error });
      return await this.#options.settle(taskId, { type: "webhook_failed", ...final, reason: error });
    }
    const { clock, random, log } = this.#options;
    const waitMs = Math.max(delayMs * (1 + jitterShare * random.next()), answer.retryAfterMs);
    log.info({ delivery: deliveryId, attempts, error, waitMs }, "A webhook will be tried again");
    await this.#record(delivery, { status: "pending", dueAt: Math.ceil(clock.now() + waitMs), error });
  }

  async #post({ deliveryId, url, body }: Delivery): Promise<Answer> {
    const { egress, clock, allowPrivate } = this.#options;
    const { signal } = this.#stop;
    try {
      const { status, headers } = await egress.fetch(url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "webhook-id": deliveryId,
          "webhook-timestamp": String(Math.floor(clock.now() / secondMs)),
        },
        body: JSON.stringify(body),
        maxBytes: answerBytesMax,
        timeoutMs,
        maxRedirects: 0,
        allowPrivate,
        signal,
      });
      if (status >= 200 && status < 300) return { kind: "delivered", status };
      if (status === 410) return { kind: "gone", reason: "answered 410: wants no more webhooks" };
      const retryAfterMs = parseRetryAfter(headers["retry-after"], clock.now());
      return { kind: "failed", reason: `answered ${status}`, retryAfterMs };
    } catch (error) {
      signal.throwIfAborted();
      return { kind: "failed", reason: messageOf(error), retryAfterMs: 0 };
    }
  }

  /** Holds on until it is written: a delivery that counts as owed though it went out would go out again and again. */
  async #record({ deliveryId }: Delivery, outcome: Parameters<Outbox["settle"]>[1]): Promise<void> {
    const { outbox, clock, log } = this.#options;
    for (;;) {
      try {
        return await outbox.settle(deliveryId, outcome);
      } catch (error) {
        log.error({ delivery: deliveryId, error: messageOf(error) }, "Cannot record a webhook");
        await clock.sleepUntil(clock.now() + storageRetryMs, this.#stop.signal);
      }
    }
  }
}

/** Sleeps, for ever when `until` is null, or until the signal fires; which of them is all the same. */
async function sleepUntil(clock: Clock, until: number | null, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  if (until !== null) return await clock.sleepUntil(until, signal).catch(() => undefined);
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/** Seconds or an HTTP date. @see RFC 9110 section 10.2.3 */
function parseRetryAfter(value: string | undefined, now: number): number {
  if (value === undefined) return 0;
  const waitMs = /^\s*\d+\s*$/.test(value) ? Number(value) * secondMs : Date.parse(value) - now;
  return Number.isFinite(waitMs) ? Math.min(Math.max(0, waitMs), retryAfterMaxMs) : 0;
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? "";
}
