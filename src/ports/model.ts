/** Models: one way to talk to any of them, whatever the provider's wire is. Roles speak this and nothing else. */

import type { CallUsage } from "../domain/budget.ts";
import type { Tier } from "../domain/plan.ts";
import type { Price } from "../domain/price.ts";
import type { ToolProtocol } from "../domain/protocol.ts";
import type { JsonObject } from "../lib/json.ts";
import type { ModelProfile } from "./model-profile.ts";

export type Role = "planner" | "executor" | "verifier" | "extractor" | "compactor";

export interface ToolCall {
  /** Unique within the conversation. */
  readonly id: string;
  readonly name: string;
  /** Parsed arguments, or the text that could not be parsed. */
  readonly arguments: JsonObject | string;
  /** Rules that made a call of what came; absent when none was needed. */
  readonly repaired?: readonly string[] | undefined;
  /** What is wrong with a call that cannot be read, and the right form: it does not run and is answered with this. */
  readonly error?: string | undefined;
}

export type Message =
  | { readonly role: "system" | "user"; readonly content: string }
  | {
      readonly role: "assistant";
      readonly content: string;
      readonly toolCalls?: readonly ToolCall[];
      /** Of an example: the text is a piece of what was read, word for word. */
      readonly isQuote?: true;
      /** The reply reached the token limit: this is its beginning, word for word. */
      readonly cut?: true;
    }
  | { readonly role: "tool"; readonly toolCallId: string; readonly name: string; readonly content: string };

export interface ToolSchema {
  readonly name: string;
  readonly description: string;
  /** JSON schema of an object. */
  readonly parameters: JsonObject;
  /** The same at its simplest, for models that speak JSON by schema: what else a tool takes, those seldom need and often misuse. */
  readonly simple?: JsonObject | undefined;
  /** Arguments that can only name what stands in the workspace. */
  readonly naming?: Readonly<Record<string, "file" | "folder" | "any">> | undefined;
  /** Arguments that only go on where a result broke off. Open, to models that speak JSON by schema, once a message holds the sign. */
  readonly onward?: { readonly arguments: readonly string[]; readonly sign: string } | undefined;
}

