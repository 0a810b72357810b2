/** What a person is asked, as lines that they can judge: the exact command, paths, risk and diff, nothing hidden. Pure. */
import { count } from "./render.ts";
import { oneLine, paint, type Style, visible } from "./style.ts";
import type { ApprovalShown, QuestionShown } from "./wire.ts";

const pathsShown = 12;
const diffLinesShown = 60;

const questions: Readonly<Record<string, (subtask: string) => string>> = {
  tool: (subtask) => `${subtask}: may this be done?`,
  subtask: (subtask) => `${subtask} is done: is it accepted?`,
  plan: () => "The plan: is it carried out?",
};

/** @param whole the diff to its end, however long */
export function approvalCard(
  approval: ApprovalShown,
  { style, whole = false }: { readonly style: Style; readonly whole?: boolean },
): readonly string[] {
  const { action, reason_requested: why = "" } = approval;
  const shown = action.paths.slice(0, pathsShown).map((path) => oneLine(visible(path), 1000));
  const more = action.paths.length > pathsShown ? [`and ${action.paths.length - pathsShown} more`] : [];
  return [
    `${paint(style, "yellow", "?")} ${questionOf(approval)} (risk ${oneLine(approval.risk)}, ${oneLine(approval.approval_id)})`,
    ...barred(doing(approval)),
    ...stated("why", why === "" ? [] : [oneLine(visible(why), 2000)]),
    ...stated("paths", [...shown, ...more]),
    ...stated(
      "hosts",
      action.hosts.map((host) => oneLine(visible(host), 300)),
    ),
    ...stated("until", approval.expires_at === undefined ? [] : [oneLine(approval.expires_at)]),
    ...diffLines(action.diff, { style, whole }),
  ];
}

/** Those that wait, with all that one must know to decide; of the others, how they were decided. */
export function approvalLines(approvals: readonly ApprovalShown[], style: Style): readonly string[] {
  if (approvals.length === 0) return ["Nothing waits for a yes or no."];
  return approvals.flatMap((approval) => {
    const { approval_id: id, decided_by: by, status, subtask_id: subtask, summary, task_id: task } = approval;
    if (status === "pending") return [...approvalCard(approval, { style, whole: true }), `  task: ${oneLine(task)}`];
    const reason = approval.reason === undefined ? "" : `: ${oneLine(visible(approval.reason), 400)}`;
    const decider = by === "timeout" ? ": nobody answered in time" : by === undefined ? "" : ` by ${oneLine(by)}`;
    const decided = `${oneLine(status)}${decider}${reason}`;
    return [`· ${oneLine(subtask)} (${oneLine(id)}) ${decided}`, ...barred(oneLine(visible(summary), 400))];
  });
}

/** Is more of its diff there than a card shows? */
export function isCut({ action }: ApprovalShown): boolean {
  return linesOf(action.diff).length > diffLinesShown;
}

export function questionCard(question: QuestionShown, style: Style): readonly string[] {
  const { context_note: note, default_option_id: usual, expires_at: until } = question;
  return [
    `${paint(style, "yellow", "?")} ${oneLine(question.subtask_id)} asks (${oneLine(question.question_id)})`,
    ...barred(question.question),
    ...(note === "" ? [] : barred(note)),
    ...question.options.map(({ id, label, description }, index) => {
      const words = `  ${index + 1}. ${oneLine(visible(label), 300)}${description === "" ? "" : `: ${oneLine(visible(description), 600)}`}`;
      return id === usual ? `${words} (stands when nobody answers)` : words;
    }),
    ...stated("until", until === undefined ? [] : [oneLine(until)]),
  ];
}

function questionOf({ kind, subtask_id: id }: ApprovalShown): string {
  const subtask = oneLine(id);
  return questions[kind]?.(subtask) ?? `${subtask}: yes or no?`;
}

/** The command as it would run; where there is none, what else tells what the call does. */
function doing({ action, summary }: ApprovalShown): string {
  if (action.command !== undefined) return action.tool === "shell_execute" ? action.command : summary;
  const isPlain = action.paths.length > 0 || Object.keys(action.arguments).length === 0;
  return isPlain ? summary : `${summary}\n${JSON.stringify(action.arguments)}`;
}

/** A bar before each line: text of a model cannot pass for Loom's own words. */
function barred(text: string): string[] {
  return linesOf(visible(text)).map((line) => `  │ ${line}`);
}

function stated(name: string, values: readonly string[]): string[] {
  return values.length === 0 ? [] : [`  ${name}: ${values.join(", ")}`];
}

function diffLines(
  diff: string | undefined,
  { style, whole }: { readonly style: Style; readonly whole: boolean },
): string[] {
  const all = linesOf(diff).map((line) => `  │ ${painted(visible(line), style)}`);
  const shown = whole ? all : all.slice(0, diffLinesShown);
  return shown.length === all.length ? shown : [...shown, `  … ${count(all.length - shown.length, "more line")}`];
}

function painted(line: string, style: Style): string {
  if (/^(?:\+\+\+|---|diff |@@)/.test(line)) return paint(style, "dim", line);
  if (line.startsWith("+")) return paint(style, "green", line);
  return line.startsWith("-") ? paint(style, "red", line) : line;
}

function linesOf(text = ""): readonly string[] {
  return text === "" ? [] : text.trimEnd().split("\n");
}

/** Those files of a patch that are named. */
export function diffOfPaths(patch: string, paths: readonly string[]): string {
  return patch
    .split(/^(?=diff --git )/m)
    .filter((section) => paths.some((path) => section.startsWith(`diff --git a/${path} b/`)))
    .join("");
}
