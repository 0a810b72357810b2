/** What is configured of a model, and the defaults that fill it. Where a value comes from (file, environment) is not known here. */

import type { Tier } from "../domain/plan.ts";
import { type Price, picoPerToken } from "../domain/price.ts";
import { LoomError } from "../lib/errors.ts";
import type { Role } from "../ports/model.ts";

/** US dollars per million tokens. */
export interface PriceList {
  readonly input: number;
  readonly output: number;
  /** For input tokens that the provider took from its cache; the input price when absent. */
  readonly cached_input?: number | undefined;
}

/** One `[models.<name>]` table; the keys keep the names they have in the file. */
export interface ModelConfig {
  readonly name: string;
  readonly provider: "ollama" | "openai_compatible" | "openai" | "anthropic" | "scripted";
  /** With or without the `/v1`; the provider's usual address when absent. */
  readonly base_url?: string | undefined;
  readonly model?: string | undefined;
  readonly api_key?: string | undefined;
  /** Absent or empty: all of them. */
  readonly roles?: readonly Role[] | undefined;
  /** 1 to 3; absent or 0: 2 for a model that plans, else 1. */
  readonly tier?: number | undefined;
  readonly max_tokens?: number | undefined;
  readonly temperature?: number | undefined;
  /** 0: ask the server. */
  readonly context_tokens?: number | undefined;
  readonly max_concurrency?: number | undefined;
  /** Absent: not known, and no money is counted. */
  readonly price?: PriceList | undefined;
  /** `scripted`: path of the script. */
  readonly script?: string | undefined;
  readonly first_token_timeout_seconds?: number | undefined;
  readonly idle_timeout_seconds?: number | undefined;
  readonly total_timeout_seconds?: number | undefined;
}

export type Provider = "ollama" | "openai_compatible" | "anthropic" | "scripted";

/** A configured model with nothing left open. */
export interface ModelSettings {
  readonly name: string;
  readonly provider: Provider;
  /** Without a trailing slash and without `/v1` or `/api`; for `scripted`, the path of the script. */
  readonly baseUrl: string;
  /** The address as a person may see it: no user name, no password. */
  readonly shownUrl: string;
  /** Path below `baseUrl` where the OpenAI wire starts; `/v1` at most servers. */
  readonly apiPath: string;
  readonly model: string;
  readonly apiKey: string | null;
  readonly roles: readonly Role[];
  readonly tier: Tier;
  readonly maxTokens: number;
  readonly temperature: number;
  /** 0: ask the server. */
  readonly contextTokens: number;
  readonly concurrencyMax: number;
  readonly price: Price | null;
  readonly firstTokenMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
}

const allRoles: readonly Role[] = ["planner", "executor", "verifier", "extractor", "compactor"];

const usualUrl: Readonly<Record<Exclude<Provider, "scripted">, string>> = {
  ollama: "http://localhost:11434",
  openai_compatible: "https://api.openai.com",
  anthropic: "https://api.anthropic.com",
};

/** @throws LoomError config_invalid */
export function settingsOf(config: ModelConfig): ModelSettings {
  const provider = config.provider === "openai" ? "openai_compatible" : config.provider;
  const roles = config.roles === undefined || config.roles.length === 0 ? allRoles : config.roles;
  return {
    name: config.name,
    provider,
    ...addressOf(config, provider),
    model: modelOf(config, provider),
    apiKey: config.api_key === undefined || config.api_key === "" ? null : config.api_key,
    roles,
    tier: tierOf(config.tier, roles),
    maxTokens: config.max_tokens ?? 8192,
    temperature: config.temperature ?? 0.1,
    contextTokens: config.context_tokens ?? 0,
    concurrencyMax: config.max_concurrency ?? 4,
    price: priceOf(config.price),
    firstTokenMs: 1000 * (config.first_token_timeout_seconds ?? 300),
    idleMs: 1000 * (config.idle_timeout_seconds ?? 60),
    totalMs: 1000 * (config.total_timeout_seconds ?? 1800),
  };
}

function priceOf(list: PriceList | undefined): Price | null {
  if (list === undefined) return null;
  const { input, output, cached_input: cached = input } = list;
  return { input: picoPerToken(input), cachedInput: picoPerToken(cached), output: picoPerToken(output) };
}

function tierOf(tier: number | undefined, roles: readonly Role[]): Tier {
  if (tier === 1 || tier === 2 || tier === 3) return tier;
  return roles.includes("planner") ? 2 : 1;
}

function modelOf(config: ModelConfig, provider: Provider): string {
  if (config.model !== undefined && config.model !== "") return config.model;
  if (provider === "scripted") return "scripted";
  throw new LoomError("config_invalid", `Model "${config.name}" names no model`, {
    hint: `Set model = "…" under [models.${config.name}]`,
  });
}

function addressOf(config: ModelConfig, provider: Provider): Pick<ModelSettings, "baseUrl" | "shownUrl" | "apiPath"> {
  if (provider === "scripted") {
    if (config.script === undefined || config.script === "") {
      throw new LoomError("config_invalid", `Model "${config.name}" is scripted and has no script`, {
        hint: `Set script = "path/to/script.json" under [models.${config.name}]`,
      });
    }
    return { baseUrl: config.script, shownUrl: config.script, apiPath: "" };
  }
  const text = config.base_url === undefined || config.base_url === "" ? usualUrl[provider] : config.base_url;
  const url = parseUrl(text, config.name);
  const { root, apiPath } = splitPath(provider === "ollama" ? url.pathname.replace(/\/api\/?$/, "") : url.pathname);
  const shown = new URL(url);
  shown.username = "";
  shown.password = "";
  shown.pathname = root;
  shown.search = "";
  url.pathname = root;
  return { baseUrl: withoutSlash(url.href), shownUrl: withoutSlash(shown.href), apiPath };
}

function parseUrl(text: string, name: string): URL {
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new LoomError("config_invalid", `base_url of model "${name}" is not an http address: "${text}"`, {
    hint: `Write base_url = "http://localhost:11434" or the like under [models.${name}]`,
  });
}

/** `/api/v1/` → root `/api`, API at `/v1`. A path with a version inside (`/v1beta/openai`) stays as it is written. */
function splitPath(path: string): { readonly root: string; readonly apiPath: string } {
  const trimmed = path.replace(/\/+$/, "");
  const versioned = /^(.*?)(\/v\d[^/]*(?:\/.*)?)$/.exec(trimmed);
  if (versioned !== null) return { root: versioned[1] ?? "", apiPath: versioned[2] ?? "/v1" };
  return { root: trimmed, apiPath: "/v1" };
}

function withoutSlash(text: string): string {
  return text.replace(/\/+$/, "");
}
