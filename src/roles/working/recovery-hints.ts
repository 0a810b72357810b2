/** Hints for the attempt after a failed one: by the way that was chosen for it, and by what the critique speaks of. Pure. */
import type { Critique } from "../../domain/task.ts";

const byStrategy: Readonly<Record<string, string>> = {
  evidence_gap: "Do the work by calling tools, and say only what the calls show.",
  targeted: "Only that is missing: bring it, and leave alone what was right.",
  restore: "Put back what was taken away or changed there, then do the work itself.",
  checks: "Run that command yourself, read what it prints, and correct the cause.",
  loop: "Take another way from the start: another tool, other arguments, smaller steps.",
  no_output: "Answer briefly: one tool call at a time, and a short text at the end.",
  denied: "Do without what was denied.",
  context: "Read less at a time: search first, then only the lines that matter.",
  timeout: "Do less in one call, and give what takes long a time limit of its own.",
};

/** What a critique speaks of, the most telling first. @see sfw-loom.md 5.5 */
const byWords: readonly (readonly [RegExp, string])[] = [
  [
    /\b(?:SyntaxError|IndentationError|TabError|does not parse)\b/,
    "Read the file around the place that is named before you edit it.",
  ],
  [
    /\b(?:FileNotFoundError|No such file|not found:|does not exist)/i,
    "List the folder first; paths are relative to the workspace.",
  ],
  [/\b(?:PermissionError|Permission denied|not writable)\b/i, "Work on files of the workspace that may be written."],
  [
    /\b(?:command not found|No module named|Cannot find module|ERR_MODULE_NOT_FOUND)\b/,
    "Look at what is installed, and use that.",
  ],
  [/\b(?:timed out|did not end within)\b/i, "Give it less to do, or find out why it waits."],
];

const feedbackCharsRead = 4000;

/** @returns what to do about a critique, in a sentence or two; empty when there is nothing to say beyond it */
export function hintFor({ strategy = "", feedback }: Pick<Critique, "strategy" | "feedback">): string {
  const read = feedback.slice(0, feedbackCharsRead);
  const words = byWords.find(([form]) => form.test(read))?.[1];
  return [byStrategy[strategy], words].filter((hint) => hint !== undefined).join(" ");
}
