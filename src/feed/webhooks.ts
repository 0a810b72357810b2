/**
 * Sends what the outbox owes, signed: each delivery on its own, several at a time, again after a failure, over restarts. What
 * is owed and what became of it stands in the outbox; where a request may go is the egress's to judge.
 */

import type { EventOf } from "../domain/event.ts";
import { messageOf } from "../lib/errors.ts";
import type { Delivery, Outbox, Outcome } from "../ports/outbox.ts";
import type { Egress } from "../ports/policy.ts";
import type { Clock, Log, Random } from "../ports/runtime.ts";
import { parseRetryAfter, waitMsAfter } from "./webhook-schedule.ts";
import type { Sign } from "./webhook-signature.ts";

const deliveriesMax = 8;
/** A slow receiver that is owed much leaves room for others. */
const deliveriesPerHostMax = 2;
/** How many due deliveries are looked at to find some that may start. */
const lookahead = 64;
const timeoutMs = 20_000;
/** Ends a sleep; one for all, since making an error costs more than looking. */
const wake = new Error("There may be something to send");
/** Answers are not read for what they say. */
const answerBytesMax = 16 * 1024;
/** After a failure of the outbox itself. @see DECISIONS 34 */
const storageRetryMs = 5000;
/** Outcomes that a task may not have heard of when Loom last went down: a few at most. */
const untoldMax = 1000;

export type WebhookEvent = EventOf<"webhook_delivered"> | EventOf<"webhook_failed">;

export interface WebhookOptions {
  readonly outbox: Outbox;
  readonly egress: Pick<Egress, "fetch">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly allowPrivate: boolean;
  readonly sign: Sign;
  /** Told of each final outcome, once it is recorded in the outbox. */
  readonly settle: (taskId: string, event: WebhookEvent) => Promise<unknown>;
  /** Asked after a restart, where Loom went down between the telling and the mark that it was told. */
  readonly isTold: (taskId: string, event: WebhookEvent) => Promise<boolean>;
}

export interface WebhookSender extends AsyncDisposable {
  start(): void;
}

/** Disposing it cuts off what is under way; that is owed still, and goes out again after the next start. */
export function createWebhookSender(options: WebhookOptions): WebhookSender {
  return new OutboxSender(options);
}

interface Answer {
  readonly statusCode: number | null;
  /** Why it does not count as delivered, or null. */
  readonly error: string | null;
  readonly retryAfterMs: number;
}

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
    await this.#tellUntold();
    while (!this.#stop.signal.aborted) {
      this.#sleep = new AbortController();
      const until = await this.#startDue();
      await sleepUntil(clock, until, this.#sleep.signal);
    }
  }

  /** What was settled, but not told to its task before Loom went down. */
  async #tellUntold(): Promise<void> {
    const { outbox, isTold, log } = this.#options;
    const tell = async (delivery: Delivery): Promise<void> => {
      if (await isTold(delivery.taskId, eventOf(delivery))) await outbox.markTold(delivery.deliveryId);
      else await this.#tell(delivery);
    };
    try {
      for (const delivery of await outbox.untold(untoldMax)) {
        if (this.#stop.signal.aborted) return;
        await tell(delivery).catch((error: unknown) =>
          log.warn({ delivery: delivery.deliveryId, error: messageOf(error) }, "A task was not told of its webhook"),
        );
      }
    } catch (error) {
      log.error({ error: messageOf(error) }, "Cannot read the outbox");
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
    const { clock } = this.#options;
    if (await this.#isStopped(delivery)) {
      const error = "not sent: the receiver answered 410 before, it wants no more of this task";
      return await this.#settle(delivery, { status: "failed", dueAt: delivery.dueAt, error, attempt: null });
    }
    const at = clock.now();
    const answer = await this.#post(delivery, at);
    const { statusCode, error } = answer;
    await this.#settle(delivery, { ...this.#fateOf(delivery, answer), error, attempt: { at, statusCode, error } });
  }

  /** What was asked for by hand is sent whatever the receiver said; so is what cannot be looked up. */
  async #isStopped({ taskId, url, attempts }: Delivery): Promise<boolean> {
    if (attempts > 0) return false;
    return await this.#options.outbox.isStopped(taskId, url).catch(() => false);
  }

  #fateOf(delivery: Delivery, { statusCode, error, retryAfterMs }: Answer): Pick<Outcome, "status" | "dueAt"> {
    const { clock, random, log } = this.#options;
    const { deliveryId, dueAt } = delivery;
    if (error === null) return { status: "delivered", dueAt };
    const attempts = delivery.attempts + 1 - delivery.attemptsBefore;
    const waitMs = statusCode === 410 ? null : waitMsAfter(attempts, { retryAfterMs, chance: random.next() });
    if (waitMs === null) return { status: "failed", dueAt };
    log.info({ delivery: deliveryId, attempts, error, waitMs }, "A webhook will be tried again");
    return { status: "pending", dueAt: clock.now() + waitMs };
  }

  async #settle(delivery: Delivery, outcome: Outcome): Promise<void> {
    await this.#record(delivery, outcome);
    if (outcome.status === "pending") return;
    const { status, error: lastError, attempt } = outcome;
    const made = attempt === null ? {} : { attempts: delivery.attempts + 1, history: [attempt] };
    await this.#tell({ ...delivery, status, lastError, ...made });
  }

  async #tell(delivery: Delivery): Promise<void> {
    const { settle, outbox } = this.#options;
    await settle(delivery.taskId, eventOf(delivery));
    await outbox.markTold(delivery.deliveryId);
  }

  async #post({ deliveryId, url, body: facts }: Delivery, now: number): Promise<Answer> {
    const { egress, allowPrivate, sign } = this.#options;
    const { signal } = this.#stop;
    const timestamp = Math.floor(now / 1000);
    const body = JSON.stringify(facts);
    try {
      const { status, headers } = await egress.fetch(url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "user-agent": "Loom",
          "webhook-id": deliveryId,
          "webhook-timestamp": String(timestamp),
          "webhook-signature": sign(url, { id: deliveryId, timestamp, body }),
        },
        body,
        maxBytes: answerBytesMax,
        timeoutMs,
        maxRedirects: 0,
        allowPrivate,
        signal,
      });
      return {
        statusCode: status,
        error: refusalOf(status),
        retryAfterMs: parseRetryAfter(headers["retry-after"], now),
      };
    } catch (error) {
      signal.throwIfAborted();
      return { statusCode: null, error: messageOf(error), retryAfterMs: 0 };
    }
  }

  /** Holds on until it is written: a delivery that counts as owed though it went out would go out again and again. */
  async #record({ deliveryId }: Delivery, outcome: Outcome): Promise<void> {
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

/** @returns why this answer does not count as delivered, or null */
function refusalOf(status: number): string | null {
  if (status >= 200 && status < 300) return null;
  return status === 410 ? "answered 410: wants no more webhooks" : `answered ${status}`;
}

/** @param delivery settled for good */
function eventOf({ deliveryId, url, status, attempts, history, lastError }: Delivery): WebhookEvent {
  const facts = { delivery_id: deliveryId, target_host: hostOf(url), attempts };
  if (status === "failed") return { type: "webhook_failed", ...facts, reason: lastError ?? "" };
  return { type: "webhook_delivered", ...facts, status_code: history.at(-1)?.statusCode ?? 0 };
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? "";
}
