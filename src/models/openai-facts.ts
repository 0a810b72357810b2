/** What servers of the OpenAI wire say of themselves: llama.cpp at /props, the others in their list of models. Used for llama.cpp's Anthropic wire too. */
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import type { ModelSettings } from "./config.ts";
import { askJson, askJsonOrNull, countOf, objectsOf } from "./endpoint.ts";
import { identityOf } from "./kept-profile.ts";
import type { ServerFacts } from "./wire.ts";

/** Known without asking; the smallest window of the models offered today. */
const openAiItself: ServerFacts = { contextTokens: 128_000, tools: "native", notes: [], identity: null };

export async function openAiFacts(settings: ModelSettings, signal: AbortSignal): Promise<ServerFacts> {
  const headers: Record<string, string> =
    settings.apiKey === null ? {} : { authorization: `Bearer ${settings.apiKey}` };
  const list = { url: `${settings.baseUrl}${settings.apiPath}/models`, headers };
  if (new URL(settings.baseUrl).hostname === "api.openai.com") {
    await askJson(list, signal);
    return openAiItself;
  }
  const [props, models] = await Promise.all([
    askJsonOrNull({ url: `${settings.baseUrl}/props`, headers }, signal),
    // A wrong key or a model that is still loading is worth telling.
    askJsonOrNull(list, signal, /^(?:400|404|405|501|502)$/),
  ]);
  const entry = entryOf(models, settings.model);
  return {
    contextTokens: windowOf(props, entry),
    tools: toolsOf(props, entry),
    identity: identityOf([part(props, toldByProps), part(entry, toldByList)]),
    notes: models === null || entry !== null ? [] : [`the server does not list a model "${settings.model}"`],
  };
}

/** llama.cpp keeps names in `data` and capabilities in `models`; it serves its one model under any name. */
function entryOf(models: JsonObject | null, model: string): JsonObject | null {
  const data = objectsOf(models?.["data"]);
  const twins = objectsOf(models?.["models"]);
  const at = data.findIndex(({ id }) => id === model);
  const index = at === -1 && data.length === 1 ? 0 : at;
  const entry = data[index];
  return entry === undefined ? null : { ...twins[index], ...entry };
}

/** What stays the same from one question to the next, and tells one model and its server's settings from another. */
const toldByProps = ["build_info", "model_path", "chat_template", "chat_template_caps", "n_ctx", "total_slots"];
const toldByList = [
  "id",
  "root",
  "meta",
  "capabilities",
  "supported_parameters",
  "quantization",
  "max_model_len",
  "context_length",
  "max_context_length",
  "loaded_context_length",
];

function part(said: JsonObject | null, members: readonly string[]): JsonObject | null {
  if (said === null) return null;
  const settings = said["default_generation_settings"];
  const window = isJsonObject(settings) && settings["n_ctx"] !== undefined ? { n_ctx: settings["n_ctx"] } : {};
  return { ...Object.fromEntries(Object.entries(said).filter(([member]) => members.includes(member))), ...window };
}

function windowOf(props: JsonObject | null, entry: JsonObject | null): number | null {
  const settings = props?.["default_generation_settings"];
  const meta = entry?.["meta"];
  return (
    countOf(isJsonObject(settings) ? settings["n_ctx"] : undefined) ??
    countOf(isJsonObject(meta) ? meta["n_ctx"] : undefined) ??
    countOf(entry?.["max_model_len"]) ??
    countOf(entry?.["context_length"]) ??
    countOf(entry?.["max_context_length"])
  );
}

/**
 * llama.cpp's template capabilities are the truth. A list of capabilities is taken at its word where it names tools; where it
 * does not, a probe decides, since llama.cpp lists "completion" alone for every model (seen with build 11434).
 */
function toolsOf(props: JsonObject | null, entry: JsonObject | null): ServerFacts["tools"] {
  const template = props?.["chat_template_caps"];
  if (isJsonObject(template) && typeof template["supports_tools"] === "boolean") {
    return template["supports_tools"] ? "native" : "dropped";
  }
  const listed = [entry?.["capabilities"], entry?.["supported_parameters"]].flatMap((list): unknown[] =>
    Array.isArray(list) ? list : [],
  );
  return listed.some((word) => word === "tools" || word === "tool_use" || word === "function_calling")
    ? "native"
    : "unsure";
}
