/**
 * Follows one task to its end, or to where only a person can take it further: shows its events, asks the person at the
 * terminal, and turns Ctrl-C into a cancel.
 */
import { setTimeout as delay } from "node:timers/promises";
import { exits, failureLines } from "./exit-codes.ts";
import { type Asking, answerQuestion, decideApproval } from "./prompt.ts";
import type { Screen } from "./screen.ts";
import type { Service } from "./service.ts";
import { type TaskShown, terminalStatuses, type WireEvent } from "./wire.ts";

export interface Following {
  readonly service: Service;
  readonly taskId: string;
  readonly screen: Screen;
  /** Who answers at the terminal; null when nobody can. */
  readonly asking: Asking | null;
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
  const stop = new AbortController();
  const interrupted = () => void interrupt(following, stop);
  if (signal.aborted) interrupted();
  else signal.addEventListener("abort", interrupted, { once: true });
  try {
    await showAll(following, stop);
  } finally {
    signal.removeEventListener("abort", interrupted);
  }
  const task = await service.view(taskId);
  return { task, exitCode: exitCodeFor(task, signal.aborted && onInterrupt === "leave") };
}

/** The exit code that a task's status stands for; one that was left before its end awaits someone. */
function exitCodeFor({ status }: TaskShown, left: boolean): number {
  if (status === "completed") return exits.done;
  if (status === "failed") return exits.failed;
  if (status === "cancelled") return exits.cancelled;
  return left ? exits.done : exits.awaiting;
}

async function showAll(following: Following, stop: AbortController): Promise<void> {
  const { service, taskId, screen, leaveWhenAwaiting } = following;
  let watching: Promise<void> | undefined;
  for await (const event of service.follow(taskId, { after: 0, signal: stop.signal })) {
    screen.event(event);
    if (!asks.has(event.event_type)) continue;
    if (leaveWhenAwaiting) watching ??= leaveOnceAwaiting(following, stop);
    else if (following.asking !== null) await ask(following, following.asking, event);
  }
  stop.abort();
  await watching;
}

/** Others may still be working: the task is left when a person is all it waits for. */
async function leaveOnceAwaiting({ service, taskId }: Following, stop: AbortController): Promise<void> {
  while (!stop.signal.aborted) {
    const { status } = await service.view(taskId);
    if (status === "waiting_approval" || status === "paused" || terminalStatuses.has(status)) stop.abort();
    else await delay(lookMs, undefined, { signal: stop.signal }).catch(() => undefined);
  }
}

async function ask({ service, screen }: Following, asking: Asking, event: WireEvent): Promise<void> {
  const resume = screen.hold();
  try {
    const answered =
      event.event_type === "approval_requested"
        ? await decideApproval(service, asking, event)
        : await answerQuestion(service, asking, event);
    if (!answered) screen.lines("  left unanswered");
  } catch (error) {
    // Someone else was faster, or the task has moved on: what comes next will say so.
    screen.lines(...failureLines(error));
  } finally {
    resume();
  }
}

async function interrupt({ service, taskId, screen, onInterrupt }: Following, stop: AbortController): Promise<void> {
  if (onInterrupt === "leave") {
    stop.abort();
    return;
  }
  try {
    screen.lines("cancelling; files stay as they are");
    await service.cancel(taskId, "interrupted at the terminal");
    await delay(cancelMs, undefined, { signal: stop.signal }).catch(() => undefined);
  } catch (error) {
    screen.lines(...failureLines(error));
  }
  stop.abort();
}
