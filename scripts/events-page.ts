/** docs/events.md, made from the schemas of the events, so that it can never say anything else. */
import { z } from "zod";
import { wireSchema } from "../src/api/wire.ts";
import { type EventType, eventTypes, terminalTypes } from "../src/domain/event.ts";

/** What each event says, in a sentence. The record makes a new event without one a type error. */
const meanings: Readonly<Record<EventType, string>> = {
  task_created: "A task was submitted; the rules it runs under are recorded with it.",
  task_planning: "A plan is being made.",
  task_replanning: "A new plan is wanted; what is completed or running stays.",
  task_plan_rejected: "A proposed plan was sent back with its flaws.",
  task_plan_degraded: "No usable plan came; the goal itself becomes the one subtask.",
  task_plan_ready: "The plan in force, whole.",
  plan_approved: "A person said yes to the plan.",
  task_executing: "Subtasks start.",
  task_pausing: "A pause was asked for; steps in flight end first.",
  task_paused: "Nothing runs until the task is resumed.",
  task_resumed: "The task goes on; `reopened` when it had failed or was cancelled.",
  task_cancel_requested: "Somebody asked to cancel.",
  task_cancelled: "The end: cancelled.",
  task_budget_exhausted: "A cap of the budget was reached.",
  task_stalled: "Nothing could go on.",
  task_recovered: "Loom was started again while this task had work in flight.",
  task_completed: "The end: every subtask is completed, the answer is there.",
  task_failed: "The end: failed, with the reason.",
  subtask_started: "An attempt began.",
  subtask_delivered:
    "An attempt says it is done; nobody has checked it yet. `subtask_id` is `answer` for the final answer.",
  subtask_completed: "Verified, and approved where that was needed.",
  subtask_failed: "An attempt failed; `final` when there will be no other.",
  subtask_retrying: "The next attempt is wanted, with this critique.",
  subtask_blocked: "What it depends on failed.",
  subtask_skipped: "It will not be done.",
  subtask_waiting: "It waits for a model that is down; `subtask_id` is `plan` while planning.",
  wait_elapsed: "A wait is over.",
  model_invocation: "A model call starts, or is done.",
  model_context_truncated:
    "The server cut a prompt without a word: it counted fewer tokens than were sent. The next prompt is made to fit.",
  tool_call_started: "A tool call is about to run.",
  tool_call_completed: "A tool call ended.",
  files_changed: "Files changed, with digests of what stood there before and after.",
  uncertain_effect: "Loom died while this call ran: it is not known how far it came, and it is not repeated.",
  verification_started: "Delivered work is being checked.",
  verification_passed: "The check passed.",
  verification_failed: "The check failed, or was inconclusive.",
  approval_requested: "A person is asked.",
  approval_received: "A person, or a timeout, decided.",
  approval_expired: "Nobody answered in time.",
  ask_user_requested: "A model asks a person.",
  ask_user_answered: "The answer.",
  steer_instruction: "A person gave an instruction.",
  steer_applied: "A running attempt read the instruction with this turn.",
  conversation_message: "A person sent a message.",
  feedback_received: "A person rated or commented.",
  memory_recorded: "Something worth knowing later was noted.",
  extraction_settled: "The notes of a subtask are done, or were dropped.",
  checks_started: "The task's own checks run.",
  checks_passed: "All of them exit 0.",
  checks_failed: "Some did not.",
  undo_requested: "An undo was asked for.",
  undo_applied: "What an undo put back, and what it left.",
  webhook_delivered: "A webhook was taken.",
  webhook_failed: "A webhook was given up.",
};

export function eventsPage(): string {
  const head = [
    "# Events",
    "",
    "Made from the schemas by `npm run docs`; a test holds it equal to them.",
    "",
    "Each event travels as `data: {event_type, task_id, run_id, seq, timestamp, subtask_id?, data}`. Below are the members of `data`.",
    "Strings that would make `data` longer than 16 KiB are cut there, with a note. `token_streamed` is no event of the log: it has",
    "no id, is shown while it comes, and may be dropped.",
    "",
  ];
  return `${[...head, ...eventTypes.map(section)].join("\n")}\n`;
}

function section(type: EventType): string {
  const schema = z.toJSONSchema(wireSchema(type), { io: "input", unrepresentable: "any" }) as {
    readonly properties?: Readonly<Record<string, { readonly type?: unknown; readonly enum?: readonly unknown[] }>>;
    readonly required?: readonly string[];
  };
  const rows = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const optional = schema.required?.includes(name) === true ? "" : "?";
    return `| \`${name}${optional}\` | ${kindOf(property)} |`;
  });
  const terminal = terminalTypes.has(type) ? " A stream ends with it." : "";
  return [`## ${type}`, "", `${meanings[type]}${terminal}`, "", "| member | type |", "|---|---|", ...rows, ""].join(
    "\n",
  );
}

function kindOf(property: {
  readonly format?: unknown;
  readonly type?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
}): string {
  if (property.enum !== undefined) return property.enum.map((value) => `\`${JSON.stringify(value)}\``).join(", ");
  if (property.format === "date-time") return "time, ISO 8601";
  if (property.const !== undefined) return `\`${JSON.stringify(property.const)}\``;
  return typeof property.type === "string" ? property.type : "object";
}
