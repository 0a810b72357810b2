/** Policy: what an action may do. Deny beats ask beats allow; what is not understood is asked about. */
import type { TaskPolicy } from "../domain/policy-rules.ts";
import type { Action } from "./tool.ts";

export interface Judgement {
  readonly decision: "allow" | "ask" | "deny";
  /** One sentence a person can judge by; empty for allow. */
  readonly reason: string;
  readonly risk: "low" | "medium" | "high" | "critical";
  /** It goes to other machines: allowed, or approved, it gets the network in the sandbox. */
  readonly network?: boolean;
  /** Paths that a command, by its own words, will change: relative to the workspace. Others it may change all the same. */
  readonly writes?: readonly string[];
  /** The rule that decided, by its list, place and conditions; absent where none did. */
  readonly rule?: string;
}

export interface Policy {
  /**
   * Pure: the same action is always judged the same. Never throws.
   *
   * @param task rules of the task: they can make the judgement stricter, never milder
   */
  judge(action: Action, task?: TaskPolicy): Judgement;
}

/** Takes secrets out of text, by value. */
export interface Redaction {
  text(value: string): string;
  /** The same in every string at every depth, and what stands under a name that only secrets have. The same object where nothing changes. */
  value<T>(value: T): T;
  /** For text that comes in pieces, one for each text. */
  tokens(): TokenRedaction;
}

export interface TokenRedaction {
  /** @returns what may be shown by now: as much as cannot be the beginning of a secret */
  push(token: string): string;
  /** No more comes. @returns what was held back */
  end(): string;
}

/** Where a request may go. Resolves names, checks every address, and pins the one it dials. */
export interface Egress {
  /**
   * @throws LoomError host_refused: scheme, credentials in the URL, or an address of a forbidden class, with the address
   */
  fetch(
    url: string,
    request: {
      readonly method: "GET" | "POST";
      readonly headers: Readonly<Record<string, string>>;
      readonly body?: string;
      readonly maxBytes: number;
      readonly timeoutMs: number;
      readonly maxRedirects: number;
      readonly allowPrivate: boolean;
      readonly signal: AbortSignal;
    },
  ): Promise<EgressResponse>;
  /** @returns a reason to refuse, or null. An unresolvable name is no reason. */
  check(url: string, options: { readonly allowPrivate: boolean; readonly signal: AbortSignal }): Promise<string | null>;
}

export interface EgressResponse {
  readonly status: number;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly truncated: boolean;
}
