/** Events as lines that a person reads. Pure: an event and a style in, a line or nothing out. */
import { type Color, clean, oneLine, paint, type Style } from "./style.ts";
import type { WireEvent } from "./wire.ts";

type Draw = (event: Facts, style: Style) => string | null;

/** An event's facts, read leniently: a newer server may say more, and must not break the line. */
class Facts {
  readonly #event: WireEvent;

  constructor(event: WireEvent) {
    this.#event = event;
  }

  get id(): string {
    return clean(this.#event.subtask_id ?? "");
  }

  text(name: string, charsMax?: number): string {
    const value = this.#event.data[name];
    return oneLine(typeof value === "string" || typeof value === "number" ? String(value) : "", charsMax);
  }

  number(name: string): number {
    const value = this.#event.data[name];
    return typeof value === "number" ? value : 0;
  }

  flag(name: string): boolean {
    return this.#event.data[name] === true;
  }

  list(name: string): readonly unknown[] {
    const value = this.#event.data[name];
    return Array.isArray(value) ? value : [];
  }

  texts(name: string): string {
    return this.list(name)
      .map((item) => oneLine(String(item)))
      .join(", ");
  }
}

/** @returns the line for an event, or null for what only a program wants to know */
export function renderEvent(event: WireEvent, style: Style): string | null {
  return Object.hasOwn(drawings, event.event_type)
    ? (drawings[event.event_type]?.(new Facts(event), style) ?? null)
    : null;
}

/** A mark, then the words. */
function line(mark: string, color: Color, words: (facts: Facts) => string): Draw {
  return (facts, style) => `${paint(style, color, mark)} ${words(facts)}`;
}

/** Below a subtask: its id, then the words. */
function under(color: Color | null, words: (facts: Facts) => string): Draw {
  return (facts, style) => `    ${facts.id}: ${color === null ? words(facts) : paint(style, color, words(facts))}`;
}

const drawings: Readonly<Record<string, Draw>> = {
  task_planning: line("·", "dim", (facts) =>
    facts.number("call") > 1 ? `planning, call ${facts.number("call")}` : "planning",
  ),
  task_plan_rejected: line("·", "yellow", (facts) => `the plan has flaws and goes back: ${facts.texts("flaws")}`),
  task_plan_degraded: line(
    "·",
    "yellow",
    (facts) => `no usable plan, so the goal is one subtask: ${facts.text("detail")}`,
  ),
  task_plan_ready: (facts, style) =>
    [
      `${paint(style, "bold", "plan")} ${facts.number("version")}: ${count(facts.number("subtask_count"), "subtask")}`,
      ...planned(facts),
    ].join("\n"),
  plan_approved: line("·", "green", () => "the plan is approved"),
  task_replanning: line("↻", "yellow", (facts) => `planning again: ${facts.text("reason")}`),
  subtask_started: line(
    "▶",
    "blue",
    (facts) =>
      `${facts.id}${facts.number("attempt") > 1 ? ` (attempt ${facts.number("attempt")}, tier ${facts.number("model_tier")})` : ""}`,
  ),
  tool_call_completed: under(
    null,
    (facts) =>
      `${facts.text("tool")}${facts.flag("success") ? "" : ` failed: ${facts.text("error") || facts.text("output")}`}`,
  ),
  files_changed: under(null, (facts) => facts.list("changes").map(changeWords).join(", ")),
  uncertain_effect: under(
    "yellow",
    (facts) => `it is not known whether ${facts.text("tool")} had run: ${facts.text("detail")}`,
  ),
  verification_passed: under("green", (facts) => `verified, tier ${facts.number("tier")}`),
  verification_failed: under("yellow", (facts) => `not accepted: ${facts.text("feedback", 400)}`),
  subtask_completed: line(
    "✔",
    "green",
    (facts) =>
      `${facts.id}: ${facts.text("summary")}${facts.flag("flagged") ? ` (flagged: ${facts.text("flag_reason")})` : ""}`,
  ),
  subtask_failed: line(
    "✘",
    "red",
    (facts) =>
      // What the verification found wanting stands in the line before.
      `${facts.id}: attempt ${facts.number("attempt")} failed (${facts.text("class")})${facts.text("class") === "semantic" ? "" : `: ${facts.text("feedback", 400)}`}`,
  ),
  subtask_retrying: line(
    "↻",
    "yellow",
    (facts) => `${facts.id}: attempt ${facts.number("attempt")}, tier ${facts.number("escalated_tier")}`,
  ),
  subtask_blocked: line("■", "yellow", (facts) => `${facts.id} is blocked: ${facts.texts("reasons")}`),
  subtask_skipped: line("–", "dim", (facts) => `${facts.id} is skipped: ${facts.text("reason")}`),
  subtask_waiting: line("…", "yellow", (facts) => `${facts.id} waits: ${facts.text("reason")}`),
  approval_requested: line(
    "?",
    "yellow",
    (facts) =>
      `${facts.id} waits for a yes or no: ${facts.text("summary", 400)}\n    why: ${facts.text("reason", 400)}`,
  ),
  approval_received: line(
    "·",
    "dim",
    (facts) =>
      `${facts.id}: ${facts.flag("approved") ? "approved" : "rejected"} by ${facts.text("by")}${facts.text("reason") === "" ? "" : `: ${facts.text("reason")}`}`,
  ),
  approval_expired: line(
    "·",
    "yellow",
    (facts) => `${facts.id}: nobody answered in time (${facts.text("on_timeout")})`,
  ),
  ask_user_requested: line("?", "yellow", (facts) => `${facts.id} asks: ${facts.text("question", 1200)}`),
  ask_user_answered: line("·", "dim", (facts) => `${facts.id}: answered by ${facts.text("by")}`),
  steer_instruction: line("·", "dim", (facts) => `instruction taken: ${facts.text("instruction")}`),
  steer_applied: line("·", "dim", (facts) => `${facts.id} has read the instruction`),
  conversation_message: line("·", "dim", (facts) => `message: ${facts.text("message")}`),
  task_pausing: line("·", "yellow", () => "pausing at the next step"),
  task_paused: line("‖", "yellow", (facts) => `paused: ${facts.text("reason")}`),
  task_resumed: line("▶", "blue", () => "going on"),
  task_cancel_requested: line("·", "yellow", (facts) => `cancel asked for by ${facts.text("requested_by")}`),
  task_budget_exhausted: line(
    "■",
    "red",
    (facts) =>
      `the budget of ${facts.text("budget_name")} is spent: ${facts.number("observed")} of ${facts.number("limit")}`,
  ),
  task_stalled: line("■", "red", (facts) => `nothing can go on: ${facts.texts("blocked_subtasks")}`),
  task_recovered: line("·", "yellow", () => "going on after a restart"),
  checks_started: line("·", "dim", () => "running the checks"),
  checks_passed: line("✔", "green", () => "the checks pass"),
  checks_failed: line("✘", "red", () => "the checks fail"),
  undo_applied: line("·", "dim", (facts) => `put back ${count(facts.list("restored").length, "path")}`),
  webhook_failed: line(
    "·",
    "yellow",
    (facts) => `the webhook to ${facts.text("target_host")} failed: ${facts.text("reason")}`,
  ),
  task_completed: line("✔", "green", () => "completed"),
  task_failed: line("✘", "red", (facts) => `failed (${facts.text("reason")}): ${facts.text("message", 600)}`),
  task_cancelled: line("■", "yellow", () => "cancelled"),
};

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function planned(facts: Facts): string[] {
  return facts.list("subtasks").map((item) => {
    const { id, description, depends_on: dependsOn } = fields(item);
    const after =
      Array.isArray(dependsOn) && dependsOn.length > 0 ? ` (after ${dependsOn.map(String).join(", ")})` : "";
    return `    ${oneLine(String(id))}: ${oneLine(String(description), 160)}${after}`;
  });
}

function changeWords(item: unknown): string {
  const { path, before, after, moved_to: movedTo } = fields(item);
  const name = oneLine(String(path));
  if (typeof movedTo === "string") return `moved ${name} to ${oneLine(movedTo)}`;
  if (fields(before)["kind"] === "absent") return `created ${name}`;
  return `${fields(after)["kind"] === "absent" ? "deleted" : "changed"} ${name}`;
}

function fields(item: unknown): Readonly<Record<string, unknown>> {
  return typeof item === "object" && item !== null ? { ...item } : {};
}