/** Relative to the workspace, all of them: where they are too many to be told, there is no such list. */
export interface StandingPaths {
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

export interface ModelRequest {
  readonly messages: readonly Message[];
  /** Offered in this order, every turn the same. Absent or empty: no tools. */
  readonly tools?: readonly ToolSchema[];
  /** JSON that the reply shall be. Bound by the provider where it can, and checked by the caller in any case. */
  readonly schema?: { readonly name: string; readonly schema: JsonObject };
  /** Worked examples of another job, as turns: shown, before all turns but the system's, to a model that speaks JSON by schema. */
  readonly examples?: readonly Message[];
  /** Stands in place of the system message for a model that speaks JSON by schema: long rules take small models off the job. */
  readonly plain?: string;
  /** What stands in the workspace. An argument that must name one of them binds a model that speaks JSON by schema to these. */
  readonly standing?: StandingPaths;
  /** Pieces of what was read: a model that speaks JSON by schema ends with one of these in place of words of its own. */
  readonly quotable?: readonly string[];
  /** Finishing is not open yet: the reply shall be a call. Binds a model that speaks JSON by schema. */
  readonly mustCall?: boolean;
  /** Names of tools that are not open for this reply, as they are of no use to it. Binds as `mustCall` does. */
  readonly barred?: readonly string[];
  /** How this conversation was last spoken: kept to with that model, unless its server cannot hold it. */
  readonly spoken?: Spoken;
  /** Lowers the model's own cap; never raises it. */
  readonly maxTokens?: number;
  readonly temperature?: number;
}

export interface Spoken {
  /** Name of the configured model. */
  readonly model: string;
  readonly protocol: ToolProtocol;
  /** So many replies in a row were malformed, and this is the weaker protocol that is to be spoken for it from now on. */
  readonly malformed?: number | undefined;
}

export interface ModelReply {
  /** Plain text, thinking left out. May be empty when there are tool calls. */
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  readonly finish: "stop" | "tool_calls" | "length" | "filtered" | "other";
  readonly usage: CallUsage;
  /** Name of the configured model that answered. */
  readonly model: string;
  /** The model had to be shown the form of its reply, as small ones do: absent for one that takes tools as they are. */
  readonly protocol?: Exclude<ToolProtocol, "native">;
  /** Names of the repairs that made this reply usable, in order; empty when none was needed. */
  readonly repaired: readonly string[];
  /** The server cut the prompt without a word: it counted so many tokens, and seems to hold so many. */
  readonly promptCut?: { readonly countedTokens: number; readonly windowTokens: number };
}

/** Why a model could not be had, told apart so that a wait, another attempt or a person follows. All are LoomErrors:
 * `model_unavailable` (down, rate-limited, out of reach; carries retryAfterMs), `model_refused` (400, 401, 403, 404: will not
 * get better by waiting), `context_overflow` (its `extra` has `windowTokens` and `promptTokens`, as far as the server said). */
export interface ModelPick {
  readonly role: Role;
  /** The least tier wanted; the nearest at or above it is taken, else the highest below. */
  readonly tier: Tier;
  /** Names of models to take only if there is no other. */
  readonly avoid?: readonly string[];
  /** Whose turn it is when slots are short: fair between tasks, and work > verify > plan > extract. */
  readonly taskId: string;
  readonly priority: "work" | "verify" | "plan" | "extract";
}

export interface ModelInfo {
  readonly name: string;
  readonly provider: string;
  readonly model: string;
  readonly base_url: string;
  readonly tier: Tier;
  readonly roles: readonly Role[];
  readonly max_tokens: number;
  readonly temperature: number;
  /** Window in tokens, as configured or as the provider says; null while unknown. */
  readonly context_tokens: number | null;
  /** How tool calls travel: natively, as JSON by schema where the server drops `tools`, as text where it binds no schema either. @see DECISIONS 44 */
  readonly tool_protocol: ToolProtocol | "unknown";
  readonly health: "up" | "down" | "unknown";
  /** As configured; null: not known, so no money is counted and no budget in dollars is taken. */
  readonly price: {
    readonly input_usd_per_million: number;
    readonly cached_input_usd_per_million: number;
    readonly output_usd_per_million: number;
  } | null;
  readonly profile: ModelProfile;
  readonly notes: readonly string[];
}

/** How much one model takes. */
export interface ModelWindow {
  readonly name: string;
  readonly contextTokens: number;
  readonly maxTokens: number;
  /** As learnt from what its server counted; careful until then. */
  readonly bytesPerToken: number;
}

export interface ModelTerms {
  /** The longest reply in tokens. */
  readonly maxTokens: number;
  /** The dearest of them; null when that of one is not known. */
  readonly price: Price | null;
  /** Whether one of them may be shown the worked examples of a request. */
  readonly showsExamples: boolean;
}

export interface Models {
  /**
   * Calls the first suitable model that answers, waiting for a slot of it; falls over to the next one when it is down.
   *
   * @param onToken model text as it comes; called synchronously, must not throw
   * @throws LoomError model_unavailable | model_refused | context_overflow | no_model_configured; the signal's reason when aborted
   */
  call(
    pick: ModelPick,
    request: ModelRequest,
    options: { readonly signal: AbortSignal; readonly onToken?: (text: string) => void },
  ): Promise<ModelReply>;

  /** Name and window of the model that `call` would try first; null when none is configured for the role. */
  first(pick: Pick<ModelPick, "role" | "tier" | "avoid">): ModelWindow | null;

  /** The same, once its server has said how large the window is, or was not there to say it. @throws the signal's reason */
  window(pick: Pick<ModelPick, "role" | "tier" | "avoid">, signal: AbortSignal): Promise<ModelWindow | null>;

  /** What a call may cost at most, whichever suitable model answers it; null when none is configured for the role. */
  terms(pick: Pick<ModelPick, "role" | "tier" | "avoid">): ModelTerms | null;

  /** Roles that are needed and that no model serves. Empty: tasks can be accepted. @see DECISIONS 10 */
  missingRoles(): readonly Role[];

  list(): readonly ModelInfo[];
  /**
   * Reads JSON out of what a model wrote: fences, prose around it, trailing commas, unquoted keys, Python words, missing
   * closing brackets. A text cut within a string is not read: nobody knows what was left out.
   *
   * @returns the value and the names of the repairs, in order; null when there is no JSON in `text`
   */
  readJson(text: string): { readonly value: unknown; readonly repaired: readonly string[] } | null;

  /**
   * Asks each server whether it is there, and finds out what is not known of its models yet; updates `list`. A model that
   * cannot be asked stays as it is known. Ends soon after `signal` fires, with what is known by then.
   *
   * @param depth `again`: what was found out before is forgotten first; `first` asks only for what is unknown
   */
  probe(depth: "first" | "again", signal: AbortSignal): Promise<readonly ModelInfo[]>;
}
