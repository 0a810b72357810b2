/**
 * Worked examples of another job, as turns of a conversation. A small model goes on with what it sees: told the same in a
 * system message, one of 270 million parameters made the right first call for none of twenty small goals, and shown it as turns, for 17.
 */
import type { Message, ToolSchema } from "../../ports/model.ts";
import { subtaskSection } from "../prompts.ts";
import { type ExampleJob, exampleJobs } from "./example-jobs.ts";

/** They may take so much of the window, by four characters a token. */
const windowShare = 0.15;
const charsPerToken = 4;

export interface ExampleRoom {
  readonly windowTokens: number;
  /** From 0: each shows other jobs, in another order. */
  readonly variant?: number;
}

/** @returns turns to be shown before an executor's own: of the jobs that these tools can do, as many as the window bears */
export function executorExamples(
  tools: readonly ToolSchema[],
  { windowTokens, variant = 0 }: ExampleRoom,
): readonly Message[] {
  const offered = new Set(tools.map(({ name }) => name));
  const fitting = exampleJobs(variant).filter(({ steps }) => steps.every(({ tool }) => offered.has(tool)));
  const shown: Message[] = [];
  let left = windowTokens * windowShare * charsPerToken;
  for (const [index, job] of fitting.entries()) {
    const turns = turnsOf(job, `example-${index + 1}`);
    left -= JSON.stringify(turns).length;
    if (left < 0) break;
    shown.push(...turns);
  }
  return shown;
}

function turnsOf({ description, kind, steps, end, isQuote }: ExampleJob, id: string): readonly Message[] {
  const briefing = subtaskSection({
    id,
    description,
    kind,
    acceptance_criteria: "",
    expected_outputs: [],
    checks: [],
  });
  const calls = steps.flatMap(({ tool, arguments: args, result }, index): Message[] => {
    const toolCallId = `${id}-${index + 1}`;
    return [
      { role: "assistant", content: "", toolCalls: [{ id: toolCallId, name: tool, arguments: args }] },
      { role: "tool", toolCallId, name: tool, content: result },
    ];
  });
  return [
    { role: "user", content: briefing },
    ...calls,
    { role: "assistant", content: end, ...(isQuote === true ? { isQuote } : {}) },
  ];
}
