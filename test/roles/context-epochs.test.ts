/** Laws of the context, for any history and any window of use: it fits, it forgets no pin, and within an epoch it only grows. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Message, ToolSchema } from "../../src/ports/model.ts";
import { Conversation } from "../../src/roles/context/conversation.ts";
import type { Reply } from "../../src/roles/records.ts";
import type { Outcome } from "../../src/roles/working/call-outcome.ts";

const tools: ToolSchema[] = ["read_file", "shell_execute", "read_artifact"].map((name) => ({
  name,
  description: `${name} for the laws of the context`,
  parameters: { type: "object", properties: { path: { type: "string" } } },
}));

/** Of texts that are no denser than code: bytes a token, by the text itself, so that a text always weighs the same. */
function densityOf(text: string): number {
  if (/\d{5} \d/.test(text.slice(0, 400))) return 1.2;
  let sum = 0;
  for (let at = 0; at < Math.min(40, text.length); at += 1) sum += text.charCodeAt(at);
  return 3 + (sum % 31) / 10;
}

/** What a server would count: each text by a density of its own, and a template around each message. */
function countOf(messages: readonly Message[]): number {
  const texts = messages.map((message) => [
    message.content,
    message.role === "assistant" ? JSON.stringify(message.toolCalls ?? []) : "",
  ]);
  const inTools = Buffer.byteLength(JSON.stringify(tools)) / 4;
  return Math.ceil(
    texts.flat().reduce((sum, text) => sum + Buffer.byteLength(text) / densityOf(text), inTools) + 4 * messages.length,
  );
}

type Happening =
  | { readonly kind: "acted"; readonly results: readonly number[]; readonly says: number; readonly decides: boolean }
  | { readonly kind: "instruct" | "said" | "note" | "cut"; readonly size: number };

const anyHappening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("acted" as const),
      results: fc.array(fc.oneof(fc.nat({ max: 400 }), fc.nat({ max: 12_000 })), { minLength: 1, maxLength: 5 }),
      says: fc.nat({ max: 1500 }),
      decides: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("instruct" as const, "said" as const, "note" as const, "cut" as const),
      size: fc.nat({ max: 600 }),
    }),
  },
);
const anyHistory = fc.record({
  windowTokens: fc.oneof(fc.integer({ min: 4096, max: 9000 }), fc.integer({ min: 4096, max: 200_000 })),
  /** How the server's counts reach us: always, now and then, never. */
  counts: fc.constantFrom(1, 3, 0),
  bytesPerToken: fc.constantFrom(3, 4, 6),
  happenings: fc.array(anyHappening, { minLength: 1, maxLength: 40 }),
});

/** Every fifth is of numbers, which cost a token a digit. */
const sentence = (n: number, size: number) =>
  n % 5 === 0 ? `${n}: ${"73519 ".repeat(size / 6)}` : `${n}: ${"some words of the text ".repeat(size / 20)}`;
const goal = "GOAL: carry the water up the hill.";
const constraint = "CONSTRAINT: spill nothing.";

interface Told {
  readonly prompt: readonly Message[];
  readonly epoch: number;
  readonly tokens: number;
  readonly instructions: readonly string[];
  readonly decisions: readonly string[];
}

type History = typeof anyHistory extends fc.Arbitrary<infer T> ? T : never;

/** Plays a history as the loop does; each prompt as it is sent. */
class Play {
  readonly told: Told[] = [];
  readonly #history: History;
  readonly #conversation: Conversation;
  readonly #instructions: string[] = [];
  readonly #decisions: string[] = [];

  constructor(history: History) {
    const { windowTokens, bytesPerToken } = history;
    const [system, user] = [`Rules.\n${goal}\n${constraint}`, "SUBTASK: the first hill."];
    this.#history = history;
    this.#conversation = new Conversation({ system, user, windowTokens, bytesPerToken }, tools);
    for (const [turn, happening] of history.happenings.entries()) this.#turn(turn, happening);
  }

