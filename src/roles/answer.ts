/** The last word of a task: what was done and found, for the person who set the goal. Told from results, not from plans. */

import { netChanges, operationOf } from "../domain/change.ts";
import { journalScopeOf } from "../domain/effect.ts";
import type { Report } from "../domain/report.ts";
import { changesOf, planned, type Subtask, type Task } from "../domain/task.ts";
import { isJsonObject } from "../lib/json.ts";
import type { EventStore } from "../ports/event-store.ts";
import type { Execution, Executor } from "../ports/executor.ts";
import type { Models } from "../ports/model.ts";
import type { Clock } from "../ports/runtime.ts";
import { cuttable, fittedText, type Part, pinned } from "./context/context-fit.ts";
import { askFitting } from "./context/request-room.ts";
import { head, oneLine, within } from "./excerpt.ts";
import { modelFailure } from "./model-step.ts";
import { instructionSection, objectSchema, section, shortGoal, textSchema } from "./prompts.ts";
import { firstText, type JsonReader } from "./reading.ts";
import { pastAttempt } from "./records.ts";

export interface AnswererPorts {
  readonly models: Pick<Models, "call" | "readJson" | "terms" | "window">;
  readonly events: Pick<EventStore, "steps">;
  readonly clock: Pick<Clock, "now">;
}

const summaryCharsMax = 1000;
const answerCharsMax = 20_000;
const resultCharsMax = 24_000;
const pathsMax = 100;

const answererRules = `You write the final answer for Loom. A task is finished; you tell the person who set the goal what came of it.

Rules:
- Say only what the results below bear out. Where something is missing or doubtful, say so.
- If the goal asks for an answer or a text, give it in full. If it asks for work, say what was done and which files changed.
- No word about subtasks, plans or tools unless the goal asks for it.
- Answer with JSON only: {"summary":"one or two sentences","answer":"the whole answer"}`;

const answerSchema = objectSchema({ summary: textSchema(summaryCharsMax), answer: textSchema(answerCharsMax) });

export function createAnswerer(ports: AnswererPorts): Executor<"answer"> {
  return async (execution) => {
    const { key } = execution.effect;
    if (execution.stop.yielding.aborted) return { type: "Yielded", key };
    try {
      return await answer(execution, ports);
    } catch (error) {
      const report = modelFailure(key, error);
      if (report === null) throw error;
      return report;
    }
  };
}

async function answer(execution: Execution<"answer">, ports: AnswererPorts): Promise<Report> {
  const { effect, journal, stop } = execution;
  const task = execution.current();
  const pick = { role: "planner", tier: 2, taskId: task.id, priority: "plan" } as const;
  const own = ports.models.terms(pick)?.showsExamples === true ? await soleResult(task, ports) : "";
  if (own !== "") return { type: "Answered", key: effect.key, ...saidAs(own) };
  const parts = await material(task, ports);
  const reply = await askFitting(journal, ports, {
    step: "answer",
    pick,
    system: answererRules,
    schema: { name: "answer", schema: answerSchema },
    user: (bytesMax) => fittedText(parts, bytesMax),
    at: { attempt: effect.call, iteration: 1 },
    signal: stop.aborted,
  });
  const read = readAnswer(reply.text, ports.models);
  if (read === null || reply.finish === "length") {
    return { type: "Failed", key: effect.key, class: "no_output", feedback: "The model gave no complete answer" };
  }
  return { type: "Answered", key: effect.key, ...read };
}

async function material(task: Task, ports: AnswererPorts): Promise<Part[]> {
  const done = planned(task).filter(({ status }) => status.kind === "completed");
  const each = Math.floor(resultCharsMax / Math.max(1, done.length));
  const results: string[] = [];
  for (const subtask of done) results.push(`- ${subtask.spec.id}: ${head(await resultOf(task, subtask, ports), each)}`);
  const skipped = planned(task).filter(({ status }) => status.kind === "skipped");
  const leftOut = skipped.map(
    ({ spec, status }) =>
      `- ${oneLine(spec.description, 200)}${status.kind === "skipped" ? ` (${oneLine(status.reason, 200)})` : ""}`,
  );
  const checks = task.checks.passed ? task.brief.checks.map(({ name }) => `- ${name}: passed`) : [];
  return [
    pinned(section("Goal", [shortGoal(task.brief.goal)])),
    pinned(instructionSection(task.instructions.map(({ text }) => text))),
    cuttable(section("Results", results.length > 0 ? results : ["(nothing had to be done)"]), 6),
    cuttable(section("Left out", leftOut)),
    cuttable(section("Files changed", fileLines(task))),
    cuttable(section("Checks of the task", checks)),
  ];
}

/** Where one subtask was all, its words were verified; said again by a model that must be shown how to answer, they would not be. */
async function soleResult(task: Task, ports: AnswererPorts): Promise<string> {
  const [only, ...others] = planned(task);
  if (only === undefined || others.length > 0 || only.status.kind !== "completed") return "";
  return (await resultOf(task, only, ports)).trim();
}

/** Of a subtask that was to give an answer, the whole of it; of others what they said they did. */
async function resultOf(task: Task, subtask: Subtask, { events }: AnswererPorts): Promise<string> {
  const summary = subtask.status.kind === "completed" ? subtask.status.summary : "";
  if (subtask.spec.kind !== "answer") return summary;
  const scope = journalScopeOf({
    kind: "work",
    subtaskId: subtask.spec.id,
    attempt: subtask.attempt,
    leg: 1,
    tier: subtask.tier,
  });
  const { finalText } = pastAttempt(await events.steps(task.id, scope));
  return finalText === "" ? summary : finalText;
}

function fileLines(task: Task): string[] {
  const net = netChanges(changesOf(task).filter(({ undone }) => !undone));
  const lines = net.slice(0, pathsMax).map((change) => `- ${change.path} (${operationOf(change)})`);
  return net.length > pathsMax ? [...lines, `- and ${net.length - pathsMax} more`] : lines;
}

const answerNames = ["answer", "text", "result", "summary"];

/** @returns the two texts, of JSON or of plain text; null when nothing was said */
function readAnswer(text: string, reader: JsonReader): { readonly summary: string; readonly answer: string } | null {
  const found = /^\s*[{[`]/.test(text) ? reader.readJson(text)?.value : undefined;
  const form = isJsonObject(found) && answerNames.some((name) => name in found) ? found : {};
  const said = form === found ? firstText(form, answerNames) : text.trim();
  if (said === "") return null;
  return saidAs(said, firstText(form, ["summary"]));
}

function saidAs(said: string, summary = ""): { readonly summary: string; readonly answer: string } {
  return {
    summary: within(summary === "" ? oneLine(said, summaryCharsMax) : summary, summaryCharsMax),
    answer: within(said, answerCharsMax),
  };
}
