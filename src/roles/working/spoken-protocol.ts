/**
 * The protocol in which an attempt speaks to its model, and when it steps down: after replies that were malformed again and
 * again. Known from recorded replies and turns alone, so that a replay speaks as the attempt did.
 */
import { type ProtocolLowered, type ToolProtocol, toolProtocols } from "../../domain/protocol.ts";
import type { ModelRequest } from "../../ports/model.ts";
import type { Reply, TurnStarted } from "../records.ts";

/** One may be chance, and two bad luck. */
export const malformedToLower = 3;

export class SpokenProtocol {
  #last: { readonly model: string; readonly protocol: ToolProtocol } | null = null;
  #malformed = 0;
  #lowered: ProtocolLowered | undefined;

  /**
   * To be called once before each turn.
   *
   * @param recorded how the turn was started, where it was: that decides then
   * @returns what changes with it; undefined when nothing does
   */
  lowered(recorded: Pick<TurnStarted, "lowered"> | undefined): ProtocolLowered | undefined {
    this.#lowered = recorded === undefined ? this.#due() : recorded.lowered;
    if (this.#lowered !== undefined) {
      this.#last = { model: this.#lowered.model, protocol: this.#lowered.to };
      this.#malformed = 0;
    }
    return this.#lowered;
  }

  /** For the request of this turn. */
  get spoken(): Pick<ModelRequest, "spoken"> {
    if (this.#last === null) return {};
    const malformed = this.#lowered?.malformed_replies;
    return { spoken: { ...this.#last, ...(malformed === undefined ? {} : { malformed }) } };
  }

  observe({ model, protocol: shown, toolCalls }: Reply): void {
    if (model === "") return;
    const protocol: ToolProtocol = shown ?? "native";
    if (this.#last?.model !== model || this.#last.protocol !== protocol) this.#malformed = 0;
    this.#last = { model, protocol };
    // A reply without a call says nothing of their form.
    if (toolCalls.length === 0) return;
    const isMalformed = toolCalls.some(({ error, repaired = [] }) => error !== undefined || repaired.length > 0);
    this.#malformed = isMalformed ? this.#malformed + 1 : 0;
  }

  #due(): ProtocolLowered | undefined {
    if (this.#last === null || this.#malformed < malformedToLower) return undefined;
    const { model, protocol: from } = this.#last;
    const to = toolProtocols[toolProtocols.indexOf(from) + 1];
    return to === undefined ? undefined : { model, from, to, malformed_replies: this.#malformed };
  }
}
