/**
 * Reservations: what is set aside for a model call before it starts, so that calls side by side cannot pass a cap together.
 * They are kept with the task until the call says what it used; one that never says settles at its reservation.
 */
import {
  addCall,
  type CallUsage,
  type Charge,
  chargeOf,
  difference,
  type Exhausted,
  microUsdOf,
  nothing,
  type Reservation,
  type Reserved,
  sum,
} from "./budget.ts";
import type { TaskEvent } from "./event.ts";
import { costMicroUsd, outputFor, type Price } from "./price.ts";
import type { Task } from "./task.ts";

/** What a model call asks for. */
export interface Quote {
  readonly inputTokens: number;
  /** The longest reply that it would like. */
  readonly outputTokens: number;
  /** Null: not known, and no money is counted. */
  readonly price: Price | null;
}

/** A reply of fewer tokens is not worth a call. @see DECISIONS 36 */
export const replyTokensLeast = 256;

export type Grant =
  | { readonly kind: "granted"; readonly reserved: Reserved }
  /** Too little is left for now; what calls in flight have set aside and do not use may be enough. */
  | { readonly kind: "later" }
  | { readonly kind: "exhausted"; readonly spent: Exhausted; readonly why: string };

interface Cap {
  readonly name: Exhausted["budget_name"];
  readonly unit: keyof Charge;
  readonly limit: number;
  readonly charged: number;
  /** Of `charged`, what this task's own calls in flight may give back. */
  readonly reserved: number;
}

/** @param ledger what the task's account was charged today, all its tasks together */
export function grant(task: Task, quote: Quote, ledger: Charge): Grant {
  const caps = capsOf(task, ledger);
  const least = Math.min(replyTokensLeast, quote.outputTokens);
  const rooms = caps.map((cap) => ({ cap, room: roomIn(cap.limit - cap.charged, cap, quote) }));
  const tightest = rooms.toSorted((a, b) => a.room - b.room)[0];
  if (tightest === undefined || tightest.room >= least) {
    const output = Math.min(quote.outputTokens, tightest?.room ?? quote.outputTokens);
    return { kind: "granted", reserved: reservedFor(quote, output) };
  }
  const isWorthWaiting = caps.every((cap) => roomIn(cap.limit - cap.charged + cap.reserved, cap, quote) >= least);
  if (isWorthWaiting) return { kind: "later" };
  return { kind: "exhausted", ...spentOf(tightest.cap, quote) };
}

function capsOf(task: Task, ledger: Charge): Cap[] {
  const { budget, account } = task.brief;
  const reserved = reservedBy(task);
  const charged = chargedTo(task);
  const of = (cap: Omit<Cap, "charged" | "reserved">, charges: Charge) => ({
    ...cap,
    charged: charges[cap.unit],
    reserved: reserved[cap.unit],
  });
  return [
    ...(budget.tokens === undefined ? [] : [of({ name: "tokens", unit: "tokens", limit: budget.tokens }, charged)]),
    ...(budget.usd === undefined
      ? []
      : [of({ name: "usd", unit: "microUsd", limit: microUsdOf(budget.usd) }, charged)]),
    ...(account?.tokens_per_day === undefined
      ? []
      : [of({ name: "tokens_per_day", unit: "tokens", limit: account.tokens_per_day }, ledger)]),
    ...(account?.micro_usd_per_day === undefined
      ? []
      : [of({ name: "usd_per_day", unit: "microUsd", limit: account.micro_usd_per_day }, ledger)]),
  ];
}

/** Is anything counted against what this task may use? */
export function hasCaps({ account, budget }: Task["brief"]): boolean {
  const caps = [...Object.values(budget), account?.tokens_per_day, account?.micro_usd_per_day];
  return caps.some((cap) => cap !== undefined);
}

/** @returns the longest reply that so much pays for beside the prompt; below 0 when not even for that */
function roomIn(left: number, { unit }: Cap, { inputTokens, price }: Quote): number {
  if (unit === "tokens") return left - inputTokens;
  return price === null ? -1 : outputFor(left, { input: inputTokens, price });
}

function reservedFor({ inputTokens, price }: Quote, output: number): Reserved {
  const counted = { input: inputTokens, cached: 0, output };
  return {
    input_tokens: inputTokens,
    output_tokens: output,
    ...(price === null ? {} : { cost_micro_usd: costMicroUsd(counted, price) }),
  };
}

function spentOf(cap: Cap, quote: Quote): { readonly spent: Exhausted; readonly why: string } {
  const inDollars = cap.unit === "microUsd" ? 1e6 : 1;
  const spent = { budget_name: cap.name, observed: cap.charged / inDollars, limit: cap.limit / inDollars };
  const isUnpriced = cap.unit === "microUsd" && quote.price === null;
  return { spent, why: isUnpriced ? unpriced : tooLittle(quote) };
}

