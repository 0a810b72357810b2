/** With no [models] configured: what is there? Keys in the environment, and model servers on the usual loopback ports. */
import { setTimeout as sleep } from "node:timers/promises";
import { isJsonObject } from "../lib/json.ts";
import { initialValues, type ModelEntry, modelKeys } from "./schema.ts";

export interface Discovery {
  readonly models: Readonly<Record<string, ModelEntry>>;
  /** What was found and what was chosen, one sentence each. */
  readonly said: readonly string[];
}

interface Candidate {
  readonly title: string;
  readonly provider: ModelEntry["provider"];
  readonly baseUrl: string;
  /** Path that lists models. */
  readonly list: string;
}

const servers: readonly Candidate[] = [
  { title: "Ollama", provider: "ollama", baseUrl: "http://127.0.0.1:11434", list: "/api/tags" },
  { title: "LM Studio", provider: "openai_compatible", baseUrl: "http://127.0.0.1:1234/v1", list: "/models" },
  { title: "llama.cpp", provider: "openai_compatible", baseUrl: "http://127.0.0.1:8080/v1", list: "/models" },
  { title: "vLLM", provider: "openai_compatible", baseUrl: "http://127.0.0.1:8000/v1", list: "/models" },
];

/** Where nobody listens the answer comes at once: only what hangs is waited for. */
const probeMs = 1500;
/** A server that is there and loads its model is waited for: who starts both at once finds it. */
const loadingMs = 15_000;
const betweenMs = 250;
const everyRole: ModelEntry["roles"] = ["planner", "executor", "verifier", "extractor", "compactor"];

export async function discoverModels(
  env: Readonly<Record<string, string | undefined>>,
  candidates: readonly Candidate[] = servers,
  patienceMs = loadingMs,
): Promise<Discovery> {
  const until = Date.now() + patienceMs;
  const found = await Promise.all(candidates.map((candidate) => askPatiently(candidate, until)));
  const local = found.find((answer) => answer !== null && answer.models.length > 0) ?? null;
  const keyed = fromKeys(env);
  const said = [...found.flatMap((answer) => (answer === null ? [] : [foundAs(answer)])), ...keyed.said];
  if (keyed.model !== null) {
    return {
      models: { discovered: keyed.model },
      said: [...said, `No [models] configured: chose ${keyed.model.model} (${keyed.model.provider}) for every role`],
    };
  }
  if (local !== null) {
    const model = entry({ provider: local.provider, base_url: local.baseUrl, model: local.models[0] ?? "" });
    return {
      models: { discovered: model },
      said: [...said, `No [models] configured: chose ${model.model} at ${local.title} for every role`],
    };
  }
  const looked = candidates.map(({ title, baseUrl }) => `${title} (${new URL(baseUrl).host})`).join(", ");
  return {
    models: {},
    said: [
      ...said,
      `No [models] configured and none found: looked for ANTHROPIC_API_KEY, OPENAI_API_KEY, ${looked}. Start one of them, or add a [models.<name>] section to loom.toml`,
    ],
  };
}

function entry(values: Pick<ModelEntry, "provider" | "base_url" | "model"> & Partial<ModelEntry>): ModelEntry {
  // The defaults fill every key but the provider, which the caller gives.
  return { ...initialValues(modelKeys), roles: everyRole, ...values } as ModelEntry;
}

function fromKeys(env: Readonly<Record<string, string | undefined>>): {
  readonly model: ModelEntry | null;
  readonly said: readonly string[];
} {
  const anthropic = env["ANTHROPIC_API_KEY"];
  if (anthropic !== undefined && anthropic !== "") {
    return {
      model: entry({ provider: "anthropic", base_url: "", model: "claude-sonnet-5-5", api_key: anthropic }),
      said: ["Found ANTHROPIC_API_KEY"],
    };
  }
  const openai = env["OPENAI_API_KEY"];
  if (openai !== undefined && openai !== "") {
    return {
      model: entry({
        provider: "openai_compatible",
        base_url: env["OPENAI_BASE_URL"] ?? "",
        model: "gpt-5-mini",
        api_key: openai,
      }),
      said: ["Found OPENAI_API_KEY"],
    };
  }
  return { model: null, said: [] };
}

interface Answer extends Candidate {
  readonly models: readonly string[];
  readonly isLoading: boolean;
}

function foundAs({ title, baseUrl, models, isLoading }: Answer): string {
  return isLoading
    ? `Found ${title} at ${baseUrl}, which still loads its model: start Loom again when it is ready`
    : `Found ${title} at ${baseUrl} with ${models.length} model(s)`;
}

async function askPatiently(candidate: Candidate, until: number): Promise<Answer | null> {
  for (;;) {
    const answer = await ask(candidate);
    if (answer?.isLoading !== true || Date.now() >= until) return answer;
    await sleep(betweenMs);
  }
}

async function ask(candidate: Candidate): Promise<Answer | null> {
  try {
    const answer = await fetch(`${candidate.baseUrl}${candidate.list}`, {
      signal: AbortSignal.timeout(probeMs),
      redirect: "error",
    });
    // What llama.cpp and others say until their model is in memory.
    if (answer.status === 503) return { ...candidate, models: [], isLoading: true };
    const body: unknown = await answer.json();
    return answer.ok ? { ...candidate, models: namesIn(body), isLoading: false } : null;
  } catch {
    return null; // nobody there, or somebody else: both mean that there is no model server
  }
}

function namesIn(body: unknown): string[] {
  if (!isJsonObject(body)) return [];
  const rows = body["models"] ?? body["data"];
  if (!Array.isArray(rows)) return [];
  return rows.flatMap((row: unknown) => {
    const name = isJsonObject(row) ? (row["name"] ?? row["id"]) : undefined;
    return typeof name === "string" && !/embed/i.test(name) ? [name] : [];
  });
}
