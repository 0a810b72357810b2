/**
 * The stretches of a reply, in order: what is call syntax, what is thought, what is data or code of its own (a fence, a JSON
 * answer), and where the model began to invent what its tools would answer. Judges nothing: whether a call is meant is said elsewhere.
 */

import { unreachable } from "../../lib/result.ts";
import { type Format, formats } from "./formats.ts";
import type { Block, Found } from "./found.ts";
import { broken } from "./found.ts";
import { readReact } from "./react.ts";
import type { Source } from "./source.ts";
import { nameIn, readBodies } from "./wrapped.ts";

export interface Act {
  readonly kind: "act";
  readonly start: number;
  readonly end: number;
  readonly found: readonly Found[];
  readonly format: string;
  /** `marked`: by marks that a family uses for nothing else; `bare`: an object; `sole`: only as all of the reply. */
  readonly strength: "marked" | "bare" | "sole";
}

export interface Stretch {
  /** `invented`: an answer of a tool, or a person's next word, that the model wrote itself. */
  readonly kind: "thinking" | "opaque" | "invented";
  readonly start: number;
  readonly end: number;
}

export type Span = Act | Stretch;

const thinkingNames = "think|thinking|thought|reasoning|reflection|scratchpad|seed:think";
const spansMax = 500;

type Mark = "thinking" | "analysis" | "thought" | "invented" | "fence" | "react" | "bare" | "sole";
const marks: readonly (readonly [kind: Mark, pattern: string])[] = [
  ["thinking", `(?<=^\\uFEFF?|\\n|>)[ \\t]*(?:<(?:${thinkingNames})>|\\[THINK\\]|<\\|START_THINKING\\|>|◁think▷)`],
  ["analysis", "(?:<\\|start\\|>assistant)?<\\|channel\\|>analysis<\\|message\\|>"],
  ["thought", `<\\/(?:${thinkingNames})>|\\[\\/THINK\\]|<\\|END_THINKING\\|>|◁\\/think▷`],
  [
    "invented",
    "<(?:tool_response|tool_result|function_response|function_results|tool_output|observation)>|<\\|tool_response\\|>|\\[TOOL_RESULTS\\]|<\\|im_start\\|>(?:user|tool)|<\\|start_header_id\\|>(?:user|ipython|tool)|<start_of_turn>user|<\\|start\\|>functions\\.|<[|｜]tool[▁_]outputs[▁_]begin[|｜]>|(?<=\\n)[ \\t]{0,8}\\**(?:Observation|Human|User|Result of \\w{1,60})\\**:",
  ],
  ["fence", "(?<=^\\uFEFF?|\\n)[ \\t]{0,8}```"],
  ["react", "(?<=^\\uFEFF?|\\n)[ \\t]{0,8}\\**Action\\**[ \\t]{0,4}:"],
  ["bare", '(?<=^\\uFEFF?|\\n|[:.!?,)>] ?)[ \\t]{0,8}(?=[{[])|(?<=^\\uFEFF?)\\s{0,8}(?="\\{)'],
  ["sole", "(?<=^\\uFEFF?|\\n)[A-Za-z_][\\w.]{0,60}(?=\\s{0,3}[({])"],
];
const closers: readonly (readonly [open: RegExp, close: string])[] = [
  [/\[THINK\]/, "[/THINK]"],
  [/START_THINKING/, "<|END_THINKING|>"],
  [/◁/, "◁/think▷"],
];

const first = '(?=[\\s<[`{"\u25c1*a-zA-Z_])';
const pattern = `${first}(?:${[...formats.map(({ open }) => `(${open})`), ...marks.map(([, mark]) => `(${mark})`)].join("|")})`;

/** Languages of fences in which calls come; what is in another is code. */
const callLanguages =
  /^(?:json[5c]?|tool|tool_calls?|tool_code|tool_use|function_calls?|action|xml|text|txt|plaintext)?$/i;
const toolLanguages = /^(?:tool|tool_calls?|tool_code|tool_use|function_calls?|action)$/i;

export interface Scan {
  readonly spans: readonly Span[];
  /** There was more in it than is worth telling apart: what follows the last span was not looked at. */
  readonly isTangled: boolean;
}

export function scan(source: Source): Scan {
  const spans = new Scanner(source).spans();
  return { spans, isTangled: source.isSpent || spans.length >= spansMax };
}

class Scanner {
  readonly #source: Source;
  readonly #marks = new RegExp(pattern, "gi");
  #spans: Span[] = [];

  constructor(source: Source) {
    this.#source = source;
  }

