/** `loom.example.toml`, made from the table of keys, so that it can never say anything else. */
import { type KeySpec, modelKeys, sections } from "./schema.ts";

const models = `# Which models do the work. With no [models] at all, Loom looks for what is there: ANTHROPIC_API_KEY, OPENAI_API_KEY, and
# Ollama, LM Studio, llama.cpp and vLLM on their usual ports.
#
# [models.executor]
# provider = "ollama"
# base_url = "http://localhost:11434"
# model = "qwen3:8b"
# roles = ["executor", "extractor"]
#
# [models.planner]
# provider = "anthropic"
# model = "claude-sonnet-5-5"
# api_key = "\${ANTHROPIC_API_KEY}"
# roles = ["planner", "verifier"]
#
# All keys of a model, with their defaults:`;

export function exampleToml(): string {
  const parts = [
    "# Loom's configuration: every key with its default. Loom reads --config FILE, else ./loom.toml, else ~/.loom/loom.toml.\n" +
      `# LOOM_SECTION__KEY in the environment overrides a key (LOOM_SERVER__PORT=9001), and \${VAR} in a value reads the environment.`,
    ...Object.entries(sections).map(([name, keys]) => `[${name}]\n${lines(keys, "")}`),
    `${models}\n# [models.name]\n${lines(modelKeys, "# ")}`,
  ];
  return `${parts.join("\n\n")}\n`;
}

function lines(keys: Readonly<Record<string, KeySpec>>, prefix: string): string {
  return Object.entries(keys)
    .map(([name, spec]) => line(name, spec, prefix))
    .join("\n");
}

function line(name: string, spec: KeySpec, prefix: string): string {
  const note = spec.reserved ? `${spec.reason} (not available yet)` : spec.reason;
  const text =
    spec.initial === undefined
      ? `${prefix === "" ? "# " : prefix}${name} =`
      : `${prefix}${name} = ${JSON.stringify(spec.initial)}`;
  return `${text.padEnd(52)} # ${note}`;
}
