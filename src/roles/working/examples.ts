/**
 * Worked examples of another job, as turns of a conversation. A small model goes on with what it sees: told the same in a
 * system message, one of 270 million parameters did none of twenty small goals, and shown it as turns, eight.
 */
import type { SubtaskKind } from "../../domain/plan.ts";
import type { JsonObject } from "../../lib/json.ts";
import type { Message, ToolSchema } from "../../ports/model.ts";
import { subtaskSection } from "../prompts.ts";

interface Step {
  readonly tool: string;
  readonly arguments: JsonObject;
  readonly result: string;
}

interface Episode {
  readonly description: string;
  readonly kind: SubtaskKind;
  readonly steps: readonly Step[];
  readonly end: string;
}

/** The most telling first. Names and values differ from one to the next, so that none is worth copying. */
const episodes: readonly Episode[] = [
  {
    description: "How many boats does boats.md name?",
    kind: "inspect",
    steps: [{ tool: "read_file", arguments: { path: "boats.md" }, result: "harbour: north\nboats: 14\n" }],
    end: "boats.md names 14 boats.",
  },
  {
    description: "Put the opening hours into notes/harbour.txt: open from six to nine",
    kind: "change",
    steps: [
      {
        tool: "write_file",
        arguments: { path: "notes/harbour.txt", content: "open from six to nine\n" },
        result: "Wrote 22 bytes to notes/harbour.txt",
      },
    ],
    end: "notes/harbour.txt says: open from six to nine.",
  },
  {
    description: "Which files are in the folder maps?",
    kind: "inspect",
    steps: [{ tool: "list_directory", arguments: { path: "maps" }, result: "east.png\nwest.png" }],
    end: "In maps are east.png and west.png.",
  },
  {
    description: "Rename crew.csv to sailors.csv",
    kind: "change",
    steps: [
      {
        tool: "move_file",
        arguments: { source: "crew.csv", destination: "sailors.csv" },
        result: "Moved crew.csv -> sailors.csv",
      },
    ],
    end: "crew.csv is sailors.csv now.",
  },
  {
    description: "The tide is 5, not 3: put tide.toml right",
    kind: "change",
    steps: [
      { tool: "read_file", arguments: { path: "tide.toml" }, result: "low = 1\nhigh = 3\n" },
      {
        tool: "edit_file",
        arguments: { path: "tide.toml", old_str: "high = 3", new_str: "high = 5" },
        result: "Edited tide.toml: 1 replacement",
      },
    ],
    end: "In tide.toml high is 5 now.",
  },
  {
    description: "Remove the file signals/last-year.csv",
    kind: "change",
    steps: [
      {
        tool: "delete_file",
        arguments: { path: "signals/last-year.csv" },
        result: "Deleted file: signals/last-year.csv",
      },
    ],
    end: "signals/last-year.csv is gone.",
  },
  {
    description: "Add the line anchor to tools.txt",
    kind: "change",
    steps: [
      {
        tool: "append_file",
        arguments: { path: "tools.txt", content: "anchor\n" },
        result: "Added 7 bytes at the end of tools.txt",
      },
    ],
    end: "tools.txt ends with the line anchor now.",
  },
];

/** They may take so much of the window, by four characters a token. */
const windowShare = 0.15;
const charsPerToken = 4;

/** @returns turns to be shown before an executor's own: of the jobs that these tools can do, as many as the window bears */
export function executorExamples(tools: readonly ToolSchema[], windowTokens: number): readonly Message[] {
  const offered = new Set(tools.map(({ name }) => name));
  const fitting = episodes.filter(({ steps }) => steps.every(({ tool }) => offered.has(tool)));
  const shown: Message[] = [];
  let left = windowTokens * windowShare * charsPerToken;
  for (const [index, episode] of fitting.entries()) {
    const turns = turnsOf(episode, `example-${index + 1}`);
    left -= JSON.stringify(turns).length;
    if (left < 0) break;
    shown.push(...turns);
  }
  return shown;
}

function turnsOf({ description, kind, steps, end }: Episode, id: string): readonly Message[] {
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
  return [{ role: "user", content: briefing }, ...calls, { role: "assistant", content: end }];
}
