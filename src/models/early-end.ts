/** Where a reply ends for us while its model goes on: it says the same over and over, or what it says now comes after its call. Pure. */
import type { ToolProtocol } from "../domain/protocol.ts";
import type { ModelRequest } from "../ports/model.ts";
import { circleIn } from "./circling.ts";
import { withoutThinking } from "./json-reading.ts";
import { toolBlockIn } from "./protocol-text.ts";

export interface EarlyEnd {
  readonly why: "repetition" | "call_made";
  /** Characters of the text that are of use. */
  readonly length: number;
}

/** @param text so far @returns null while more of it is wanted */
export type EndOf = (text: string) => EarlyEnd | null;

export function earlyEnd(
  protocol: ToolProtocol,
  { schema, tools = [] }: Pick<ModelRequest, "schema" | "tools">,
  maxTokens: number,
): EndOf {
  const isStepInText = protocol === "text" && schema === undefined && tools.length > 0;
  return (text) => {
    if (isStepInText && toolBlockIn(withoutThinking(text).rest, true)?.isFollowed === true)
      return { why: "call_made", length: text.length };
    const circle = circleIn(text, maxTokens);
    return circle === null ? null : { why: "repetition", length: circle.end };
  };
}
