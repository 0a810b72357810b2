/** Scripts: what a scripted model says, when, and how often. One meaning for the scripted provider and for the model server of the tests. */
import { z } from "zod";
import { LoomError } from "../lib/errors.ts";
import type { Role } from "../ports/model.ts";

const words = z.string().max(1_000_000);

export const ScriptReply = z.strictObject({
  /** `planner`, `executor`, `verifier`, `extractor`, `compactor` or `answer`; absent: whoever asks. */
  role: words.optional(),
  /** Must appear in one of the request's messages; of several, each must. */
  when: z.union([words, z.array(words)]).optional(),
  /** How many assistant messages the conversation has so far. */
  turn: z.int().min(0).optional(),
  /** How often it can be played; absent: always. */
  times: z.int().min(1).optional(),
  text: words.optional(),
  /** Said as JSON text. */
  json: z.json().optional(),
  tool_calls: z.array(z.strictObject({ name: words, arguments: z.record(z.string(), z.json()) })).optional(),
  delay_ms: z.number().min(0).max(600_000).optional(),
  error: z.strictObject({ status: z.int().min(400).max(599), retry_after_ms: z.number().min(0).optional() }).optional(),
});
export type ScriptReply = z.infer<typeof ScriptReply>;

export const Script = z.strictObject({ replies: z.array(ScriptReply).max(10_000) });
export type Script = z.infer<typeof Script>;

/** What of a request decides which reply is played. */
export interface ScriptCue {
  readonly role: Role | null;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
}

/** Prompts of the roles begin so; on a wire there is nothing else to know a role by. */
const openings: readonly (readonly [string, string])[] = [
  ["You are the planner of Loom", "planner"],
  ["You are an executor of Loom", "executor"],
  ["You are a verifier of Loom", "verifier"],
  ["You are an extractor of Loom", "extractor"],
  ["You write the final answer for Loom", "answer"],
];

export class ScriptPlayer {
  readonly #replies: readonly ScriptReply[];
  readonly #name: string;
  readonly #played = new Map<ScriptReply, number>();

  constructor(script: Script, name: string) {
    this.#replies = script.replies;
    this.#name = name;
  }

  /**
   * @returns the first reply that fits and has uses left; one use of it is spent
   * @throws LoomError model_refused when there is none
   */
  play(cue: ScriptCue): ScriptReply {
    const role = roleOf(cue);
    const turn = turnOf(cue);
    const contents = cue.messages.map(({ content }) => content);
    const reply = this.#replies.find((one) => this.#hasUses(one) && fits(one, { role, turn, contents }));
    if (reply === undefined) throw this.#nothingFits(cue, { role, turn });
    this.#played.set(reply, (this.#played.get(reply) ?? 0) + 1);
    return reply;
  }

  #hasUses(reply: ScriptReply): boolean {
    return reply.times === undefined || (this.#played.get(reply) ?? 0) < reply.times;
  }

  #nothingFits(cue: ScriptCue, { role, turn }: { role: string | null; turn: number }): LoomError {
    const last = cue.messages.findLast(({ role: sender }) => sender !== "system")?.content ?? "";
    return new LoomError(
      "model_refused",
      `${this.#name} has no reply for role ${role ?? "unknown"}, turn ${turn}, asked: "${last.slice(0, 300)}"`,
      {
        hint: "Add a reply whose role, turn and `when` fit, or one without them as the last",
      },
    );
  }
}

export function turnOf({ messages }: Pick<ScriptCue, "messages">): number {
  return messages.filter(({ role }) => role === "assistant").length;
}

/** @throws LoomError config_invalid, naming the script and the place in it */
export function parseScript(value: unknown, name: string): Script {
  const parsed = Script.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue === undefined || issue.path.length === 0 ? "" : ` at ${issue.path.join(".")}`;
  throw new LoomError("config_invalid", `${name} is not a script${place}: ${issue?.message ?? "wrong form"}`, {
    hint: 'A script is {"replies": [{"role"?, "when"?, "turn"?, "times"?, "text"?, "json"?, "tool_calls"?, "delay_ms"?, "error"?}]}',
  });
}

/** @returns what the scripted model writes, apart from tool calls */
export function textOf(reply: ScriptReply): string {
  if (reply.text !== undefined) return reply.text;
  return reply.json === undefined ? "" : JSON.stringify(reply.json);
}

function roleOf({ role, messages }: ScriptCue): string | null {
  const system = messages.find((message) => message.role === "system")?.content.trimStart() ?? "";
  return openings.find(([opening]) => system.startsWith(opening))?.[1] ?? role;
}

function fits(reply: ScriptReply, at: { role: string | null; turn: number; contents: readonly string[] }): boolean {
  const { role, turn, when = [] } = reply;
  if (role !== undefined && role !== at.role) return false;
  if (turn !== undefined && turn !== at.turn) return false;
  const wanted = typeof when === "string" ? [when] : when;
  return wanted.every((words) => at.contents.some((content) => content.includes(words)));
}
