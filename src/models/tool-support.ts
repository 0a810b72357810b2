/** Whether a server hands tools on to its model, or drops them without a word: told by itself, or measured by one probe. @see DECISIONS 44 */
import type { ToolSchema } from "../ports/model.ts";
import type { ServerFacts, WireCall } from "./wire.ts";

export interface ToolSupport {
  readonly protocol: "native" | "json_schema";
  readonly note: string | null;
}

/** Sends a call and tells the prompt tokens that the server counted; null when it counts none. */
export type Measure = (call: WireCall) => Promise<number | null>;

const grownTokensMin = 30;
const droppedNote = "this server drops `tools` without a word; Loom speaks JSON by schema";
export const refusedSupport: ToolSupport = {
  protocol: "json_schema",
  note: "this server refuses `tools` for this model; Loom speaks JSON by schema",
};
const native: ToolSupport = { protocol: "native", note: null };

/** @returns what the server says for certain, null when only a probe can tell */
export function declaredSupport({ tools }: Pick<ServerFacts, "tools">): ToolSupport | null {
  if (tools === "unsure") return null;
  return tools === "native" ? native : { protocol: "json_schema", note: droppedNote };
}

/** @throws what `measure` throws; nothing is known then */
export async function toolSupportOf(facts: ServerFacts, measure: Measure): Promise<ToolSupport> {
  const declared = declaredSupport(facts);
  if (declared !== null) return declared;
  const without = await measure(probeCall([]));
  const withTools = await measure(probeCall(probeTools));
  if (without === null || withTools === null) return native;
  return withTools - without < grownTokensMin ? { protocol: "json_schema", note: droppedNote } : native;
}

function probeCall(tools: readonly ToolSchema[]): WireCall {
  return {
    role: "executor",
    messages: [{ role: "user", content: "Say: ready" }],
    tools,
    maxTokens: 1,
    temperature: 0,
    contextTokens: 4096,
  };
}

/** Some 300 tokens in any tokenizer. */
const probeTools: readonly ToolSchema[] = ["north", "east", "south", "west"].map((side) => ({
  name: `open_${side}_gate`,
  description: `Opens the ${side} gate of the harbour for a ship that has asked to come in, once the harbour master has agreed to it, and writes the hour into the book of the ${side} gate.`,
  parameters: {
    type: "object",
    properties: {
      ship: { type: "string", description: "Name of the ship, as it stands in the register of the harbour" },
      minutes: { type: "integer", description: "How long the gate shall stay open, in minutes, at most one hour" },
    },
    required: ["ship", "minutes"],
  },
}));
