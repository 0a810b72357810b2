/** How well a model keeps to the form of calls: replies with calls, those that had to be repaired, by which rules, and how many came so in a row. */
import type { ModelReply } from "../ports/model.ts";

export class RepairCounts {
  #calling = 0;
  #malformed = 0;
  #unread = 0;
  #inARow = 0;
  readonly #rules = new Map<string, number>();

  /** Replies without a call say nothing of their form. */
  add({ toolCalls }: Pick<ModelReply, "toolCalls">): void {
    if (toolCalls.length === 0) return;
    const rules = new Set(toolCalls.flatMap(({ repaired = [] }) => repaired));
    const unread = toolCalls.filter(({ error }) => error !== undefined).length;
    const isMalformed = rules.size > 0 || unread > 0;
    this.#calling += 1;
    this.#malformed += isMalformed ? 1 : 0;
    this.#inARow = isMalformed ? this.#inARow + 1 : 0;
    this.#unread += unread;
    for (const rule of rules) this.#rules.set(rule, (this.#rules.get(rule) ?? 0) + 1);
  }

  /** Malformed replies since the last one that called in the right form: what a weaker protocol is chosen by. */
  get inARow(): number {
    return this.#inARow;
  }

  /** For people; null while nothing had to be repaired. */
  note(): string | null {
    if (this.#malformed === 0) return null;
    const rules = [...this.#rules].toSorted(([, a], [, b]) => b - a).map(([rule, count]) => `${rule} ${count}`);
    const unread = this.#unread === 0 ? [] : [`not readable ${this.#unread}`];
    return `${this.#malformed} of ${this.#calling} replies with calls were malformed, ${this.#inARow} in a row (${[...rules, ...unread].join(", ")})`;
  }
}
