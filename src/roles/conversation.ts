/**
 * The conversation of one attempt, as the model sees it. Within an epoch it only grows; when it nears the window, one
 * compaction replaces what is old by a digest and begins the next epoch. Knows sizes and order, calls no model.
 */
import type { Message, ToolSchema } from "../ports/model.ts";
import { headAndTail, oneLine, shortArguments } from "./excerpt.ts";
import { charsOf } from "./model-step.ts";
import type { Compaction, Opening, Reply } from "./records.ts";

type Group =
  | { readonly kind: "turn" | "note" | "summary"; readonly messages: readonly Message[] }
  /** Kept word for word in every epoch. */
  | { readonly kind: "instruction"; readonly messages: readonly Message[] };

/** @see DECISIONS 25 */
const fullShare = 0.8;
const afterCompactionShare = 0.5;
const summaryShare = 0.15;
const resultShare = 0.25;
const resultCharsMax = 60_000;
const charsPerToken = 4;
/** Of a reply that was cut. */
const cutCharsMax = 400;

export class Conversation {
  readonly #pinned: readonly Message[];
  readonly #tools: readonly ToolSchema[];
  readonly #windowTokens: number;
  #groups: Group[] = [];
  /** Tokens that the model counted, over tokens that we estimated, at the last call that told. */
  #correction = 1;

  constructor(opening: Opening, tools: readonly ToolSchema[]) {
    this.#pinned = [
      { role: "system", content: opening.system },
      { role: "user", content: opening.user },
    ];
    this.#tools = tools;
    this.#windowTokens = opening.windowTokens;
  }

  messages(): readonly Message[] {
    return [...this.#pinned, ...this.#groups.flatMap((group) => group.messages)];
  }

  instruct(content: string): void {
    this.#groups.push({ kind: "instruction", messages: [{ role: "user", content }] });
  }

  note(content: string): void {
    this.#groups.push({ kind: "note", messages: [{ role: "user", content }] });
  }

  /** Text that did not end the attempt; an empty reply leaves no message. */
  said(text: string): void {
    if (text.trim() !== "") this.#groups.push({ kind: "turn", messages: [{ role: "assistant", content: text }] });
  }

  /** A reply that reached the token limit: nothing in it was used, and its beginning, as it was, says what it was about to be. */
  wasCut(text: string): void {
    const content = text.slice(0, cutCharsMax).replace(/[\uD800-\uDBFF]$/, "");
    if (content.trim() !== "")
      this.#groups.push({ kind: "turn", messages: [{ role: "assistant", content, cut: true }] });
  }

  acted(reply: Reply, results: readonly string[]): void {
    const answers = reply.toolCalls.map(
      ({ id, name }, index): Message => ({
        role: "tool",
        toolCallId: id,
        name,
        content: this.#fitted(results[index] ?? ""),
      }),
    );
    this.#groups.push({
      kind: "turn",
      messages: [{ role: "assistant", content: reply.text, toolCalls: reply.toolCalls }, ...answers],
    });
  }

  /** Learns from what the model counted for the request as it stands now. */
  observe(reply: Reply): void {
    const counted = reply.usage;
    if (counted === undefined || counted.estimated === true || counted.input_tokens === 0) return;
    const estimated = charsOf(this.messages(), this.#tools) / charsPerToken;
    this.#correction = Math.min(3, Math.max(0.5, counted.input_tokens / estimated));
  }

  isFull(): boolean {
    return this.#tokens(this.messages(), this.#tools) >= fullShare * this.#windowTokens;
  }

  /**
   * @param overflowed the model refused the request as too long: its window is smaller than we think
   * @returns what a compaction would leave, or null when it would gain nothing
   */
  compaction(overflowed: boolean): Compaction | null {
    const now = this.#tokens(this.messages(), this.#tools);
    const target = afterCompactionShare * (overflowed ? Math.min(now, this.#windowTokens) : this.#windowTokens);
    const pinned = this.#tokens([...this.#pinned, ...this.#instructions()], this.#tools);
    const summaryTokens = summaryShare * target;
    let left = target - pinned - summaryTokens;
    let keep = 0;
    while (keep < this.#groups.length) {
      const group = this.#groups[this.#groups.length - 1 - keep];
      if (group === undefined) break;
      left -= group.kind === "instruction" ? 0 : this.#tokens(group.messages);
      if (left < 0) break;
      keep += 1;
    }
    const old = this.#groups.slice(0, this.#groups.length - keep);
    if (!old.some((group) => group.kind !== "instruction" && group.kind !== "summary")) return null;
    return {
      keep,
      summary: digestOf(old, Math.max(1000, Math.floor((summaryTokens * charsPerToken) / this.#correction))),
    };
  }

  /** Begins a new epoch: what people said, the digest of what is old, and the last groups as they were. */
  compact({ keep, summary }: Compaction): void {
    const old = this.#groups.slice(0, this.#groups.length - keep);
    const recent = this.#groups.slice(this.#groups.length - keep);
    const instructions = old.filter((group) => group.kind === "instruction");
    this.#groups = [...instructions, { kind: "summary", messages: [{ role: "user", content: summary }] }, ...recent];
  }

  #instructions(): Message[] {
    return this.#groups.flatMap((group) => (group.kind === "instruction" ? group.messages : []));
  }

  #tokens(messages: readonly Message[], tools: readonly ToolSchema[] = []): number {
    return (charsOf(messages, tools) / charsPerToken) * this.#correction;
  }

  /** A result is shortened when it comes in, to what the window can bear, and never later. */
  #fitted(result: string): string {
    return headAndTail(
      result,
      Math.min(resultCharsMax, Math.max(1000, Math.floor(this.#windowTokens * charsPerToken * resultShare))),
    );
  }
}

const digestTitle = "What was done so far in this subtask (shortened; read files again where you need their contents):";

function digestOf(groups: readonly Group[], charsMax: number): string {
  const lines = groups.flatMap(linesOf);
  for (const each of [600, 300, 150]) {
    const text = lines.map((line) => oneLine(line, each)).join("\n");
    if (text.length <= charsMax) return `${digestTitle}\n${text}`;
  }
  const kept: string[] = [];
  let left = charsMax;
  for (const line of lines.map((long) => oneLine(long, 150)).reverse()) {
    left -= line.length + 1;
    if (left < 0) break;
    kept.push(line);
  }
  return `${digestTitle}\n[… ${lines.length - kept.length} earlier steps]\n${kept.reverse().join("\n")}`;
}

function linesOf(group: Group): string[] {
  if (group.kind === "instruction" || group.kind === "note") return [];
  if (group.kind === "summary")
    return group.messages.flatMap(({ content }) => content.split("\n").filter((line) => line !== digestTitle));
  const results = new Map(
    group.messages.flatMap((message) => (message.role === "tool" ? [[message.toolCallId, message.content]] : [])),
  );
  return group.messages.flatMap((message) => {
    if (message.role !== "assistant") return [];
    const said = message.content.trim() === "" ? [] : [`- said: ${message.content}`];
    const calls = (message.toolCalls ?? []).map(
      ({ id, name, arguments: args }) =>
        `- ${name} ${JSON.stringify(shortArguments(args, 120))} → ${results.get(id) ?? ""}`,
    );
    return [...said, ...calls];
  });
}
