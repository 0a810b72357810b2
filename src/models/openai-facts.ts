/** What servers of the OpenAI wire say of themselves: llama.cpp at /props, the others in their list of models. Used for llama.cpp's Anthropic wire too. */
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import type { ModelSettings } from "./config.ts";
import { askJson, askJsonOrNull, countOf, objectsOf } from "./endpoint.ts";
import type { ServerFacts } from "./wire.ts";

/** Known without asking; the smallest window of the models offered today. */
const openAiItself: ServerFacts = { contextTokens: 128_000, tools: "native", notes: [] };

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
