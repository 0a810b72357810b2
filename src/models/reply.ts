/** From what came over the wire to what the roles get: thoughts left out, calls parsed, recovered and given ids, every repair named. */
import type { CallUsage } from "../domain/budget.ts";
import type { ModelReply, ModelRequest, ToolCall } from "../ports/model.ts";
import type { RawReply } from "./guarded.ts";
import { withoutThinking } from "./json-reading.ts";
import { hearJson } from "./protocol.ts";
import { callsInText, parseArguments, type Recovered } from "./structured.ts";

export interface ReplyContext {
  readonly request: ModelRequest;
  /** The request was translated to JSON by schema, and so is the reply. */
  readonly isJson: boolean;
  readonly usage: CallUsage;
  readonly model: string;
}

export function replyOf(raw: RawReply, { request, isJson, usage, model }: ReplyContext): ModelReply {
  const { rest, stripped } = withoutThinking(raw.text);
  const thinking = stripped ? ["thinking_stripped"] : [];
  const ids = new CallIds(request);
  if (isJson && request.schema === undefined && raw.calls.length === 0) {
    const heard = hearJson({ text: rest, finish: raw.finish }, () => ids.next(""));
    return { ...heard, repaired: [...thinking, ...heard.repaired], usage, model };
  }
  const recovered = recoveredFrom(raw, rest, request);
  const calls = recovered?.calls ?? raw.calls;
  const parsed = calls.map((call) => ({ call, ...parseArguments(call.arguments, raw.finish === "length") }));
  const toolCalls = parsed.map(
    ({ call, arguments: args }): ToolCall => ({ id: ids.next(call.id), name: call.name, arguments: args }),
  );
  return {
    text: recovered === null ? rest : "",
    toolCalls,
    finish: raw.finish === "stop" && toolCalls.length > 0 ? "tool_calls" : raw.finish,
    usage,
    model,
    repaired: [
      ...new Set([...thinking, ...(recovered?.repaired ?? []), ...parsed.flatMap(({ repaired }) => repaired)]),
    ],
  };
}

function recoveredFrom(raw: RawReply, text: string, { tools = [], schema }: ModelRequest): Recovered | null {
  const isCandidate = raw.calls.length === 0 && tools.length > 0 && schema === undefined && raw.finish !== "length";
  return isCandidate ? callsInText(text, tools) : null;
}

/** Ids unique within the conversation: the server's own where it gives good ones, else made of turn and place. */
class CallIds {
  readonly #taken: Set<string>;
  readonly #turn: number;
  #count = 0;

  constructor({ messages }: ModelRequest) {
    const turns = messages.filter((message) => message.role === "assistant");
    this.#turn = turns.length;
    this.#taken = new Set(turns.flatMap(({ toolCalls = [] }) => toolCalls.map(({ id }) => id)));
  }

  next(given: string): string {
    let id = given;
    while (id === "" || this.#taken.has(id)) {
      id = `call_${this.#turn}_${this.#count}`;
      this.#count += 1;
    }
    this.#taken.add(id);
    return id;
  }
}
