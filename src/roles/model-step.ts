/** One model call as one step of the journal, the same for every role; and what a model that cannot be had means for a report. */

import type { CallUsage, Reserved } from "../domain/budget.ts";
import type { EventOf } from "../domain/event.ts";
import type { ProtocolLowered, ToolProtocol } from "../domain/protocol.ts";
import type { Report, StepStartEvent } from "../domain/report.ts";
import type { Quote } from "../domain/reservation.ts";
import { LoomError } from "../lib/errors.ts";
import type { Json } from "../lib/json.ts";
import { asOffered } from "../lib/prompt-size.ts";
import type { Journal } from "../ports/journal.ts";
import type { Message, ModelPick, ModelReply, ModelRequest, Models, ModelTerms, ToolSchema } from "../ports/model.ts";
import type { Clock } from "../ports/runtime.ts";
import { PromptMeter } from "./context/prompt-meter.ts";
import { jsonOf, Reply } from "./records.ts";

export interface ModelStep {
  readonly step: string;
  readonly pick: ModelPick;
  readonly request: ModelRequest;
  readonly at: {
    readonly subtaskId?: string;
    readonly attempt: number;
    readonly iteration: number;
    readonly epoch?: number;
  };
  /** What the model counted for the beginning of this request: fewer now means that the rest was cut. */
  readonly growsFrom?: { readonly model: string; readonly tokens: number };
  readonly started?: Json;
  /** From this call on, for the reason that the event tells. */
  readonly lowered?: ProtocolLowered | undefined;
  readonly instructionSeqs?: readonly number[];
  readonly signal: AbortSignal;
  readonly onToken?: (text: string) => void;
  /** The reply that stands for an error of the call; null when the error is to be thrown. */
  readonly replyFor?: (error: unknown) => Reply | null;
  /** Of the conversation that this request goes on with; absent: it is the first of its own. */
  readonly meter?: PromptMeter;
}

export interface ModelStepPorts {
  readonly models: Pick<Models, "call" | "terms">;
  readonly clock: Pick<Clock, "now">;
}

/** @throws LoomError as `Models.call` does; StepRefused; the signal's reason */
export async function askModel(journal: Journal, ports: ModelStepPorts, ask: ModelStep): Promise<Reply> {
  const about = {
    type: "model_invocation" as const,
    ...(ask.at.subtaskId === undefined ? {} : { subtask_id: ask.at.subtaskId }),
    role: ask.pick.role,
    step: ask.step,
    attempt: ask.at.attempt,
    iteration: ask.at.iteration,
    ...(ask.at.epoch === undefined ? {} : { epoch: ask.at.epoch }),
  };
  const requestChars = charsOf(ask.request.messages, ask.request.tools);
  const meter = ask.meter ?? new PromptMeter();
  const quote = quoteOf(ports.models.terms(ask.pick), ask.request, meter);
  let made: Reply | null = null;
  const result = await journal.step(
    {
      step: ask.step,
      effectClass: "pure",
      event: { ...about, phase: "start", request_chars: requestChars, ...loweringOf(ask) },
      ...(ask.started === undefined ? {} : { started: ask.started }),
      ...(ask.instructionSeqs === undefined ? {} : { instructionSeqs: ask.instructionSeqs }),
      ...(quote === null ? {} : { quote }),
      failed: (error, started) => [{ ...about, phase: "failed", ...failureFacts(error, reservedBy(started)) }],
    },
    async (started) => {
      const began = ports.clock.now();
      const reply = await replyTo(ports, ask, reservedBy(started));
      made = reply;
      const spent = { duration_ms: ports.clock.now() - began, request_chars: requestChars };
      const done = { ...about, phase: "done" as const, ...spent, ...factsOf(reply) };
      return { result: jsonOf(reply), events: [done, ...truncation(ask, reply)] };
    },
  );
  // What was recorded is read as what it may be; what was just made is known.
  const reply: Reply = made ?? Reply.parse(result);
  meter.observe(ask.request, reply.usage);
  return reply;
}

function loweringOf({ lowered }: ModelStep): Partial<EventOf<"model_invocation">> {
  return lowered === undefined ? {} : { protocol_lowered: lowered };
}

function quoteOf(terms: ModelTerms | null, request: ModelRequest, meter: PromptMeter): Quote | null {
  if (terms === null) return null;
  const outputTokens = Math.min(request.maxTokens ?? terms.maxTokens, terms.maxTokens);
  const { examples = [], ...bare } = request;
  const isShown = terms.showsExamples || protocolOf(request.spoken) !== "native";
  const sent = isShown ? { ...bare, examples } : bare;
  return { inputTokens: meter.tokensOf(sent), outputTokens, price: terms.price };
}

function reservedBy(started: StepStartEvent): Reserved | undefined {
  return started.type === "model_invocation" ? started.reserved : undefined;
}

async function replyTo({ models }: ModelStepPorts, ask: ModelStep, reserved: Reserved | undefined): Promise<Reply> {
  try {
    const options = { signal: ask.signal, ...(ask.onToken === undefined ? {} : { onToken: ask.onToken }) };
    const granted = reserved === undefined ? {} : { maxTokens: reserved.output_tokens };
    const reply = await models.call(ask.pick, { ...ask.request, ...granted }, options);
    // In another protocol the same conversation has another count.
    const isSame = protocolOf(reply) === protocolOf(ask.request.spoken);
    return noticed(recordedReply(reply), isSame ? ask.growsFrom : undefined);
  } catch (error) {
    const reply = ask.replyFor?.(error) ?? null;
    if (reply === null) throw error;
    // Cut while the model wrote: nobody says how much that was.
    return reply.finish === "interrupted" && reserved !== undefined ? { ...reply, usage: atMost(reserved) } : reply;
  }
}

