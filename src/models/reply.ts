/** From what came over the wire to what the roles get: thoughts left out, calls read whatever their syntax and given ids, every repair named. */
import type { CallUsage } from "../domain/budget.ts";
import { repetitionCut, type ToolProtocol } from "../domain/protocol.ts";
import { canonicalJson, parseJson } from "../lib/json.ts";
import type { ModelReply, ModelRequest, ToolCall, ToolSchema } from "../ports/model.ts";
import type { RawReply } from "./guarded.ts";
import { withoutThinking } from "./json-reading.ts";
import { hearJson } from "./protocol.ts";
import { sampleArguments } from "./protocol-guide.ts";
import { type ToolBlock, toolBlockIn } from "./protocol-text.ts";
import { type ReadCall, type ReadReply, readReply, type UnreadCall } from "./replies/read-reply.ts";
import { type Shaped, shapeArguments } from "./replies/shape.ts";
import { Source } from "./replies/source.ts";
import type { RawCall } from "./wire.ts";

export interface ReplyContext {
  readonly request: ModelRequest;
  /** What the request was translated to, and so is the reply. */
  readonly protocol: ToolProtocol;
  readonly usage: CallUsage;
  readonly model: string;
}

type Answer = Pick<ModelReply, "text" | "toolCalls" | "finish" | "repaired">;

export function replyOf(raw: RawReply, { request, protocol, usage, model }: ReplyContext): ModelReply {
  const answer = answerOf(raw, request, protocol);
  const repaired = raw.left?.why === "repetition" ? [...answer.repaired, repetitionCut] : answer.repaired;
  return { ...answer, repaired, usage, model, ...(protocol === "native" ? {} : { protocol }) };
}

function answerOf(raw: RawReply, request: ModelRequest, protocol: ToolProtocol): Answer {
  const reader = new CallReader(request);
  const { rest, stripped } = withoutThinking(raw.text);
  const thinking = stripped ? ["thinking_stripped"] : [];
  const offersTools = (request.tools ?? []).length > 0 && request.schema === undefined;
  if (raw.calls.length > 0) return reader.native(raw, offersTools);
  const isStep = protocol !== "native" && request.schema === undefined;
  const block = isStep && offersTools ? toolBlockIn(rest, raw.finish === "length") : null;
  if (block !== null) return withRepairs(reader.block(block), thinking);
  if (isStep) {
    const heard = hearJson({ text: rest, finish: raw.finish }, () => reader.id(""));
    if (isHeard(heard, rest)) return { ...heard, repaired: [...thinking, ...heard.repaired] };
  }
  if (!offersTools) return { text: rest, toolCalls: [], finish: raw.finish, repaired: thinking };
  return reader.fromText(raw);
}

function withRepairs(answer: Answer, before: readonly string[]): Answer {
  return { ...answer, repaired: [...before, ...answer.repaired] };
}

/** A step that was mended may have lost a part of itself: that is for the reader to judge, who knows the tools. */
function isHeard({ text, toolCalls, repaired }: Answer, rest: string): boolean {
  return toolCalls.length > 0 ? repaired.every((rule) => rule === "fence_removed") : text !== rest;
}

const cutArguments: Shaped = { kind: "fault", what: "the arguments are cut" };

class CallReader {
  readonly #request: ModelRequest;
  readonly #source: Source;
  readonly #taken: Set<string>;
  readonly #turn: number;
  #count = 0;

  constructor(request: ModelRequest) {
    const turns = request.messages.filter((message) => message.role === "assistant");
    this.#request = request;
    this.#source = new Source("", request.tools ?? []);
    this.#turn = turns.length;
    this.#taken = new Set(turns.flatMap(({ toolCalls = [] }) => toolCalls.map(({ id }) => id)));
  }

  /** Unique within the conversation: the server's own where it gives good ones, else made of turn and place. */
  id(given: string): string {
    let id = given;
    while (id === "" || this.#taken.has(id)) {
      id = `call_${this.#turn}_${this.#count}`;
      this.#count += 1;
    }
    this.#taken.add(id);
    return id;
  }

  /** Calls that the server read; what its text leaks beside them is not run, for nobody knows where in their order it belongs. */
  native(raw: RawReply, offersTools: boolean): Answer {
    const calls = raw.calls.map((call) => this.#native(call, raw.finish === "length"));
    const read = offersTools ? this.#read(raw) : null;
    const known = new Set(calls.map(keyOf));
    const leaked = (read?.calls ?? []).filter((call) => call.kind === "call").filter((call) => !known.has(keyOf(call)));
    const beside = leaked.map(({ name }) =>
      this.#refused(
        name,
        "",
        "it came as text beside calls in the right form and was not run; call it again if it is still wanted",
      ),
    );
    return this.#answer(raw, read?.text ?? withoutThinking(raw.text).rest, [...calls, ...beside], read?.repaired ?? []);
  }

