/** What is known of a model at its server, in words: what it does with a request, how that is known, and where it is weak. */
import { oneLine, table } from "./style.ts";
import type { FindingShown, ModelShown } from "./wire.ts";

type Profile = ModelShown["profile"];

const knownBy: Readonly<Record<string, string>> = {
  config: "configured",
  server: "the server says so",
  documentation: "the provider documents it",
  probe: "probed",
  use: "shown in use",
};

const protocols: Readonly<Record<string, string>> = {
  native: "native calls",
  json_schema: "one call a turn, as JSON by schema",
  text: "one call a turn, as text",
  unknown: "not known yet",
};

/** One line a fact, the protocol that follows from them last. */
export function profileLines({ profile }: Pick<ModelShown, "profile">): readonly string[] {
  const { tools, schema, window_tokens: window, prefix_reuse: prefix, protocol } = profile;
  const rows = [
    ["tools reach the prompt", wordOf(tools), sourceOf(tools)],
    ["a schema binds the reply", wordOf(schema), sourceOf(schema)],
    ["window", window.value === null ? "not known yet" : `${window.value} tokens`, sourceOf(window)],
    ["a prefix is reused", wordOf(prefix), sourceOf(prefix)],
    ["so it is spoken to in", protocols[String(protocol.value)] ?? oneLine(String(protocol.value)), reasonOf(protocol)],
  ];
  return table(rows.map((row) => ["", ...row])).map((line) => line.trimEnd());
}

const smallWindow = 8192;

/** What a person may want to change; empty when all is strong or not known. */
export function weakPoints({ profile }: Pick<ModelShown, "profile">): readonly string[] {
  const { tools, schema, window_tokens: window, prefix_reuse: prefix, protocol } = profile;
  return [
    ...(schema.value === "no"
      ? [
          tools.value === "no"
            ? "neither `tools` nor a JSON schema reach this model: calls travel as text, which it may get wrong; a server that binds replies to a schema (llama.cpp, vLLM, Ollama) makes much of it"
            : "no reply is bound to a JSON schema here: plans and verdicts are asked for in words, and repaired",
        ]
      : []),
    ...(typeof window.value === "number" && window.value < smallWindow
      ? [
          `its window holds ${window.value} tokens${window.known_by === "use" ? ", as its server showed by refusing or cutting" : ""}: long work is put away early and often; ${smallWindow} and more are better`,
        ]
      : []),
    ...(prefix.value === "no"
      ? ["its server reads every prompt anew: turn its prompt cache on, and turns get many times faster"]
      : []),
    ...(protocol.known_by === "use"
      ? [`its calls were malformed again and again: ${oneLine(protocol.reason ?? "", 200)}`]
      : []),
  ];
}

function wordOf({ value, known_by: by }: FindingShown): string {
  if (value === "not_reported") return "the server does not tell";
  if (value !== "unknown") return oneLine(String(value));
  return by === null ? "not known yet" : "cannot be told";
}

function sourceOf({ known_by: by, at }: FindingShown): string {
  if (by === null) return "";
  const since = at === null ? "" : `, ${at.slice(0, 16).replace("T", " ")} UTC`;
  return `(${knownBy[by] ?? oneLine(by)}${since})`;
}

function reasonOf(protocol: Profile["protocol"]): string {
  return protocol.reason === null ? sourceOf(protocol) : `(${oneLine(protocol.reason, 300)})`;
}
