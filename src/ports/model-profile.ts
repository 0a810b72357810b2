/** What is known of a model at its server, each fact with how it is known and since when. Decides how the model is spoken to. */
import type { ToolProtocol } from "../domain/protocol.ts";

/**
 * How a fact is known: configured, said by the server, documented by the provider, measured by a probe, or shown while the
 * model was used; null: it is not.
 */
export type KnownBy = "config" | "server" | "documentation" | "probe" | "use" | null;

export interface Finding<V> {
  readonly value: V;
  readonly known_by: KnownBy;
  /** ISO 8601; null where there is no such moment. */
  readonly at: string | null;
}

export type Holds = "yes" | "no" | "unknown";

export interface ModelProfile {
  /** Whether `tools` reach the prompt. */
  readonly tools: Finding<Holds>;
  /** Whether a JSON schema binds the reply. */
  readonly schema: Finding<Holds>;
  /** How many tokens prompt and reply may have together. */
  readonly window_tokens: Finding<number | null>;
  /** Whether the server keeps the prefix of a prompt for the next one. */
  readonly prefix_reuse: Finding<Holds | "not_reported">;
  /** What follows for tool calls, and, where it is weaker than the server would take, why. */
  readonly protocol: Finding<ToolProtocol | "unknown"> & { readonly reason: string | null };
}