function protocolOf(spoken: { readonly protocol?: ToolProtocol | undefined } | undefined): ToolProtocol {
  return spoken?.protocol ?? "native";
}

function atMost(reserved: Reserved): CallUsage {
  return { ...reserved, estimated: true };
}

/** A call that the server refused, or never began, costs nothing; one that was cut while it ran, as much as it may have. */
function failureFacts(error: unknown, reserved: Reserved | undefined): Partial<EventOf<"model_invocation">> {
  const isFree = error instanceof LoomError && error.extra?.["begun"] !== true;
  return {
    error: error instanceof LoomError ? error.code : "stopped",
    ...(isFree || reserved === undefined ? {} : { usage: atMost(reserved) }),
  };
}

function recordedReply(reply: ModelReply): Reply {
  return {
    text: reply.text,
    toolCalls: reply.toolCalls.map(({ id, name, arguments: args, repaired, error }) => ({
      id,
      name,
      arguments: args,
      ...(repaired === undefined ? {} : { repaired: [...repaired] }),
      ...(error === undefined ? {} : { error }),
    })),
    finish: reply.finish,
    usage: reply.usage,
    model: reply.model,
    ...(reply.protocol === undefined ? {} : { protocol: reply.protocol }),
    repaired: [...reply.repaired],
    ...(reply.promptCut === undefined ? {} : { promptCut: { ...reply.promptCut } }),
  };
}

/** A server that cuts keeps most of what fits: a count far below is one of another kind. */
const cutShareLeast = 0.4;

/** A prompt that only grew has more tokens than before, unless the server cut it. */
function noticed(reply: Reply, growsFrom: ModelStep["growsFrom"]): Reply {
  if (reply.promptCut !== undefined || reply.usage === undefined || reply.usage.estimated === true) return reply;
  const { input_tokens: counted } = reply.usage;
  if (growsFrom === undefined || growsFrom.model !== reply.model) return reply;
  if (counted > growsFrom.tokens || counted < growsFrom.tokens * cutShareLeast) return reply;
  return { ...reply, promptCut: { countedTokens: counted, windowTokens: counted } };
}

function truncation({ at, pick, step }: ModelStep, { model, promptCut }: Reply): EventOf<"model_context_truncated">[] {
  if (promptCut === undefined) return [];
  return [
    {
      type: "model_context_truncated",
      ...(at.subtaskId === undefined ? {} : { subtask_id: at.subtaskId }),
      role: pick.role,
      step,
      attempt: at.attempt,
      iteration: at.iteration,
      model,
      counted_tokens: promptCut.countedTokens,
      window_tokens: promptCut.windowTokens,
    },
  ];
}

export function emptyReply(finish: "interrupted" | "overflow" | "failed", limit?: Reply["limit"]): Reply {
  return { text: "", toolCalls: [], finish, model: "", repaired: [], ...(limit === undefined ? {} : { limit }) };
}

/** What the server said of its window with a refusal; null for any other error. */
export function limitOf(error: unknown): NonNullable<Reply["limit"]> | null {
  if (!(error instanceof LoomError) || error.code !== "context_overflow") return null;
  const { windowTokens, promptTokens } = error.extra ?? {};
  return {
    ...(typeof windowTokens === "number" ? { windowTokens } : {}),
    ...(typeof promptTokens === "number" ? { promptTokens } : {}),
  };
}

const errors: Partial<Readonly<Record<Reply["finish"], string>>> = {
  interrupted: "stopped by a person",
  overflow: "context_overflow",
  failed: "the model could not be had; it was done without one",
};

function factsOf(reply: Reply): Partial<EventOf<"model_invocation">> {
  const missing = errors[reply.finish];
  return {
    finish: reply.finish,
    ...(reply.model === "" ? {} : { model: reply.model }),
    ...(reply.usage === undefined ? {} : { usage: reply.usage }),
    ...(reply.protocol === undefined ? {} : { protocol: reply.protocol }),
    ...(reply.repaired.length === 0 ? {} : { repaired: reply.repaired }),
    ...(missing === undefined ? {} : { error: missing }),
  };
}

/** Characters of a request, as far as they cost tokens. */
export function charsOf(messages: readonly Message[], tools: readonly ToolSchema[] = []): number {
  const inTools = tools.reduce((sum, tool) => sum + toolChars(tool), 0);
  return messages.reduce((sum, message) => sum + messageChars(message), inTools);
}

const toolSizes = new WeakMap<ToolSchema, number>();

/** A tool is the same in every request: it is measured once. */
function toolChars(tool: ToolSchema): number {
  const size = toolSizes.get(tool) ?? JSON.stringify(asOffered(tool)).length + 1;
  toolSizes.set(tool, size);
  return size;
}

const charsAroundMessage = 16;

function messageChars(message: Message): number {
  const calls =
    message.role === "assistant" && message.toolCalls !== undefined ? JSON.stringify(message.toolCalls).length : 0;
  return message.content.length + calls + charsAroundMessage;
}

const retryAfterMsDefault = 15_000;

/** @returns the report that a failed model call leads to, or null when the error is none of a model's */
export function modelFailure(key: string, error: unknown): Report | null {
  if (!(error instanceof LoomError)) return null;
  const { code, message, retryAfterMs = retryAfterMsDefault } = error;
  if (code === "model_unavailable" || code === "no_model_configured") {
    return { type: "ModelDown", key, reason: message, retryAfterMs };
  }
  if (code === "model_refused") return { type: "Failed", key, class: "model", feedback: withHint(error) };
  return code === "context_overflow" ? { type: "Failed", key, class: "context", feedback: withHint(error) } : null;
}

function withHint(error: LoomError): string {
  return error.hint === undefined ? error.message : `${error.message} (${error.hint})`;
}
