/** The calls that a reply's text performs, in order, each with the repairs it needed; the broken ones with what was wrong; and what else it says. */
import { canonicalJson, type JsonObject } from "../../lib/json.ts";
import type { ToolSchema } from "../../ports/model.ts";
import type { Found } from "./found.ts";
import { performed, said } from "./performed.ts";
import { type Act, type Span, scan } from "./scan.ts";
import { hasAll, shapeArguments } from "./shape.ts";
import { Source } from "./source.ts";

export interface ReadCall {
  readonly kind: "call";
  readonly name: string;
  readonly arguments: JsonObject;
  /** The family in whose syntax it came. */
  readonly format: string;
  /** Rules that made it a call, beyond its syntax. */
  readonly repaired: readonly string[];
}

export interface UnreadCall {
  readonly kind: "unread";
  /** Null where not even that could be read. */
  readonly name: string | null;
  readonly format: string;
  readonly what: string;
  /** How it began. */
  readonly text: string;
}

export interface ReadReply {
  readonly calls: readonly (ReadCall | UnreadCall)[];
  /** The reply without its calls and without thoughts. */
  readonly text: string;
  readonly repaired: readonly string[];
}

const shownCharsMax = 400;

/**
 * @param text a reply as it came, thoughts with it or not
 * @param isCut the server said that it stopped at its limit
 */
export function readReply(text: string, tools: readonly ToolSchema[], isCut = false): ReadReply {
  const source = new Source(text, tools);
  const { spans, isTangled } = scan(source);
  const acts = performed(text, spans);
  const [first] = acts;
  if (isTangled && first !== undefined) return { calls: [tangled(first, text)], text: "", repaired: [] };
  const calls = acts.flatMap((act) => act.found.map((found) => resolved(source, act, found, isCut)));
  const unique = onceOverFormats(calls);
  const thinking = spans.some(({ kind }) => kind === "thinking") ? ["thinking_stripped"] : [];
  return {
    calls: unique,
    text: remaining(text, spans, acts),
    repaired: [...thinking, ...(unique.length < calls.length ? ["duplicate_dropped"] : [])],
  };
}

/** What was not looked at may say that all of it was only thought. */
function tangled({ format, start }: Act, text: string): UnreadCall {
  const what = "the reply holds more calls, or pieces of them, than can be told apart; make a few at a time";
  return { kind: "unread", name: null, format, what, text: beginning(text, start, text.length) };
}

function beginning(text: string, start: number, end: number): string {
  return text.slice(start, Math.min(end, start + shownCharsMax)).replace(/[\uD800-\uDBFF]$/, "");
}

function resolved(source: Source, act: Act, found: Found, isCut: boolean): ReadCall | UnreadCall {
  const { format } = act;
  const unread = (what: string): UnreadCall => ({
    kind: "unread",
    name: found.name,
    format,
    what,
    text: beginning(source.text, act.start, act.end),
  });
  if (found.kind === "broken") return unread(found.what);
  const tool = source.tool(found.name);
  const shaped = shapeArguments(found.arguments, tool);
  if (shaped.kind === "fault") return unread(shaped.what);
  const isWhole = !found.isOpen || (!isCut && hasAll(shaped.value, tool));
  if (tool !== null && !isWhole) return unread("it is cut: the arguments are not closed, and more of them may be lost");
  const name = tool?.name ?? found.name;
  const renamed = name === found.name ? [] : ["name_mapped"];
  return {
    kind: "call",
    name,
    arguments: shaped.value,
    format,
    repaired: [...new Set([...found.repaired, ...renamed, ...shaped.repaired])],
  };
}

/** What comes in two formats is one call; what comes twice in one was meant twice. */
function onceOverFormats(calls: readonly (ReadCall | UnreadCall)[]): (ReadCall | UnreadCall)[] {
  const formatOf = new Map<string, string>();
  return calls.filter((call) => {
    if (call.kind === "unread") return true;
    const key = `${call.name} ${canonicalJson(call.arguments)}`;
    const known = formatOf.get(key) ?? call.format;
    formatOf.set(key, known);
    return known === call.format;
  });
}

/** Without calls, the text as it is but for thoughts. */
function remaining(text: string, spans: readonly Span[], acts: readonly Act[]): string {
  const invented =
    acts.length === 0 ? -1 : spans.findIndex(({ kind, start }) => kind === "invented" && start > (acts[0]?.start ?? 0));
  const end = invented === -1 ? text.length : (spans[invented]?.start ?? text.length);
  const performedActs = new Set<Span>(acts);
  const gone = spans.filter((span) => span.kind === "thinking" || (span.kind === "act" && performedActs.has(span)));
  const parts: string[] = [];
  let from = 0;
  for (const span of gone) {
    if (span.start >= end) break;
    parts.push(text.slice(from, span.start));
    from = span.end;
  }
  parts.push(text.slice(from, Math.max(from, end)));
  const left = parts.join("");
  if (acts.length > 0)
    return said(left)
      .replaceAll(/\n{3,}/g, "\n\n")
      .trim();
  return gone.length > 0
    ? left.replace(/^\s*(?:<\|(?:start|end)\|>(?:assistant)?)*<\|channel\|>final<\|message\|>/, "").trim()
    : text;
}
