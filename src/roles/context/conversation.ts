/**
 * The conversation of one attempt, as the model sees it, in epochs. Within one it only grows; when it nears the window, the
 * next one begins with a handoff in place of what is old. Knows sizes and order, calls no model, and forgets no pin.
 *
 * @see DECISIONS 25
 */
import type { Message, ToolSchema } from "../../ports/model.ts";
import { withinBytes } from "../excerpt.ts";
import { section } from "../prompts.ts";
import type { EpochPlan, Opening, Reply } from "../records.ts";
import { readArtifactTool, readOn } from "../working/artifact-ids.ts";
import type { Outcome } from "../working/call-outcome.ts";
import { fittedParts, pinned } from "./context-fit.ts";
import { pressureOf, resultShares, sizeOfMessages, sizeOfTools, TokenGauge } from "./context-size.ts";
import { type HandoffFacts, handoffText, mergedNotes, type Notes } from "./handoff.ts";

type Group =
  | { readonly kind: "turn" | "note"; readonly messages: readonly Message[]; readonly outcomes: readonly Outcome[] }
  /** Kept in every epoch: what people said, and the handoff of what was put away. */
  | { readonly kind: "instruction" | "handoff"; readonly messages: readonly Message[] };

/** An epoch is to begin with at most half of the window; aimed at a little less, since it is an estimate. */
const shares = { afterCompaction: 0.45, handoff: 0.12, instructions: 0.1 };
const least = { handoffBytes: 1000, lastStepBytes: 600, resultBytes: 1200, windowTokens: 256 };
const resultBytesMax = 60_000;
/** Of a reply that was cut. */
const cutCharsMax = 400;
/** What a prompt must have grown by before a count that did not grow means anything. */
const grownBytes = 400;
const stepsRemembered = 400;

export class Conversation {
  readonly #opening: Opening;
  readonly #pinned: readonly Message[];
  readonly #tools: readonly ToolSchema[];
  readonly #canReadOn: boolean;
  readonly #gauge: TokenGauge;
  #windowTokens: number;
  #groups: Group[] = [];
  #epoch = 1;
  #isTooLong = false;
  #counted: { readonly model: string; readonly bytes: number } | null = null;
  /** Of all epochs, for the handoff. */
  #steps: string[] = [];
  readonly #calls = new Map<string, { ok: number; failed: number }>();
  readonly #changed = new Set<string>();
  readonly #decisions: string[] = [];
  #notes: Notes | null = null;

