/** What two runs of one task must have in common when only one of them was disturbed. @see docs/ARCHITECTURE.md, law 5 */
import type { TaskEvent } from "../../src/domain/event.ts";

/** What says when something was, not what it was. */
const timely = new Set(["seq", "at", "until", "expires_at", "n", "k", "duration_ms", "instruction_seq"]);

/** Marks of the interruption; and pauses, which come about when what is in flight has ended, whatever that is. */
const untold: ReadonlySet<TaskEvent["type"]> = new Set([
  "task_recovered",
  "uncertain_effect",
  "task_pausing",
  "task_paused",
  "task_resumed",
]);

/** The events of each subtask, and of the task itself, as far as an interruption must not change them. */
export function tale(log: readonly TaskEvent[]): Record<string, string[]> {
  const isFailed = log.some(({ type }) => type === "task_failed");
  const started = new Set<string>();
  const told: Record<string, string[]> = {};
  for (const event of log) {
    if (untold.has(event.type) || (isFailed && isOfExtraction(event))) continue;
    const start = startOf(event);
    if (start !== null && started.has(start)) continue;
    if (start !== null) started.add(start);
    const line = JSON.stringify(event, (name, value: unknown) => (timely.has(name) ? undefined : value));
    told[whose(event)] = [...(told[whose(event)] ?? []), line];
  }
  return told;
}

/** A task that fails drops its extractions, however far they have come. @see DECISIONS 8 */
function isOfExtraction(event: TaskEvent): boolean {
  if (event.type === "model_invocation") return event.role === "extract";
  return event.type === "memory_recorded" || event.type === "extraction_settled";
}

function whose(event: TaskEvent): string {
  if (event.type === "wait_elapsed") return event.what;
  return "subtask_id" in event && event.subtask_id !== undefined ? event.subtask_id : "";
}

/** The name of the step that an event starts: its second start is the one that was in flight. */
export function startOf(event: TaskEvent): string | null {
  const isStart = event.type === "tool_call_started" || (event.type === "model_invocation" && event.phase === "start");
  return isStart ? `${event.subtask_id ?? ""}/${event.attempt}/${event.step}` : null;
}

export function endOf(event: TaskEvent): string | null {
  const isEnd = event.type === "tool_call_completed" || (event.type === "model_invocation" && event.phase === "done");
  return isEnd ? `${event.subtask_id ?? ""}/${event.attempt}/${event.step}` : null;
}
