/**
 * Whether call syntax in a reply is the reply's act, or is only considered, shown or contained. What decides stands around it:
 * a sentence that goes on behind it, a quotation, a lead that speaks of an example, an element or a document that holds it.
 */
import { formats } from "./formats.ts";
import type { Act, Span } from "./scan.ts";

/** End marks and stray closing tags: nothing that is said. */
const noise =
  /<\|(?:im_end|im_start|eot_id|eom_id|end|call|return|endoftext|end_of_turn|python_end|tool_calls_section_(?:begin|end)|tool_call_end|START_RESPONSE|END_RESPONSE|END_OF_TURN_TOKEN|start_of_role|end_of_role|end_of_text)\|>(?:assistant)?|<\|(?:channel|start)\|>(?:assistant|commentary|final)?|<\|message\|>|<\/?s>|<(?:start|end)_of_turn>(?:model)?|\[\/?(?:TOOL_CALLS|INST)\]|<[|｜]\/?[a-zA-Z▁_]{1,40}[|｜]>|<\/?｜DSML｜function_calls>|<\/?(?:[a-z]{1,12}:)?(?:tool_calls?|function_calls?|tools?|function|invoke|parameter|toolcall|functioncall|tool_use|arg_value)>/g;

/** The model speaks of a call and does not make it, whatever else it says. */
const shows =
  /\b(?:for example|for instance|e\.g\.|such as|like (?:this|so|the following)|looks? like|would(?! like to)|could|might|you (?:can|may|should|must|need|have to|write|call|run|get)|(?:do not|don't|don’t|never|should not|shouldn't|must not|won't|will not|not going to) (?:\w+ )?(?:call|run|use|write|send|do|emit|execute|make)|instead of|hypothetical\w*|imagine|suppose|pretend|considered|thought (?:of|about)|thinking (?:of|about)|tempted|was called|i (?:called|used|ran|tried|made|sent|wrote)|called with|quot(?:e[sd]?|ing)|transcript|illustrat\w+|demonstrat\w+|alternatively|if (?:you|i) (?:want|wanted|need|were)|says?|said|reads?:|contains?|is (?:how|what)|means|what (?:i|we) (?:did|called|ran|used|sent)|please (?:call|run|use|send|execute))\b|^(?=.*:$)(?!.*\b(?:next|action|step)\b)(?:.*\b(?:is|was|are|were)(?: now)?:$|.*\bi(?:'ve|’ve| have)? (?:just )?(?:added|put|wrote|documented|inserted|included|updated|saved|replaced|changed)\b)/i;
/** It may speak of one; what it does next may be named so too. */
const mayShow =
  /\b(?:examples?|sample|format|syntax|form|template|schema|usage|documentation|docs|definition|readme|option|previous(?:ly)?|earlier|already|had|wrong|invalid|incorrect|explain\w*|show\w*|describe\w*|here (?:is|are) (?:how|what)|document(?:s|ed)|mentioned|above|below)\b|^to \w.*\b(?:call|use|run|send|invoke|write)\b|^\W*(?:(?:model|tool|sample|raw) )?(?:input|output|result|response|request|answer|log|transcript)s?\W*$|[\w-]\.[a-z]{1,5}\W{0,3}:\W{0,3}$/i;
const performs =
  /\b(?:i(?:'|’)ll|i will|let me|let(?:'|’)s|i(?: am|'m|’m) (?:going to|now)|i(?: need| have|(?:'|’)d like| would like| want) to|now|calling|executing|running|proceed\w*|next|first|then|finally)\b/i;
