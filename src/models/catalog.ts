/** All configured models behind one port: routes a call to the first suitable one that answers, and tells how each is. */
import { dearest } from "../domain/price.ts";
import { LoomError } from "../lib/errors.ts";
import { unreachable } from "../lib/result.ts";
import type {
  ModelInfo,
  ModelPick,
  ModelReply,
  ModelRequest,
  Models,
  ModelTerms,
  ModelWindow,
  Role,
} from "../ports/model.ts";
import type { Profiles } from "../ports/profiles.ts";
import type { Clock, Log, Random } from "../ports/runtime.ts";
import { AnthropicWire } from "./anthropic.ts";
import { type ModelConfig, type ModelSettings, settingsOf } from "./config.ts";
import { isUnusable } from "./failures.ts";
import { type CallOptions, type RetryPolicy, usualRetry } from "./guarded.ts";
import { type ReadJson, readJson } from "./json-reading.ts";
import { documentedOf, profileKey } from "./kept-profile.ts";
import { KnownServer } from "./known-server.ts";
import { OllamaWire } from "./ollama.ts";
import { OpenAiWire } from "./openai.ts";
import { missingRoles, route } from "./routing.ts";
import { ScriptedWire } from "./scripted.ts";
import { ServedModel } from "./served-model.ts";
import type { Wire } from "./wire.ts";

export interface ModelsDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** How requests go out; `fetch` unless something leaner is given. */
  readonly send?: typeof fetch;
  /** Parts of the usual policy to change. */
  readonly retry?: Partial<RetryPolicy>;
  /** Where what is found out is kept; absent: as long as the catalog lives. */
  readonly profiles?: Profiles;
}

/**
 * Opens no connection and asks nobody: that is done on first use, and by `probe`.
 *
 * @throws LoomError config_invalid
 */
export function createModels(configs: readonly ModelConfig[], deps: ModelsDeps): Models & AsyncDisposable {
  return new Catalog(configs, deps);
}

class Catalog implements Models, AsyncDisposable {
  readonly #models: readonly ServedModel[];
  readonly #log: Log;
  readonly #lifetime = new AbortController();
  readonly #servers: readonly KnownServer[];

  constructor(configs: readonly ModelConfig[], { retry, send = fetch, profiles, ...deps }: ModelsDeps) {
    this.#log = deps.log;
    const servers = new Map<string, KnownServer>();
    const lifetime = this.#lifetime.signal;
    this.#models = configs.map(settingsOf).map((settings) => {
      const key = profileKey(settings);
      const known = { ...deps, lifetime, key, documented: documentedOf(settings), profiles };
      const server = servers.get(key) ?? new KnownServer(known);
      servers.set(key, server);
      return new ServedModel({
        ...deps,
        settings,
        wire: wireOf(settings, deps.clock, send),
        server,
        lifetime,
        retry: { ...usualRetry, ...retry },
      });
    });
    this.#servers = [...servers.values()];
  }

  async call(pick: ModelPick, request: ModelRequest, options: CallOptions): Promise<ModelReply> {
    const candidates = route(this.#models, pick);
    const failures: LoomError[] = [];
    for (const model of candidates) {
      try {
        return await model.call(pick, request, options);
      } catch (error) {
        options.signal.throwIfAborted();
        if (!(error instanceof LoomError) || !(error.code === "model_unavailable" || isUnusable(error))) throw error;
        failures.push(error);
        this.#log.warn(
          { model: model.name, role: pick.role, others: candidates.length - failures.length, detail: error.message },
          "A model could not be had",
        );
      }
    }
    throw noneAnswered(pick.role, failures);
  }

  first(pick: Pick<ModelPick, "role" | "tier" | "avoid">): ModelWindow | null {
    const [model] = route(this.#models, pick);
    return model === undefined ? null : windowOf(model);
  }

  async window(pick: Pick<ModelPick, "role" | "tier" | "avoid">, signal: AbortSignal): Promise<ModelWindow | null> {
    const [model] = route(this.#models, pick);
    await model?.learnWindow(signal);
    return model === undefined ? null : windowOf(model);
  }

  terms(pick: Pick<ModelPick, "role" | "tier" | "avoid">): ModelTerms | null {
    const candidates = route(this.#models, pick).map((model) => model.terms);
    if (candidates.length === 0) return null;
    const maxTokens = Math.max(...candidates.map((terms) => terms.maxTokens));
    const showsExamples = candidates.some((terms) => terms.showsExamples);
    return { maxTokens, price: dearest(candidates.map((terms) => terms.price)), showsExamples };
  }

  missingRoles(): readonly Role[] {
    return missingRoles(this.#models);
  }

  list(): readonly ModelInfo[] {
    return this.#models.map((model) => model.info());
  }

  readJson(text: string): ReadJson | null {
    return readJson(text);
  }

  async probe(depth: "first" | "again", signal: AbortSignal): Promise<readonly ModelInfo[]> {
    const again = depth === "again" ? {} : undefined;
    return await Promise.all(this.#models.map((model) => model.probe(signal, again)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lifetime.abort(new LoomError("shutting_down", "The models are closed: Loom is shutting down"));
    await Promise.all(this.#servers.map((server) => server.settled()));
  }
}

function windowOf({ name, contextTokens, maxTokens, bytesPerToken }: ServedModel): ModelWindow {
  return { name, contextTokens, maxTokens, bytesPerToken };
}

function wireOf(settings: ModelSettings, clock: Clock, send: typeof fetch): Wire {
  switch (settings.provider) {
    case "openai_compatible":
      return new OpenAiWire(settings, send);
    case "ollama":
      return new OllamaWire(settings);
    case "anthropic":
      return new AnthropicWire(settings, send);
    case "scripted":
      return new ScriptedWire({ path: settings.baseUrl, clock });
    default:
      return unreachable(settings.provider);
  }
}

/** Waiting may help as long as one of them was only out of reach. */
function noneAnswered(role: Role, failures: readonly LoomError[]): LoomError {
  const [first, ...others] = failures;
  if (first === undefined) {
    return new LoomError("no_model_configured", `No model is configured for the role "${role}"`, {
      hint: `Add "${role}" to the roles of a [models.<name>] table`,
    });
  }
  if (others.length === 0) return first;
  const waits = failures.flatMap(({ code, retryAfterMs }) => (code === "model_unavailable" ? [retryAfterMs ?? 0] : []));
  const options = { cause: first, ...(first.hint === undefined ? {} : { hint: first.hint }) };
  const message = `None of ${failures.length} models could serve the role "${role}": ${failures.map((failure) => failure.message).join("; ")}`;
  if (waits.length === 0) return new LoomError("model_refused", message, options);
  const begun = failures.some(({ extra }) => extra?.["begun"] === true);
  return new LoomError("model_unavailable", message, {
    ...options,
    retryAfterMs: Math.min(...waits),
    ...(begun ? { extra: { begun } } : {}),
  });
}
