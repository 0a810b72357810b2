/** What a row of the table of model families says. */
import type { Json, JsonObject } from "../../../src/lib/json.ts";

export interface Call {
  readonly name: string;
  readonly arguments: JsonObject;
}

/** JSON in some spelling. */
export type Spelling = (value: Json) => string;

export interface Family {
  readonly name: string;
  /** `json`: arguments are JSON, and can be damaged as JSON is; `python` and `tags`: they are not. */
  readonly kind: "json" | "python" | "tags";
  /** One whole reply that makes these calls. */
  readonly reply: (calls: readonly Call[], json: Spelling) => string;
  /** The syntax marks a call by itself; else its place in the reply does. */
  readonly isMarked: boolean;
  /** Nothing may stand beside it. */
  readonly isAlone?: true;
  /** What of the end may be missing though the model was done: closing marks, never part of a value. */
  readonly closing?: string;
}

export const each = (calls: readonly Call[], one: (call: Call, index: number) => string, between = "\n"): string =>
  calls.map(one).join(between);

export const close = (name: string): string => `</${name}>`;