const unpriced =
  "a model that would be asked next has no price (set input_usd_per_million and output_usd_per_million of each model)";

function tooLittle({ inputTokens, outputTokens }: Quote): string {
  const reply = Math.min(replyTokensLeast, outputTokens);
  return `the next model call needs ${inputTokens} tokens for its prompt and at least ${reply} for its reply`;
}

/** What calls in flight have set aside. */
export function reservedBy({ reservations }: Pick<Task, "reservations">): Charge {
  return [...reservations.values()].reduce(
    (total, { lapsed: isCounted, usage }) => (isCounted ? total : sum(total, chargeOf(usage))),
    nothing,
  );
}

/** The calls in flight as one, at what each has set aside; null when there is none. */
export function reservedCalls({ reservations }: Pick<Task, "reservations">): CallUsage | null {
  const open = [...reservations.values()].filter((one) => !one.lapsed).map(({ usage }) => usage);
  if (open.length === 0) return null;
  const of = (count: (usage: Reserved) => number) => open.reduce((total, usage) => total + count(usage), 0);
  const micro = of((usage) => usage.cost_micro_usd ?? 0);
  return {
    input_tokens: of((usage) => usage.input_tokens),
    output_tokens: of((usage) => usage.output_tokens),
    ...(micro === 0 ? {} : { cost_micro_usd: micro }),
    estimated: true,
  };
}

/** What counts against the caps of a task: what was used, and what is set aside. */
export function chargedTo(task: Pick<Task, "reservations" | "usage">): Charge {
  const { inputTokens, outputTokens, costMicroUsd: microUsd } = task.usage;
  return sum({ tokens: inputTokens + outputTokens, microUsd }, reservedBy(task));
}

type Kept = Pick<Task, "usage" | "reservations" | "excess">;

/** A call begins with this set aside. What an earlier one of its name had set aside was never accounted for: it counts as used. */
export function reserved(task: Kept, name: string, reservation: Omit<Reservation, "lapsed">): Kept {
  const before = task.reservations.get(name);
  const usage = before === undefined || before.lapsed ? task.usage : addCall(task.usage, before.usage);
  return {
    usage,
    excess: task.excess,
    reservations: new Map(task.reservations).set(name, { ...reservation, lapsed: false }),
  };
}

/** A call says what it used, or, with undefined, that it used nothing. */
export function settled(task: Kept, name: string, used: CallUsage | undefined): Kept {
  const before = task.reservations.get(name);
  const usage = used === undefined ? task.usage : addCall(task.usage, used);
  if (before === undefined) return { ...task, usage };
  const reservations = new Map(task.reservations);
  reservations.delete(name);
  const over = difference(used === undefined ? nothing : chargeOf(used), chargeOf(before.usage));
  return {
    usage: before.lapsed ? without(usage, before.usage) : usage,
    reservations,
    excess: sum(task.excess, { tokens: Math.max(0, over.tokens), microUsd: Math.max(0, over.microUsd) }),
  };
}

function without(usage: Task["usage"], counted: Reserved): Task["usage"] {
  return {
    ...usage,
    inputTokens: usage.inputTokens - counted.input_tokens,
    outputTokens: usage.outputTokens - counted.output_tokens,
    costMicroUsd: usage.costMicroUsd - chargeOf(counted).microUsd,
  };
}

/** Nobody may ever say what these calls used: each counts as its reservation. */
export function lapsed(task: Kept): Kept {
  const open = [...task.reservations.values()].filter((reservation) => !reservation.lapsed);
  return {
    usage: open.reduce((usage, reservation) => addCall(usage, reservation.usage), task.usage),
    excess: task.excess,
    reservations: new Map([...task.reservations].map(([name, one]) => [name, { ...one, lapsed: true }])),
  };
}

/** How a step is known among those of its task. */
export function callName(event: StepNamed): string {
  return `${event.subtask_id ?? ""}/${event.attempt}/${event.step}`;
}

interface StepNamed {
  readonly subtask_id?: string | undefined;
  readonly attempt: number;
  readonly step: string;
}

export interface AccountCharge extends Charge {
  readonly day: string;
  /** A call is about to start on it: the caps must hold. */
  readonly reserves: boolean;
}

/** What an event charges to the account of its task, or gives back; null for most. @param task as it was before the event */
export function accountCharge(task: Task, event: TaskEvent): AccountCharge | null {
  if (event.type !== "model_invocation") return null;
  if (event.phase === "start") {
    if (event.reserved === undefined) return null;
    return { day: dayOf(event.at), reserves: true, ...chargeOf(event.reserved) };
  }
  const before = task.reservations.get(callName(event));
  if (before === undefined) return null;
  const used = event.usage === undefined ? nothing : chargeOf(event.usage);
  return { day: dayOf(before.at), reserves: false, ...difference(used, chargeOf(before.usage)) };
}

/** `2026-11-21`, of UTC. */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
