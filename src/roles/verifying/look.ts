/** The verifier's own look at files: a few that it asks for, read as one pure step of the journal, within bounds and the policy. */
import type { Task } from "../../domain/task.ts";
import { LoomError } from "../../lib/errors.ts";
import { isJsonObject } from "../../lib/json.ts";
import type { Execution } from "../../ports/executor.ts";
import type { Policy } from "../../ports/policy.ts";
import type { Clock } from "../../ports/runtime.ts";
import type { Workspace } from "../../ports/workspace.ts";
import { head, headAndTail, within } from "../excerpt.ts";
import { fenced } from "../prompts.ts";
import { type JsonReader, textsOf } from "../reading.ts";
import { jsonOf } from "../records.ts";

export interface LookPorts {
  readonly policy: Policy;
  readonly clock: Pick<Clock, "now">;
}

export const looksMax = 2;
export const filesPerLook = 4;
const fileBytesMax = 1_000_000;
const fileCharsMax = 6000;
const entriesMax = 100;

/** @returns the paths that a reply asks to see before it judges; none when it judges */
export function pathsAskedFor(text: string, reader: JsonReader): string[] {
  const value = reader.readJson(text)?.value;
  if (!isJsonObject(value) || value["read"] === undefined) return [];
  return [...new Set(textsOf(value["read"]))].filter((path) => path.length <= 1000).slice(0, filesPerLook);
}

export interface Look {
  readonly step: string;
  readonly paths: readonly string[];
  /** 1, or less where the whole does not fit. */
  readonly share: number;
}

/** @returns what stands there, marked as material */
export async function lookAt(
  ports: LookPorts,
  { effect, journal, task }: Execution<"verify">,
  workspace: Workspace,
  { step, paths, share }: Look,
): Promise<string> {
  const about = { subtask_id: effect.subtaskId, tool: "read_file", step, attempt: effect.attempt };
  const result = await journal.step(
    {
      step,
      effectClass: "pure",
      event: { type: "tool_call_started", ...about, args: { paths: [...paths] }, effect_class: "pure" },
    },
    async () => {
      const began = ports.clock.now();
      const shown: string[] = [];
      for (const path of paths) {
        const text = await textAt(path, { policy: ports.policy, task, workspace });
        shown.push(`${within(path, 300)}\n${fenced("file", headAndTail(text, Math.floor(fileCharsMax * share)))}`);
      }
      const text = shown.join("\n\n");
      const ended = { success: true, output: head(text, 1000), files_changed: [], destructive: false };
      return {
        result: jsonOf({ text }),
        events: [{ type: "tool_call_completed", ...about, ...ended, duration_ms: ports.clock.now() - began }],
      };
    },
  );
  return typeof result["text"] === "string" ? result["text"] : "";
}

interface Place {
  readonly policy: Policy;
  readonly task: Pick<Task, "brief">;
  readonly workspace: Workspace;
}

/** Judged by the place that is meant, however it is written. */
async function textAt(path: string, { policy, task, workspace }: Place): Promise<string> {
  try {
    const place = await workspace.place(path);
    const reads = { tool: "read_file", reads: [place], writes: [], deletes: [], hosts: [], root: workspace.root };
    const { decision, reason } = policy.judge({ ...reads, arguments: { path: place } }, task.brief.policy);
    return decision === "allow" ? await standing(workspace, place) : `(not shown: ${reason})`;
  } catch (error) {
    if (error instanceof LoomError) return `(not shown: ${error.message})`;
    throw error;
  }
}

/** That nothing stands there is an answer, too. */
async function standing(workspace: Workspace, place: string): Promise<string> {
  const { state, bytes } = await workspace.look(place, fileBytesMax);
  if (state.kind === "absent") return "(nothing stands at this path)";
  if (state.kind === "folder") return await listed(workspace, place);
  if (bytes === undefined || bytes.includes(0)) return "(no text, or too long to be shown)";
  return bytes.length === 0 ? "(the file is empty)" : new TextDecoder().decode(bytes);
}

async function listed(workspace: Workspace, path: string): Promise<string> {
  const entries = await workspace.list(path, { depth: 2, limit: entriesMax });
  return entries.length === 0 ? "(the folder is empty)" : entries.map((entry) => entry.path).join("\n");
}