  fromText(raw: RawReply): Answer {
    const read = this.#read(raw);
    // Nothing in it is whole: the caller says so, and asks for less at once.
    const isLost = raw.finish === "length" && read.calls.every(({ kind }) => kind === "unread");
    if (isLost) return this.#answer(raw, withoutThinking(raw.text).rest, [], read.repaired);
    return this.#answer(
      raw,
      read.text,
      read.calls.map((call) => this.#fromText(call)),
      read.repaired,
    );
  }

  /** What stands behind the block is left out: what a model says after its call is made up, and it is not to read it again. */
  block({ before, body, isFollowed }: ToolBlock): Answer {
    const step = hearJson({ text: body, finish: "stop" }, () => this.id(""));
    const rest = isFollowed ? ["tail_removed"] : [];
    if (isHeard(step, body) && step.toolCalls.length === 0) return { ...step, repaired: [...step.repaired, ...rest] };
    const text = before;
    if (isHeard(step, body)) return { ...step, text, repaired: [...step.repaired, ...rest] };
    const [first] = readReply(body, this.#request.tools ?? []).calls;
    const call =
      first === undefined
        ? this.#refused(null, body, 'the block holds no JSON object with the name of a tool in its member "tool"')
        : this.#fromText(first);
    const repaired = [...new Set([...(call.repaired ?? []), ...rest])];
    return { text, toolCalls: [call], finish: "tool_calls", repaired };
  }

  #read(raw: RawReply): ReadReply {
    return readReply(raw.text, this.#request.tools ?? [], raw.finish === "length");
  }

  #fromText(call: ReadCall | UnreadCall): ToolCall {
    const repaired = ["tool_call_from_text", `format_${call.format}`];
    if (call.kind === "unread") return { ...this.#refused(call.name, call.text, call.what), repaired };
    return { id: this.id(""), name: call.name, arguments: call.arguments, repaired: [...repaired, ...call.repaired] };
  }

  #native({ id, name: written, arguments: args }: RawCall, isCut: boolean): ToolCall {
    // gpt-oss lets its channel run into the name.
    const cleaned = written.split("<|", 1)[0]?.trim() ?? written;
    const tool = this.#source.tool(cleaned);
    const name = tool?.name ?? cleaned;
    // Mending what was cut would run a call of which a part is missing.
    const isLost = isCut && typeof args === "string" && parseJson(args) === undefined;
    const shaped = isLost ? cutArguments : shapeArguments(args, tool);
    const renamed = name === written ? [] : ["name_mapped"];
    if (shaped.kind === "fault") {
      const error = `${name}: ${shaped.what}. ${rightForm(tool, this.#request.tools ?? [])}`;
      return { id: this.id(id), name, arguments: typeof args === "string" ? args : "", error };
    }
    const repaired = [...renamed, ...shaped.repaired];
    return { id: this.id(id), name, arguments: shaped.value, ...(repaired.length === 0 ? {} : { repaired }) };
  }

  #refused(written: string | null, text: string, what: string): ToolCall {
    const tool = written === null ? null : this.#source.tool(written);
    const name = tool?.name ?? written;
    return {
      id: this.id(""),
      // Servers take only plain names in a history.
      name: (name ?? "unknown_tool").replaceAll(/[^\w-]/g, "_").slice(0, 64),
      arguments: text,
      error: `The call${name === null ? "" : ` of ${name.slice(0, 100)}`} was not run: ${what}. ${rightForm(tool, this.#request.tools ?? [])}`,
    };
  }

  #answer({ finish }: RawReply, text: string, toolCalls: readonly ToolCall[], repaired: readonly string[]): Answer {
    return {
      text,
      toolCalls,
      finish: finish === "stop" && toolCalls.length > 0 ? "tool_calls" : finish,
      repaired: [...new Set([...repaired, ...toolCalls.flatMap((call) => call.repaired ?? [])])],
    };
  }
}

function keyOf({ name, arguments: args }: Pick<ToolCall, "name" | "arguments">): string {
  return `${name} ${canonicalJson(args)}`;
}

function rightForm(tool: ToolSchema | null, offered: readonly ToolSchema[]): string {
  if (tool === null) return `The tools are: ${offered.map(({ name }) => name).join(", ")}`;
  return `Right form of the arguments of ${tool.name}: ${JSON.stringify(sampleArguments(tool.parameters))}`;
}
