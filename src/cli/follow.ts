/**
 * Follows one task to its end, or to where only a person can take it further: shows its events, asks the person at the
 * terminal, and turns Ctrl-C into a cancel; while something is asked, into leaving it to wait.
 */
import { setTimeout as delay } from "node:timers/promises";
import { exits, failureLines } from "./exit-codes.ts";
import type { Asking } from "./prompt.ts";
import { Prompts } from "./prompts.ts";
import type { Screen } from "./screen.ts";
import type { Service } from "./service.ts";
import type { Style } from "./style.ts";
import { type TaskShown, terminalStatuses } from "./wire.ts";

export interface Following {
  readonly service: Service;
  readonly taskId: string;
  readonly screen: Screen;
  /** Who answers at the terminal; null when nobody can. */
  readonly asking: Asking | null;
  readonly style: Style;
  /** End with exit code 3 once the task awaits a person. */
  readonly leaveWhenAwaiting: boolean;
  /** What the first Ctrl-C does. */
  readonly onInterrupt: "cancel" | "leave";
  readonly signal: AbortSignal;
}

export interface Outcome {
  readonly exitCode: number;
  readonly task: TaskShown;
}

const asks: ReadonlySet<string> = new Set(["approval_requested", "ask_user_requested"]);
const lookMs = 250;
/** A cancelled task is dead within half a second; this is for servers far away. */
const cancelMs = 10_000;

export async function follow(following: Following): Promise<Outcome> {
  const { service, taskId, signal, onInterrupt } = following;
  const leaving = new Leaving(following);
  const interrupted = () => void interrupt(following, leaving);
  if (signal.aborted) interrupted();
  else signal.addEventListener("abort", interrupted, { once: true });
  try {
    await showAll(following, leaving);
  } finally {
    signal.removeEventListener("abort", interrupted);
  }
  const task = await service.view(taskId);
  return { task, exitCode: exitCodeFor(task, signal.aborted && onInterrupt === "leave") };
}

/** How a task is left before its end. */
class Leaving {
  readonly #stop = new AbortController();
  /** Null when nobody is there to ask. */
  readonly prompts: Prompts | null;

  constructor({ asking, ...following }: Following) {
    const left = () => this.now();
    this.prompts = asking === null ? null : new Prompts({ ...following, asking, left });
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  now(): void {
    this.#stop.abort();
  }
}

/** The exit code that a task's status stands for; one that was left before its end awaits someone. */
function exitCodeFor({ status }: TaskShown, left: boolean): number {
  if (status === "completed") return exits.done;
  if (status === "failed") return exits.failed;
  if (status === "cancelled") return exits.cancelled;
  return left ? exits.done : exits.awaiting;
}

async function showAll(following: Following, leaving: Leaving): Promise<void> {
  const { service, taskId, screen, leaveWhenAwaiting } = following;
  const { prompts, signal } = leaving;
  let watching: Promise<void> | undefined;
  for await (const event of service.follow(taskId, { after: 0, signal })) {
    if (prompts?.take(event) !== true) screen.event(event);
    if (leaveWhenAwaiting && asks.has(event.event_type)) watching ??= leaveOnceAwaiting(following, leaving);
  }
  leaving.now();
  await prompts?.settled();
  await watching;
}

/** Others may still be working: the task is left when a person is all it waits for. */
async function leaveOnceAwaiting({ service, taskId }: Following, leaving: Leaving): Promise<void> {
  const { signal } = leaving;
  while (!signal.aborted) {
    const { status } = await service.view(taskId);
    if (status === "waiting_approval" || status === "paused" || terminalStatuses.has(status)) leaving.now();
    else await delay(lookMs, undefined, { signal }).catch(() => undefined);
  }
}

async function interrupt({ service, taskId, screen, onInterrupt }: Following, leaving: Leaving): Promise<void> {
  const isAsked = leaving.prompts?.isOpen === true;
  leaving.prompts?.leave();
  if (onInterrupt === "leave" || isAsked) {
    leaving.now();
    return;
  }
  try {
    screen.lines("cancelling; files stay as they are");
    await service.cancel(taskId, "interrupted at the terminal");
    await delay(cancelMs, undefined, { signal: leaving.signal }).catch(() => undefined);
  } catch (error) {
    screen.lines(...failureLines(error));
  }
  leaving.now();
}
