/** What is kept of a model at its server across restarts, what its provider documents, and the profile that is shown of both. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { type ToolProtocol, toolProtocols } from "../domain/protocol.ts";
import { canonicalJson, type Json } from "../lib/json.ts";
import type { Finding, KnownBy } from "../ports/model-profile.ts";
import type { ModelSettings } from "./config.ts";

function found<V extends z.ZodType>(value: V) {
  return z.object({ value, known_by: z.enum(["server", "probe", "use"]), at: z.number() });
}

export const KeptProfile = z.object({
  /** Digest of what the server said of itself when this was found out; null: it says nothing. Absent: it was not asked. */
  identity: z.string().nullable().optional(),
  tools: found(z.enum(["yes", "no", "unknown"])).optional(),
  schema: found(z.enum(["yes", "no", "unknown"])).optional(),
  prefix: found(z.enum(["yes", "no", "not_reported"])).optional(),
  /** As the server says. */
  saidWindow: found(z.int().min(1)).optional(),
  /** As it showed by refusing a prompt. */
  shownWindow: found(z.int().min(1)).optional(),
  lowered: z.object({ to: z.enum(["json_schema", "text"]), malformed: z.int(), at: z.number() }).optional(),
});
export type KeptProfile = z.infer<typeof KeptProfile>;

/** What need not be found out. */
export interface Documented {
  readonly knownBy: "documentation" | "config";
  readonly tools: "yes";
  readonly schema: "yes";
  readonly prefix: "yes" | "not_reported";
}

/** Whoever asks there pays for it, and these capabilities are theirs for years. */
const documentedHosts: ReadonlySet<string> = new Set(["api.openai.com", "api.anthropic.com"]);

/** @returns what the provider documents, or a script says by its nature: no probe is sent there; null elsewhere */
export function documentedOf({ provider, baseUrl }: Pick<ModelSettings, "provider" | "baseUrl">): Documented | null {
  if (provider === "scripted") return { knownBy: "config", tools: "yes", schema: "yes", prefix: "not_reported" };
  if (!documentedHosts.has(new URL(baseUrl).hostname)) return null;
  return { knownBy: "documentation", tools: "yes", schema: "yes", prefix: "yes" };
}

/** Names a model at a server; no secret is in it. */
export function profileKey({ provider, shownUrl, apiPath, model }: ModelSettings): string {
  return JSON.stringify([provider, shownUrl, apiPath, model]);
}

/** @returns a short digest of what a server says of itself and its model; null when it says nothing */
export function identityOf(said: readonly Json[]): string | null {
  const heard = said.filter((one) => one !== null && canonicalJson(one) !== "{}");
  if (heard.length === 0) return null;
  return createHash("sha256").update(canonicalJson(heard)).digest("hex").slice(0, 16);
}

export function weaker(a: ToolProtocol, b: ToolProtocol): ToolProtocol {
  return toolProtocols.indexOf(a) > toolProtocols.indexOf(b) ? a : b;
}

export function finding<V>(value: V, knownBy: KnownBy, atMs: number | null = null): Finding<V> {
  return { value, known_by: knownBy, at: atMs === null ? null : new Date(atMs).toISOString() };
}

/** @returns what was found, as it is shown; `otherwise` where nothing was */
export function shown<V, O>(
  fact: { readonly value: V; readonly known_by: KnownBy; readonly at: number } | undefined,
  otherwise: Finding<O>,
): Finding<V | O> {
  return fact === undefined ? otherwise : finding(fact.value, fact.known_by, fact.at);
}