  spans(): Span[] {
    const { text } = this.#source;
    for (let mark = this.#marks.exec(text); mark !== null && !this.#isEnough(); mark = this.#marks.exec(text)) {
      const span = this.#spanAt(mark);
      if (span !== null) this.#add(span);
      const next = span?.end ?? mark.index + mark[0].length;
      this.#marks.lastIndex = Math.max(next, mark.index + (span === null && mark[0].length === 0 ? 1 : 0));
      if (this.#marks.lastIndex === mark.index && span !== null) this.#marks.lastIndex += 1;
    }
    return this.#spans;
  }

  /** Of one reply: what has more in it is no reply, and stays text from there. */
  #isEnough(): boolean {
    return this.#source.isSpent || this.#spans.length >= spansMax;
  }

  #add(span: Span): void {
    // A closing tag alone means that the template had opened it: all before was thought.
    if (span.kind === "thinking" && span.start === 0) this.#spans = [];
    this.#spans.push(span);
  }

  #spanAt(mark: RegExpExecArray): Span | null {
    const group = mark.slice(1).findIndex((part) => part !== undefined);
    const [kind] = marks[group - formats.length] ?? [];
    const start = mark.index;
    const after = start + mark[0].length;
    switch (kind) {
      case "thinking":
      case "analysis":
        return { kind: "thinking", start, end: this.#thoughtEnd(kind, mark[0], after) };
      case "thought":
        return { kind: "thinking", start: 0, end: after };
      case "invented":
        return { kind: "invented", start, end: after };
      case "fence":
        return this.#fence(start, after);
      case "react":
        return this.#react(start, after);
      case "bare":
        return this.#bare(after);
      case "sole":
        return this.#sole(start);
      case undefined:
        return this.#formatted(formats[group], start, after);
      default:
        return unreachable(kind);
    }
  }

  #thoughtEnd(kind: string, open: string, from: number): number {
    const { text } = this.#source;
    if (kind === "analysis") {
      const end = ["<|end|>", "<|start|>", "<|channel|>"]
        .map((close) => this.#source.find(close, from))
        .filter((at) => at !== -1);
      return end.length === 0 ? text.length : Math.min(...end);
    }
    const close = closers.find(([mark]) => mark.test(open))?.[1] ?? open.trim().replace("<", "</");
    const at = this.#source.find(close, from);
    return at === -1 ? text.length : at + close.length;
  }

  #formatted(format: Format | undefined, start: number, after: number): Span | null {
    if (format === undefined) return null;
    const { text } = this.#source;
    const block = readBodies(this.#source, after, true);
    if (block === null) return null;
    const closed = format.close === undefined ? null : this.#source.match(format.close, block.end);
    const act = { kind: "act", start, format: format.name, strength: "marked" } as const;
    const isUnclosed = format.mustClose === true && closed === null;
    const found = isUnclosed ? [broken(nameOf(block), "its closing mark is missing")] : block.found;
    if (found.some(({ kind }) => kind === "broken"))
      return { ...act, found, end: this.#behindBroken(format, block.end) };
    const end = block.end + (closed?.[0].length ?? 0);
    // Text between the call and its closing tag is no part of any syntax.
    const isForeign =
      format.close !== undefined && closed === null && !/^\s*(?:$|[<[`])/.test(text.slice(end, end + 200));
    if (isForeign && format.name === "hermes" && this.#closesLater(format, end)) return null;
    return { ...act, found, end };
  }

  /**
   * Where to go on behind a call that cannot be read. What follows may be its content: only where tags close and open in
   * turn to the end is the next one a call of its own.
   */
  #behindBroken(format: Format, from: number): number {
    const { text } = this.#source;
    const name = /^<([\w:]+)/.exec(format.open)?.[1];
    if (name === undefined) return text.length;
    const tags = [...text.slice(from).matchAll(new RegExp(`<(/?)${name}>`, "g"))];
    this.#source.spend(text.length - from);
    const inTurn = tags.every(({ 1: slash }, index) => (slash === "/") === (index % 2 === 0));
    const [first] = tags;
    return first === undefined || !inTurn || tags.length % 2 === 0 ? text.length : from + first.index + first[0].length;
  }

  #closesLater({ open }: Format, from: number): boolean {
    const name = /^<([\w:]+)/.exec(open)?.[1] ?? "";
    const close = this.#source.find(`</${name}>`, from);
    const next = this.#source.find(`<${name}>`, from);
    return close !== -1 && (next === -1 || close < next);
  }

  #fence(start: number, after: number): Span {
    const { text } = this.#source;
    const info = this.#source.match(/([\w+-]{0,30})[^\n`]{0,200}(?:\n|$)/y, after);
    const language = info?.[1] ?? "";
    const from = after + (info?.[0].length ?? 0);
    const act = callLanguages.test(language) ? this.#fencedAct(start, from, toolLanguages.test(language)) : null;
    if (act !== null) return act;
    const unread = callLanguages.test(language) ? this.#unreadFence(start, from) : null;
    if (unread !== null) return unread;
    for (
      let at = this.#source.find("\n```", Math.max(0, from - 1));
      at !== -1;
      at = this.#source.find("\n```", at + 1)
    ) {
      if (/^[ \t]*(?:\n|\r|$)/.test(text.slice(at + 4, at + 60))) return { kind: "opaque", start, end: at + 4 };
    }
    return { kind: "opaque", start, end: text.length };
  }

  /** A call in a fence that cannot be read, up to the fence's end; to that of the text where the call may hold fences. */
  #unreadFence(start: number, from: number): Act | null {
    const { text } = this.#source;
    const name = nameIn(this.#source, from);
    if (name === null || this.#source.tool(name) === null) return null;
    const json = this.#source.json(from);
    if (json.kind === "value") return null;
    const fences = [...text.slice(from).matchAll(/\n[ \t]{0,8}```/g)];
    this.#source.spend(text.length - from);
    const [first] = fences;
    const end = first === undefined || fences.length % 2 === 0 ? text.length : from + first.index + first[0].length;
    return { kind: "act", start, end, found: [broken(name, json.what)], format: "json", strength: "bare" };
  }

  #fencedAct(start: number, from: number, isTagged: boolean): Act | null {
    const { text } = this.#source;
    const at = this.#source.skipSpace(from);
    const marked = text[at] === "`" ? null : this.#markedAt(at);
    const block = marked === null ? readBodies(this.#source, at, isTagged) : this.#run(marked);
    if (block === null) return null;
    const isBroken = block.found.some(({ kind }) => kind === "broken");
    const closed = this.#source.match(/\s*```/y, block.end);
    if (!isBroken && closed === null && text.slice(block.end, block.end + 1000).trim() !== "") return null;
    const end = closed === null ? text.length : block.end + closed[0].length;
    const format = marked?.format ?? (isTagged ? "tool_code" : "json");
    return { kind: "act", start, end, found: block.found, format, strength: isTagged ? "marked" : "bare" };
  }

  #markedAt(at: number): Act | null {
    this.#marks.lastIndex = at;
    const mark = this.#marks.exec(this.#source.text);
    const span = mark === null || mark.index !== at || this.#source.isSpent ? null : this.#spanAt(mark);
    return span?.kind === "act" && span.strength === "marked" ? span : null;
  }

  /** Marked calls one after the other. */
  #run(act: Act): { readonly found: readonly Found[]; readonly end: number } {
    const found: Found[] = [];
    let { end } = act;
    for (let next: Act | null = act; next !== null; next = this.#markedAt(this.#source.skipSpace(end))) {
      found.push(...next.found);
      end = next.end;
    }
    return { found, end };
  }

  #react(start: number, after: number): Span | null {
    const block = readReact(this.#source, after);
    return block === null ? null : { kind: "act", start, ...this.#toEnd(block), format: "react", strength: "marked" };
  }

  /** Behind what cannot be read and has no closing mark, all may be its content. */
  #toEnd(block: Block): Block {
    const isBroken = block.found.some(({ kind }) => kind === "broken");
    return isBroken ? { ...block, end: this.#source.text.length } : block;
  }

  /** An object or a list: a call, or data of which no part is one. */
  #bare(start: number): Span | null {
    const block = readBodies(this.#source, start, false);
    if (block !== null) return { kind: "act", start, ...this.#toEnd(block), format: "json", strength: "bare" };
    const json = this.#source.json(start);
    if (json.kind === "value") return { kind: "opaque", start, end: json.end };
    const name = nameIn(this.#source, start);
    if (name === null || this.#source.tool(name) === null) return this.#unreadable(start);
    const found = [broken(name, json.what)];
    return { kind: "act", start, end: this.#source.text.length, found, format: "json", strength: "bare" };
  }

  /** A reply that is an object, though not one that can be read: no part of it is an act. */
  #unreadable(start: number): Span | null {
    const { text } = this.#source;
    const isAll = text.slice(0, start).trim() === "" && this.#source.match(/\{\s*"[^"\n]{0,80}"\s*:/y, start) !== null;
    return isAll ? { kind: "opaque", start, end: text.length } : null;
  }

  #sole(start: number): Span | null {
    const name = this.#source.match(/[\w.]{1,80}/y, start)?.[0] ?? "";
    if (this.#source.tool(name) === null) return null;
    const block = readBodies(this.#source, start, true);
    return block === null ? null : { kind: "act", start, ...this.#toEnd(block), format: "python", strength: "sole" };
  }
}

function nameOf({ found: [first] }: Block): string | null {
  return first?.name ?? null;
}