const explains = /\b(?:show|explain|demonstrate|illustrate|describe|document)\b/i;
/** Talk about what stands before it. */
const about =
  /^(?:but|however|which|that|would|where|and (?:it|then|you)|is\b|this (?:is|would|will|call|form|shows?|example)|it (?:would|is)|the (?:above|call above|example)|as (?:shown|you|above)|or\b|instead)|\b(?:example|would|form|syntax|format|not (?:run|call|execut)\w*|instead|above|decided|won't|will not|hypothetical\w*|documentation)\b/i;
/** The model waits for what it called. */
const awaits =
  /^(?:now )?(?:i(?:'|’)ll wait|i will wait|i(?:'|’)m waiting|i am waiting|waiting|please wait|let me (?:wait|see)|once (?:i|this|that|the)|after (?:this|that|the|reading))\b[^\n]{0,200}$/i;
const quotePairs: Readonly<Record<string, string>> = {
  "`": "`",
  '"': '"',
  "'": "'",
  "“": "”",
  "‘": "’",
  "«": "»",
  "(": ")",
};
const leadCharsMax = 400;

/** @returns the acts that are meant, in order; none where the reply asks, or goes on to talk of what it shows */
export function performed(text: string, spans: readonly Span[]): Act[] {
  const isHeld = holding(containers(text, spans));
  const isSole = spans.every(({ kind }) => kind === "act" || kind === "thinking");
  const meant: Act[] = [];
  for (const [index, span] of spans.entries()) {
    if (span.kind === "invented") break;
    if (span.kind !== "act") continue;
    const around: Around = {
      text,
      span,
      lead: said(text.slice(spans[index - 1]?.end ?? 0, span.start)),
      trail: said(text.slice(span.end, spans[index + 1]?.start ?? text.length)),
      hasNext: spans.slice(index + 1, index + 2).some(({ kind }) => kind === "act" || kind === "invented"),
      isSole,
    };
    if (!isHeld(span.start) && isMeant(around)) meant.push(span);
  }
  return meant;
}

/** What is left of a reply when its calls and its thoughts are taken away. */
export function said(prose: string): string {
  return prose.replaceAll(noise, "");
}

interface Around {
  readonly text: string;
  readonly span: Act;
  readonly lead: string;
  readonly trail: string;
  /** Another act stands behind it, so that what follows leads to that. */
  readonly hasNext: boolean;
  readonly isSole: boolean;
}

function isMeant(around: Around): boolean {
  const { text, span, lead, trail, isSole } = around;
  const before = text[span.start - 1] ?? "";
  if (quotePairs[before] !== undefined && quotePairs[before] === text[span.end]) return false;
  const lineBefore = lead.slice(lead.lastIndexOf("\n") + 1);
  const lineAfter = trail.split("\n", 1)[0] ?? "";
  if (lineBefore.trim() !== "" && lineAfter.trim() !== "") return false;
  if (/^\s*(?:>|\||\/\/|#|[*+-]\s|\d+[.)]\s)/.test(lineBefore)) return false;
  if (span.strength === "sole") return isSole && lead.trim() === "" && trail.trim() === "";
  return !isShownBy(lead) && !isTalkedOf(around);
}

function isShownBy(lead: string): boolean {
  const sentence = lastSentence(lead);
  if (/^\**Thought\**:/im.test(lead.slice(-leadCharsMax)) && !/\b(?:example|considered)\b/i.test(sentence))
    return false;
  if (shows.test(sentence) || sentence.endsWith("?")) return true;
  return mayShow.test(sentence) && (!performs.test(sentence) || explains.test(sentence));
}

function isTalkedOf({ span, trail, hasNext }: Around): boolean {
  const talk = trail.trim();
  if (talk === "") return false;
  const first = talk.slice(0, leadCharsMax);
  if (about.test(first.split(/(?<=[.!?])\s/, 1)[0] ?? "") || /\?\s*$/.test(talk.slice(-leadCharsMax))) return true;
  if (span.strength === "marked") return /^[a-z]/.test(trail);
  return !hasNext && !awaits.test(talk);
}

function lastSentence(lead: string): string {
  const end = lead.slice(-leadCharsMax).trim();
  const parts = end.split(/(?<=[.!?])\s+(?=\S)|\n{2,}/);
  const last = parts.at(-1) ?? "";
  // A colon, or a word, leads on from the sentence before it.
  return last.length < 12 && parts.length > 1 ? `${parts.at(-2) ?? ""} ${last}` : last;
}

const ownTags: ReadonlySet<string> = new Set([
  ...formats.flatMap(({ open }) => /^<(?:\w+:)?(\w+)/.exec(open)?.[1] ?? []),
  "function",
  "parameter",
  "invoke",
  "answer",
  "response",
  "assistant",
]);

interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** Elements that hold something: what opens in the prose and closes further on. */
function containers(text: string, spans: readonly Span[]): Stretch[] {
  const opened = new Map<string, number>();
  const held: Stretch[] = [];
  for (const { name, at, isEnd } of tagsOf(text, spans)) {
    const start = opened.get(name);
    if (!isEnd) opened.set(name, start ?? at);
    else if (start !== undefined) {
      opened.delete(name);
      held.push({ start, end: at });
    }
  }
  return held;
}

/** Tags between the spans, but for those that are call syntax. */
function tagsOf(text: string, spans: readonly Span[]): { name: string; at: number; isEnd: boolean }[] {
  const starts = [0, ...spans.map(({ end }) => end)];
  return starts.flatMap((from, index) =>
    [...text.slice(from, spans[index]?.start).matchAll(/<(\/?)([A-Za-z][\w:-]{0,40})(?:\s[^<>]{0,200})?>/g)]
      .map(({ 1: slash, 2: name = "", index: at }) => ({ name, at: from + at, isEnd: slash === "/" }))
      .filter(({ name }) => !ownTags.has(name.replace(/^[\w-]+:/, ""))),
  );
}

/** @returns whether a place is held; to be asked in order */
function holding(held: readonly Stretch[]): (at: number) => boolean {
  const byStart = held.toSorted((a, b) => a.start - b.start);
  let next = 0;
  let end = 0;
  return (at) => {
    for (; (byStart[next]?.start ?? at) < at; next += 1) end = Math.max(end, byStart[next]?.end ?? 0);
    return end > at;
  };
}
