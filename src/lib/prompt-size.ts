/**
 * The size of what is sent to a model: bytes, but as if no text were denser than code is. Numbers, hashes and symbols have a
 * token for nearly every character, and would be taken for a third of what they cost. Each message and tool is measured once.
 */
import type { JsonObject } from "./json.ts";

interface SizedMessage {
  readonly content: string;
  readonly toolCalls?: readonly object[];
}

/** Of code, in the tokenizers of today; what dense text is measured in. */
export const bytesPerTokenOfCode = 3;

const sizes = new WeakMap<object, number>();

export function messageSize(message: SizedMessage): number {
  return once(message, ({ content, toolCalls }) => {
    return textSize(content) + (toolCalls === undefined ? 0 : textSize(JSON.stringify(toolCalls)));
  });
}

/** Of anything that is sent as JSON: a tool, a schema. Its symbols come in pairs that tokenizers know well. */
export function jsonSize(value: object): number {
  return once(value, (whole) => Buffer.byteLength(JSON.stringify(whole)));
}

export function textSize(text: string): number {
  return Math.max(Buffer.byteLength(text), Math.ceil(densityTokens(text) * bytesPerTokenOfCode));
}

const lettersInToken = 5;
const spacesInToken = 4;
/** Of what stands beyond ASCII: a Chinese character, half an emoji. */
const tokensBeyondAscii = 0.8;
const tokensOfSymbol = 0.8;

/** What a careful tokenizer would make of it: words in pieces, digits one by one, runs of one symbol as few. */
function densityTokens(text: string): number {
  let tokens = 0;
  let run = 0;
  let kind: Kind = Kind.none;
  let last = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const now = code < 0x80 ? (asciiKinds[code] as Kind) : Kind.beyond;
    if (now === kind && (now === Kind.letter || now === Kind.space || code === last)) {
      run += 1;
      continue;
    }
    tokens += tokensOfRun(kind, run);
    run = 1;
    kind = now;
    last = code;
  }
  return tokens + tokensOfRun(kind, run);
}

const Kind = { none: 0, letter: 1, digit: 2, space: 3, newline: 4, symbol: 5, beyond: 6 } as const;
type Kind = (typeof Kind)[keyof typeof Kind];

/** Of a character of ASCII. */
function kindOf(code: number): Kind {
  if (code === 0x20 || code === 0x09) return Kind.space;
  if (code === 0x0a || code === 0x0d) return Kind.newline;
  if (code >= 0x30 && code <= 0x39) return Kind.digit;
  const lower = code | 0x20;
  if (lower >= 0x61 && lower <= 0x7a) return Kind.letter;
  return Kind.symbol;
}

/** Every character of every prompt is looked up. */
const asciiKinds = Uint8Array.from({ length: 0x80 }, (_, code) => kindOf(code));

/** Digits stand alone in many tokenizers, however often they repeat. */
function tokensOfRun(kind: Kind, run: number): number {
  if (kind === Kind.letter) return Math.ceil(run / lettersInToken);
  if (kind === Kind.digit) return run;
  if (kind === Kind.beyond) return run * tokensBeyondAscii;
  if (kind === Kind.space) return run === 1 ? 0 : Math.ceil(run / spacesInToken);
  return kind === Kind.none ? 0 : Math.ceil(run / spacesInToken) * tokensOfSymbol;
}

function once<T extends object>(value: T, measure: (value: T) => number): number {
  const known = sizes.get(value);
  if (known !== undefined) return known;
  const size = measure(value);
  sizes.set(value, size);
  return size;
}

interface Offered {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonObject;
}

const offered = new WeakMap<object, Offered>();

/** @returns of a tool what a request that offers it holds, always the same object for the same tool */
export function asOffered(tool: Offered): Offered {
  const known = offered.get(tool);
  if (known !== undefined) return known;
  const { name, description, parameters } = tool;
  const made = { name, description, parameters };
  offered.set(tool, made);
  return made;
}