  #turn(turn: number, happening: Happening): void {
    const plan = this.#conversation.isFull() ? this.#conversation.nextEpoch() : null;
    const notes = { decisions: [`Noted ${turn}.`], open: [], done: [], facts: [] };
    if (plan !== null) this.#conversation.begin(plan, turn % 2 === 0 ? notes : null, () => "3 bytes");
    const prompt = this.#conversation.messages();
    const tokens = countOf(prompt);
    const { epoch } = this.#conversation;
    this.told.push({ prompt, epoch, tokens, instructions: [...this.#instructions], decisions: [...this.#decisions] });
    const calls = happening.kind === "acted" ? happening.results.map((_, at) => `${turn}.${at}`) : [];
    const { counts } = this.#history;
    const reply: Reply = {
      text: happening.kind === "acted" ? sentence(turn, happening.says) : "",
      toolCalls: calls.map((id) => ({ id, name: "read_file", arguments: { path: "a" } })),
      finish: "tool_calls",
      usage: { input_tokens: tokens, output_tokens: 5, estimated: counts === 0 || turn % counts !== 0 },
      model: "m",
      repaired: [],
    };
    this.#conversation.observe(reply);
    if (happening.kind === "acted") this.#conversation.acted(reply, this.#outcomes(turn, happening));
    else this.#happen(turn, happening);
  }

  #happen(turn: number, { kind, size }: Exclude<Happening, { kind: "acted" }>): void {
    if (kind === "said") this.#conversation.said(sentence(turn, size));
    if (kind === "cut") this.#conversation.wasCut(sentence(turn, size));
    if (kind === "note") this.#conversation.note("Go on.");
    if (kind !== "instruct" || this.#instructions.length === 6) return;
    const instruction = `STEER ${this.#instructions.length}: slowly.`;
    this.#instructions.push(instruction);
    this.#conversation.instruct(instruction);
  }

  #outcomes(turn: number, { results, decides }: Extract<Happening, { kind: "acted" }>): Outcome[] {
    const decision = decides && this.#decisions.length < 5 ? `DECISION ${this.#decisions.length}: no salt.` : "";
    if (decision !== "") this.#decisions.push(decision);
    return results.map((size, at) => ({
      text: `${at === 0 ? decision : ""} ${sentence(turn * 10 + at, size)}`,
      artifact: `art_a_1_${turn}_${at + 1}`,
      isPart: false,
      line: `turn ${turn}: read_file → ${size}`,
      tool: "read_file",
      success: true,
      changed: size % 7 === 0 ? [`file-${size}.txt`] : [],
      decision: at === 0 ? decision : "",
    }));
  }
}

const played = (history: History): readonly Told[] => new Play(history).told;

const textOf = (prompt: readonly Message[]) => prompt.map(({ content }) => content).join("\n");

describe("the prompts of any history, in any window of 4 096 tokens and more", () => {
  test("never exceed the window", () =>
    fc.assert(
      fc.property(anyHistory, (history) => {
        for (const { tokens } of played(history)) expect(tokens).toBeLessThanOrEqual(history.windowTokens);
      }),
      { numRuns: 40 },
    ));

  test("hold goal, constraints, subtask, what people said and what they decided", () =>
    fc.assert(
      fc.property(anyHistory, (history) => {
        for (const { prompt, instructions, decisions } of played(history)) {
          const text = textOf(prompt);
          const pins = [goal, constraint, "SUBTASK: the first hill.", ...instructions, ...decisions];
          expect(pins.filter((pin) => !text.includes(pin))).toEqual([]);
        }
      }),
      { numRuns: 30 },
    ));

  test("only grow within an epoch, and each answers every call with one result", () =>
    fc.assert(
      fc.property(anyHistory, (history) => {
        const told = played(history);
        for (const [index, { prompt, epoch }] of told.entries()) {
          const before = told[index - 1];
          const grown = before?.epoch === epoch ? before.prompt : [];
          expect(prompt.slice(0, grown.length)).toEqual(grown);
          const asked = prompt.flatMap((message) => (message.role === "assistant" ? (message.toolCalls ?? []) : []));
          const answered = prompt.flatMap((message) => (message.role === "tool" ? [message.toolCallId] : []));
          expect(answered).toEqual(asked.map(({ id }) => id));
        }
      }),
      { numRuns: 30 },
    ));

  test("are the same when the same history is played again", () =>
    fc.assert(
      fc.property(anyHistory, (history) => {
        expect(played(history)).toEqual(played(history));
      }),
      { numRuns: 10 },
    ));
});

describe("decisions of people", () => {
  const outcome = (turn: number, decision: string, size: number): Outcome => ({
    text: sentence(turn, size),
    artifact: `art_a_1_${turn}_1`,
    isPart: false,
    line: `turn ${turn}: shell_execute → done`,
    tool: "shell_execute",
    success: true,
    changed: [],
    decision,
  });
  const reply = (turn: number): Reply => ({
    text: "",
    toolCalls: [{ id: `c${turn}`, name: "shell_execute", arguments: {} }],
    finish: "tool_calls",
    model: "m",
    repaired: [],
  });

  test("stand in every epoch after the one in which they were made", () => {
    const conversation = new Conversation({ system: goal, user: "S", windowTokens: 6000, bytesPerToken: 3 }, tools);
    conversation.acted(reply(0), [outcome(0, "asked for a colour, a person answered: green", 10)]);
    const epochs = new Set<number>();
    for (let turn = 1; turn < 40; turn += 1) {
      conversation.acted(reply(turn), [outcome(turn, "", 4000)]);
      const plan = conversation.isFull() ? conversation.nextEpoch() : null;
      if (plan !== null) conversation.begin(plan, null, () => "");
      epochs.add(conversation.epoch);
      expect(conversation.epoch === 1 || textOf(conversation.messages()).includes("a person answered: green")).toBe(
        true,
      );
    }
    expect(epochs.size).toBeGreaterThan(4);
  });

  test("are not shown by an epoch that would gain nothing", () => {
    const conversation = new Conversation(
      { system: "s ".repeat(40_000), user: "S", windowTokens: 6000, bytesPerToken: 3 },
      tools,
    );
    conversation.instruct("Mind the gap.");
    expect(conversation.isFull()).toBe(true);
    expect(conversation.nextEpoch()).toBeNull();
  });

  test("that come with a step too long to keep do not cost its result", () => {
    const conversation = new Conversation(
      { system: "s ".repeat(4000), user: "S", windowTokens: 6000, bytesPerToken: 3 },
      tools,
    );
    conversation.acted({ ...reply(1), text: sentence(1, 9000) }, [outcome(1, "", 6000)]);
    const plan = conversation.nextEpoch();
    if (plan === null) throw new Error("A long step must be put away");
    conversation.begin(plan, null, () => "");
    const text = textOf(conversation.messages());
    expect(text).toContain("What the last step gave; you have not seen it yet\n1. shell_execute:\n1: some words");
    expect(text).toContain('read_artifact {"id":"art_a_1_1_1"}');
  });
});
