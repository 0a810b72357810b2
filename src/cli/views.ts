/** Tasks, approvals, models and the like as lines that a person reads. Pure. */
import type { PolicyRule } from "../domain/policy-rules.ts";
import { profileLines } from "./profile-lines.ts";
import { count } from "./render.ts";
import { type Color, clean, oneLine, paint, type Style, table } from "./style.ts";
import type { ModelShown, QuestionShown, Restored, TaskListed, TaskShown, ToolShown } from "./wire.ts";

const statusColors: Readonly<Record<string, Color>> = {
  completed: "green",
  failed: "red",
  cancelled: "yellow",
  waiting_approval: "yellow",
  paused: "yellow",
};

function status(name: string, style: Style): string {
  return paint(style, statusColors[name] ?? "blue", name);
}

/** What a run ends with: status, summary, flags, files, tokens. */
export function finalLines(task: TaskShown, style: Style): readonly string[] {
  const { progress, plan, result, workspace_changes: files, usage } = task;
  const flagged = (plan?.subtasks ?? []).filter((subtask) => subtask.flagged);
  return [
    `${status(task.status, style)}: ${progress.completed} of ${count(progress.total_subtasks, "subtask")} (${task.task_id})`,
    ...(result === null
      ? []
      : clean(result.answer === "" ? result.summary : result.answer)
          .trim()
          .split("\n")),
    ...task.errors
      .filter(({ resolution }) => resolution === undefined)
      .slice(0, 5)
      .map(({ subtask, error }) => `error${subtask === null ? "" : ` in ${subtask}`}: ${oneLine(error, 400)}`),
    ...flagged.map(
      ({ id, confidence }) =>
        `flagged: ${id} was accepted with a confidence of ${confidence ?? "?"}; have a look at it`,
    ),
    `files: ${files.files_created} created, ${files.files_modified} modified, ${files.files_deleted} deleted in ${task.workspace}`,
    `tokens: ${usage.input_tokens} in (${usage.cached_tokens} cached), ${usage.output_tokens} out; ${count(usage.model_calls, "model call")}, ${count(usage.tool_calls, "tool call")}, ${(usage.wall_ms / 1000).toFixed(1)} s${usage.usd === undefined ? "" : `, $${usage.usd.toFixed(4)}`}`,
    ...budgetLines(task),
  ];
}

/** Of each cap, how much is used; what calls in flight have set aside stands beside. */
function budgetLines({ budget }: TaskShown): readonly string[] {
  const caps = Object.entries(budget?.cap ?? {});
  if (budget === undefined || caps.length === 0) return [];
  const parts = caps.map(([name, cap]) => {
    const [used, reserved] = [budget.settled[name] ?? 0, budget.reserved[name] ?? 0];
    return `${used} of ${cap} ${name}${reserved === 0 ? "" : ` (and ${reserved} set aside)`}`;
  });
  const over = Object.entries(budget.excess ?? {}).map(([name, excess]) => `${excess} ${name}`);
  return [
    `budget: ${parts.join(", ")}`,
    ...(over.length === 0 ? [] : [`servers used more than they were granted: ${over.join(", ")}`]),
  ];
}

export function taskLines(task: TaskShown, style: Style): readonly string[] {
  const rows = (task.plan?.subtasks ?? []).map((subtask) => [
    `  ${subtask.id}`,
    subtask.status,
    oneLine(subtask.summary === "" ? subtask.description : subtask.summary, 100),
  ]);
  return [
    `${task.task_id}: ${oneLine(task.goal)}`,
    ...table(rows),
    ...termsLines(task),
    ...task.awaiting.map(
      ({ kind, id, reason, until }) =>
        `awaiting ${kind} ${id}${until === undefined ? "" : ` until ${until}`}${reason === undefined ? "" : `: ${oneLine(reason)}`}`,
    ),
    ...finalLines(task, style),
  ];
}

/** What is other than usual about persons and policy. */
function termsLines({ approvers, approval_timeout_seconds: seconds = 0, policy }: TaskShown): readonly string[] {
  return [
    ...(approvers === "none" ? ["approvers: none; what needs a person is refused"] : []),
    ...(seconds > 0 ? [`approval timeout: ${seconds} s`] : []),
    ...(policy?.ask ?? []).map((rule) => `policy: asks about ${ruleWords(rule)}`),
    ...(policy?.deny ?? []).map((rule) => `policy: denies ${ruleWords(rule)}`),
  ];
}

function ruleWords({ reason, ...conditions }: PolicyRule): string {
  const words = Object.entries(conditions).map(([name, value]) =>
    typeof value === "string" ? `${name} "${value}"` : `${name} ${JSON.stringify(value)}`,
  );
  return oneLine(`${words.join(", ")}${reason === undefined ? "" : ` (${reason})`}`, 400);
}

export function listLines(tasks: readonly TaskListed[], style: Style): readonly string[] {
  if (tasks.length === 0) return ['No tasks yet. Try: loom run "…"'];
  return table(
    tasks.map((task) => [task.task_id, task.created_at, status(task.status, style), oneLine(task.goal, 100)]),
  );
}

export function questionLines(questions: readonly QuestionShown[]): readonly string[] {
  if (questions.length === 0) return ["Nothing was asked."];
  return questions.flatMap((question) => [
    `${question.question_id} (${question.status}), ${question.subtask_id} asks: ${oneLine(question.question, 1200)}`,
    ...question.options.map(
      ({ id, label }) =>
        `  ${oneLine(id)}: ${oneLine(label)}${id === question.default_option_id ? " (stands when nobody answers)" : ""}`,
    ),
  ]);
}

export function modelLines(models: readonly ModelShown[]): readonly string[] {
  if (models.length === 0)
    return [
      "No model is configured. Add a [models.<name>] section to loom.toml, or start a model server; `loom doctor` says where it looked.",
    ];
  const rows = models.map((model) => [
    model.name,
    model.provider,
    model.model,
    `tier ${model.tier}`,
    model.roles.join(","),
    model.health,
    model.base_url,
  ]);
  return [
    ...table(rows),
    ...models.flatMap((model) => ["", `${model.name} at its server:`, ...profileLines(model)]),
    ...(models.some(({ notes }) => notes.length > 0) ? [""] : []),
    ...models.flatMap(({ name, notes }) => notes.map((note) => `  ${name}: ${oneLine(note, 400)}`)),
  ];
}

export function toolLines(tools: readonly ToolShown[]): readonly string[] {
  return table(tools.map((tool) => [tool.name, tool.risk, oneLine(tool.description, 100)]));
}

export function undoLines(
  { restored, conflicts, skipped, merged = [] }: Restored,
  preview: boolean,
): readonly string[] {
  const verb = preview ? "would be put back" : "put back";
  return [
    `${count(restored.length, "path")} ${verb}${restored.length === 0 ? "" : `: ${restored.map(clean).join(", ")}`}`,
    ...(merged.length === 0 ? [] : [`with what others wrote elsewhere in it: ${merged.map(clean).join(", ")}`]),
    ...conflicts.map(({ path, reason }) => `left as it is: ${clean(path)}: ${oneLine(reason)}`),
    ...(skipped.length === 0 ? [] : [`as before already: ${skipped.map(clean).join(", ")}`]),
  ];
}