  constructor(opening: Opening, tools: readonly ToolSchema[]) {
    this.#opening = opening;
    this.#pinned = [
      { role: "system", content: opening.system },
      { role: "user", content: opening.user },
    ];
    this.#tools = tools;
    this.#canReadOn = tools.some(({ name }) => name === readArtifactTool);
    this.#windowTokens = opening.windowTokens;
    this.#gauge = new TokenGauge(opening.bytesPerToken);
  }

  /** From 1. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Turns that stand word for word. */
  get turns(): number {
    return this.#groups.filter(({ kind }) => kind === "turn").length;
  }

  messages(): readonly Message[] {
    return [...this.#pinned, ...this.#groups.flatMap((group) => group.messages)];
  }

  instruct(content: string): void {
    this.#groups.push({ kind: "instruction", messages: [{ role: "user", content }] });
  }

  note(content: string): void {
    this.#groups.push({ kind: "note", messages: [{ role: "user", content }], outcomes: [] });
  }

  /** Text that did not end the attempt; an empty reply leaves no message. */
  said(text: string): void {
    if (text.trim() !== "") this.#turn([{ role: "assistant", content: text }]);
  }

  /** A reply that reached the token limit: nothing in it was used, and its beginning, as it was, says what it was about to be. */
  wasCut(text: string): void {
    const content = text.slice(0, cutCharsMax).replace(/[\uD800-\uDBFF]$/, "");
    if (content.trim() !== "") this.#turn([{ role: "assistant", content, cut: true }]);
  }

  /** Results are shortened when they come in, all of a turn to one share of the window, and never later. */
  acted(reply: Reply, outcomes: readonly Outcome[]): void {
    const said: Message = { role: "assistant", content: reply.text, toolCalls: reply.toolCalls };
    const share = resultShares[pressureOf(this.#tokens([said]), this.#windowTokens)];
    const room = Math.max(least.resultBytes, this.#gauge.sizeFor(share * this.#windowTokens));
    const shown = this.#shown(outcomes, Math.min(resultBytesMax, room));
    const answers = reply.toolCalls.map(
      ({ id, name }, index): Message => ({ role: "tool", toolCallId: id, name, content: shown[index] ?? "" }),
    );
    this.#turn([said, ...answers], outcomes);
    for (const { tool, success, changed, decision } of outcomes) {
      const { ok, failed } = this.#calls.get(tool) ?? { ok: 0, failed: 0 };
      this.#calls.set(tool, success ? { ok: ok + 1, failed } : { ok, failed: failed + 1 });
      for (const path of changed) {
        this.#changed.delete(path);
        this.#changed.add(path);
      }
      if (decision !== "") this.#decisions.push(decision);
    }
  }

  /** Learns from what the server counted for the request as it stands now. */
  observe({ model, promptCut, usage }: Reply): void {
    const bytes = this.#bytes();
    if (promptCut !== undefined) {
      this.#gauge.wasOver(bytes, Math.max(promptCut.countedTokens, promptCut.windowTokens));
      this.#holds(promptCut.windowTokens);
      this.#isTooLong = true;
    } else if (usage !== undefined && usage.estimated !== true && usage.input_tokens > 0) {
      this.#gauge.counted(bytes, usage.input_tokens);
      this.#counted = { model, bytes };
    }
  }

  /** The server refused the request as it stands now: its window is smaller, or the request larger, than was thought. */
  overflowed(limit: Reply["limit"]): void {
    const bytes = this.#bytes();
    const likely = this.#gauge.tokens(bytes);
    const { windowTokens = Math.min(likely, this.#windowTokens) * 0.9, promptTokens = likely } = limit ?? {};
    this.#gauge.wasOver(bytes, promptTokens);
    this.#holds(windowTokens);
    this.#isTooLong = true;
  }

  /** From here on it is told in another protocol: the same words, and another beginning of every request. */
  retold(): void {
    this.#epoch += 1;
    this.#gauge.forget();
    this.#counted = null;
  }

  isFull(): boolean {
    return this.#isTooLong || pressureOf(this.#tokens(), this.#windowTokens) === "full";
  }

  /** What the next request begins with was counted so; null where nothing can be concluded from the next count. */
  growsFrom(): { readonly model: string; readonly tokens: number } | null {
    const tokens = this.#gauge.lastCount;
    if (this.#counted === null || tokens === null || this.#bytes() < this.#counted.bytes + grownBytes) return null;
    return { model: this.#counted.model, tokens };
  }

  /** @returns how the next epoch would begin, or null when it would gain nothing */
  nextEpoch(): EpochPlan | null {
    const handoffBytes = Math.max(least.handoffBytes, this.#gauge.sizeFor(shares.handoff * this.#windowTokens));
    const instructionBytes = this.#gauge.sizeFor(shares.instructions * this.#windowTokens);
    const said = Math.min(instructionBytes, sizeOfMessages(this.#instructions(this.#groups)));
    const fixed = sizeOfMessages(this.#pinned) + sizeOfTools(this.#tools) + said + handoffBytes;
    let left = this.#gauge.sizeFor(shares.afterCompaction * this.#windowTokens - this.#gauge.tokens(fixed));
    let away = this.#groups.length;
    for (const { kind, messages } of this.#groups.toReversed()) {
      left -= sizeOfMessages(messages);
      if (kind === "handoff" || left < 0) break;
      away -= 1;
    }
    if (!this.#groups.slice(0, away).some(({ kind }) => kind === "turn" || kind === "note")) return null;
    const isLastPutAway = !this.#groups.slice(away).some(({ kind }) => kind === "turn");
    const spare = left + sizeOfMessages(this.#groups[away - 1]?.messages ?? []);
    const lastStepBytes = isLastPutAway ? Math.max(least.lastStepBytes, spare) : 0;
    return { away, handoffBytes, instructionBytes, lastStepBytes };
  }

  /** What an epoch that begins so puts away, for someone who takes notes of it. */
  putAway({ away }: EpochPlan) {
    const groups = this.#groups.slice(0, away).filter(({ kind }) => kind !== "handoff");
    return { subtask: this.#opening.user, notes: this.#notes, groups: groups.map(({ messages }) => messages) };
  }

  /**
   * Begins the next epoch.
   *
   * @param notes a model's, of what is put away; null without
   * @param stateOf how a file stands that this subtask changed
   */
  begin(plan: EpochPlan, notes: Notes | null, stateOf: (path: string) => string): void {
    const old = this.#groups.slice(0, plan.away);
    const recent = this.#groups.slice(plan.away);
    const outcomes = old.flatMap((group) => ("outcomes" in group ? group.outcomes : []));
    this.#steps = [...this.#steps, ...outcomes.map(({ line }) => line)].slice(-stepsRemembered);
    this.#notes = mergedNotes(this.#notes, notes);
    this.#epoch += 1;
    const instructions = fittedParts(
      this.#instructions(old).map(({ content }) => pinned(content)),
      plan.instructionBytes,
    ).map((content): Group => ({ kind: "instruction", messages: [{ role: "user", content }] }));
    const last = plan.lastStepBytes === 0 ? "" : this.#lastStep(old, plan.lastStepBytes);
    const content = [handoffText(this.#facts(stateOf), plan.handoffBytes), last]
      .filter((text) => text !== "")
      .join("\n\n");
    this.#groups = [...instructions, { kind: "handoff", messages: [{ role: "user", content }] }, ...recent];
    this.#gauge.forget();
    this.#counted = null;
    this.#isTooLong = false;
  }

  #facts(stateOf: (path: string) => string): HandoffFacts {
    return {
      epoch: this.#epoch,
      files: [...this.#changed].map((path) => `${path} (${stateOf(path)})`),
      decisions: this.#decisions,
      calls: [...this.#calls].map(([tool, { ok, failed }]) => `- ${tool}: ${ok} done, ${failed} failed`),
      steps: this.#steps,
      notes: this.#notes,
    };
  }

  /** A step that is too long to be kept as it is, though the model has not seen what came of it. */
  #lastStep(groups: readonly Group[], bytesMax: number): string {
    const last = groups.findLast((group) => group.kind === "turn");
    if (last === undefined || !("outcomes" in last) || last.outcomes.length === 0) return "";
    const heading = "What the last step gave; you have not seen it yet";
    const shown = this.#shown(last.outcomes, bytesMax - heading.length - 20 * last.outcomes.length);
    return section(
      heading,
      shown.map((text, index) => `${index + 1}. ${last.outcomes[index]?.tool}:\n${text}`),
    );
  }

  #shown(outcomes: readonly Outcome[], bytesMax: number): string[] {
    const texts = outcomes.map((outcome) =>
      outcome.isPart ? `${outcome.text}\n[cut${this.#where(outcome)}]` : outcome.text,
    );
    const parts = outcomes.map((outcome, index) =>
      pinned(texts[index] ?? "", (text, max) => withinBytes(text, max, this.#where(outcome))),
    );
    return fittedParts(parts, bytesMax);
  }

  #where({ artifact }: Outcome): string {
    return this.#canReadOn ? readOn(artifact) : "";
  }

  #turn(messages: readonly Message[], outcomes: readonly Outcome[] = []): void {
    this.#groups.push({ kind: "turn", messages, outcomes });
  }

  #instructions(groups: readonly Group[]): readonly Message[] {
    return groups.flatMap((group) => (group.kind === "instruction" ? group.messages : []));
  }

  #holds(tokens: number): void {
    this.#windowTokens = Math.max(least.windowTokens, Math.min(this.#windowTokens, Math.floor(tokens)));
  }

  #bytes(more: readonly Message[] = []): number {
    return sizeOfMessages(this.messages()) + sizeOfMessages(more) + sizeOfTools(this.#tools);
  }

  #tokens(more: readonly Message[] = []): number {
    return this.#gauge.tokens(this.#bytes(more));
  }
}
