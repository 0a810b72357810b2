/**
 * The probe of one model at one server, in at most four tiny requests: is the prefix of a prompt kept for the next one, does a
 * JSON schema bind the reply, do `tools` reach the prompt. Measures and judges; when to ask, and what follows, is not known here.
 */
import { LoomError } from "../lib/errors.ts";
import type { ModelRequest, ToolSchema } from "../ports/model.ts";
import type { RawReply } from "./guarded.ts";
import { withoutThinking } from "./json-reading.ts";
import type { WireCall } from "./wire.ts";

/** What to find out. */
export interface Wanted {
  readonly tools: boolean;
  readonly schema: boolean;
  readonly prefix: boolean;
}

/** `unknown`: asked, and the answer does not tell. Absent: not asked, or the server failed at it. */
export interface Probed {
  readonly tools?: "yes" | "no" | "unknown";
  readonly schema?: "yes" | "no" | "unknown";
  readonly prefix?: "yes" | "no" | "not_reported";
}

/** Sends a call. @throws LoomError; an abort */
export type Ask = (call: WireCall) => Promise<RawReply>;

/**
 * The order matters to servers with one slot: the two that are to share a prefix follow one another. Schema and tools come
 * after them, since some servers put either before all that is said.
 *
 * @param contextTokens as in all other calls: a server that makes room by it (Ollama) would load the model anew for another
 * @throws LoomError when the model does not answer even the plain request; an abort
 */
export async function probed(ask: Ask, wanted: Wanted, contextTokens: number): Promise<Probed> {
  const plain = wanted.tools || wanted.prefix ? await ask(call({ contextTokens, user: "Say: ready" })) : null;
  const second = wanted.prefix ? await answered(ask, call({ contextTokens, user: "Say: steady" })) : null;
  const bound = wanted.schema ? await answered(ask, call({ contextTokens, user: question, schema })) : null;
  const offered = wanted.tools ? await answered(ask, call({ contextTokens, user: "Say: ready", tools })) : null;
  const bySchema = bindingOf(bound);
  const byTools = plain === null ? undefined : reachOf(plain, offered);
  const byPrefix = reuseOf(second);
  return {
    ...(byTools === undefined ? {} : { tools: byTools }),
    ...(bySchema === undefined ? {} : { schema: bySchema }),
    ...(byPrefix === undefined ? {} : { prefix: byPrefix }),
  };
}

/** Every probe begins so. Long enough to fill whole blocks of a prefix cache, which some servers keep by 16 tokens. */
export const probeSystem =
  "This is a probe of Loom. It finds out what this server does with a request, once for each model, and nothing of it is kept or shown to anybody. Answer in as few words as you can; nobody reads them.";

const question = "What colour is the sky on a clear day?";
/** A word that no model answers this question with, unless it cannot write another. */
const oddWord = "quillback-7";
const schema: NonNullable<ModelRequest["schema"]> = {
  name: "probe",
  schema: {
    type: "object",
    properties: { word: { type: "string", enum: [oddWord] } },
    required: ["word"],
    additionalProperties: false,
  },
};
const boundTokensMax = 40;

interface Question extends Pick<WireCall, "contextTokens"> {
  readonly user: string;
  readonly schema?: NonNullable<ModelRequest["schema"]>;
  readonly tools?: readonly ToolSchema[];
}

function call({ contextTokens, user, schema: bound, tools: offered = [] }: Question): WireCall {
  return {
    role: "executor",
    messages: [
      { role: "system", content: probeSystem },
      { role: "user", content: user },
    ],
    tools: offered,
    ...(bound === undefined ? {} : { schema: bound }),
    maxTokens: bound === undefined ? 1 : boundTokensMax,
    temperature: 0,
    contextTokens,
  };
}

/** `refused`: the server takes the plain request, and not this one. */
type Answered = RawReply | "refused" | "failed";

async function answered(ask: Ask, asked: WireCall): Promise<Answered> {
  try {
    return await ask(asked);
  } catch (error) {
    if (!(error instanceof LoomError)) throw error;
    return isOfTheRequest(error) ? "refused" : "failed";
  }
}

/** Not of the key, the address or the model: those are wrong for every request. */
function isOfTheRequest({ code, extra }: LoomError): boolean {
  const status = extra?.["status"];
  return code === "model_refused" && (extra?.["tools_unsupported"] === true || status === 400 || status === 422);
}

function bindingOf(reply: Answered | null): Probed["schema"] | undefined {
  if (reply === null || reply === "failed") return undefined;
  if (reply === "refused") return "no";
  const text = withoutThinking(reply.text).rest.replaceAll(/\s+/g, "");
  // All that it was granted went into thoughts.
  if (text === "") return "unknown";
  const whole = JSON.stringify({ word: oddWord });
  return text.includes(oddWord) || (text.length >= beginningLeast && whole.startsWith(text)) ? "yes" : "no";
}

/** Of the bound reply, where it was cut: no free answer begins so. */
const beginningLeast = '{"word"'.length;

function reuseOf(reply: Answered | null): Probed["prefix"] | undefined {
  if (reply === null || reply === "failed" || reply === "refused") return undefined;
  const cached = reply.usage?.cachedTokens;
  if (cached === undefined) return "not_reported";
  return cached > 0 ? "yes" : "no";
}

/** What a template makes of four tools is ten times as much. @see DECISIONS 44 */
const grownTokensMin = 30;

function reachOf(plain: RawReply, offered: Answered | null): Probed["tools"] | undefined {
  if (offered === null || offered === "failed") return undefined;
  if (offered === "refused") return "no";
  const [without, withTools] = [plain.usage?.inputTokens, offered.usage?.inputTokens];
  if (without === undefined || withTools === undefined) return "unknown";
  return withTools - without < grownTokensMin ? "no" : "yes";
}

/** Some 300 tokens in any tokenizer. */
const tools: readonly ToolSchema[] = ["north", "east", "south", "west"].map((side) => ({
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
