/** What reading a reply finds: calls, what was meant as a call and cannot be read, and where each stands. */
import type { Json } from "../../lib/json.ts";

export interface FoundCall {
  readonly kind: "call";
  /** As the model wrote it. */
  readonly name: string;
  /** Mostly an object; also a text that holds one, or a list. */
  readonly arguments: Json;
  readonly repaired: readonly string[];
  /** The text ran out before the arguments were closed: only what can have no more of them is whole. */
  readonly isOpen: boolean;
}

export interface BrokenCall {
  readonly kind: "broken";
  readonly name: string | null;
  readonly what: string;
}

export type Found = FoundCall | BrokenCall;

/** One stretch of call syntax. */
export interface Block {
  readonly found: readonly Found[];
  readonly end: number;
}

export function broken(name: string | null, what: string): BrokenCall {
  return { kind: "broken", name, what };
}
