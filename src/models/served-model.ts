/** One configured model at work: its slots, its guard, what is known of its server, and the protocol in which it takes tools. */
import type { ToolProtocol } from "../domain/protocol.ts";
import { LoomError, messageOf } from "../lib/errors.ts";
import { Limiter } from "../lib/limiter.ts";
import type { ModelInfo, ModelPick, ModelReply, ModelRequest, ModelTerms } from "../ports/model.ts";
import type { Clock, Log, Random } from "../ports/runtime.ts";
import type { ModelSettings } from "./config.ts";
import { Deadline, Joined } from "./deadline.ts";
import { type EndOf, earlyEnd } from "./early-end.ts";
import { isUnusable, StreamFailure } from "./failures.ts";
import { type CallOptions, Guard, type RawReply, type RetryPolicy } from "./guarded.ts";
import { type KnownServer, saysToolsUnsupported } from "./known-server.ts";
import { callUsage } from "./metering.ts";
import { truncationNote } from "./model-notes.ts";
import { sizesOf } from "./overflow.ts";
import type { Ask } from "./probing.ts";
import { type PromptCut, promptCut } from "./prompt-cut.ts";
import { RepairCounts } from "./repair-counts.ts";
import { replyOf } from "./reply.ts";
import { infoOf } from "./shown-profile.ts";
import { needsProfile, needsProtocol, protocolFor, toldIn } from "./speaking.ts";
import { promptSize, TokenRatio } from "./token-ratio.ts";
import type { Wire, WireCall } from "./wire.ts";

const priorities = ["work", "verify", "plan", "extract"] as const;
const windowUnknown = 8192;
const replyTokensMin = 256;
const bytesPerTokenLikely = 4;
/** For a person who waits for the probe; it goes on, and its findings are shown the next time. */
const probeMs = 45_000;
const unansweredNote =
  "the probe has had no answer within 45 s: a model that is being loaded, or at work, takes longer; ask again";

export interface ServedModelOptions {
  readonly settings: ModelSettings;
  readonly wire: Wire;
  readonly server: KnownServer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly retry: RetryPolicy;
  /** Ends with the catalog. */
  readonly lifetime: AbortSignal;
}

export class ServedModel {
  readonly #settings: ModelSettings;
  readonly #wire: Wire;
  readonly #server: KnownServer;
  readonly #guard: Guard;
  readonly #limiter: Limiter<ModelPick["priority"]>;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #lifetime: AbortSignal;
  readonly #repairs = new RepairCounts();
  #health: ModelInfo["health"] = "unknown";
  #trouble: string | null = null;
  #isTruncating = false;
  readonly #ratio = new TokenRatio();

  constructor({ settings, wire, server, lifetime, ...rest }: ServedModelOptions) {
    this.#settings = settings;
    this.#wire = wire;
    this.#server = server;
    this.#lifetime = lifetime;
    this.#log = rest.log;
    this.#clock = rest.clock;
    const { name, model, shownUrl: url, provider } = settings;
    this.#guard = new Guard({ ...rest, at: { name, model, url, provider }, limits: settings });
    this.#limiter = new Limiter(settings.concurrencyMax, priorities);
  }

  get name(): string {
    return this.#settings.name;
  }

  get roles(): ModelSettings["roles"] {
    return this.#settings.roles;
  }

  get tier(): ModelSettings["tier"] {
    return this.#settings.tier;
  }

  get contextTokens(): number {
    return this.#knownWindow ?? windowUnknown;
  }

  /** Learnt from what the server counted; careful until then. */
  get bytesPerToken(): number {
    return this.#ratio.bytesPerToken;
  }

  /** Asks the server how large the window is, unless that is known. @throws the signal's reason */
  async learnWindow(signal: AbortSignal): Promise<void> {
    if (this.#settings.contextTokens === 0) await this.#learnFacts(signal).catch(() => signal.throwIfAborted());
  }

  /** No reply may take more than half the window. */
  get maxTokens(): number {
    return Math.min(this.#settings.maxTokens, Math.floor(this.contextTokens / 2));
  }

  /** The longest reply that a call may give, and what its tokens cost. */
  get terms(): ModelTerms {
    const { maxTokens, price } = this.#settings;
    return { maxTokens, price, showsExamples: !this.#isKnownNative };
  }

  async call(pick: ModelPick, request: ModelRequest, { signal, onToken }: CallOptions): Promise<ModelReply> {
    using both = new Joined(signal, this.#lifetime);
    const options = { signal: both.signal, onToken };
    this.#guard.throwIfOpen();
    using _slot = await this.#limiter.acquire({ priority: pick.priority, group: pick.taskId }, options.signal);
    try {
      const reply = await this.#inProtocol(pick, request, options);
      this.#is("up", null);
      return reply;
    } catch (error) {
      this.#learnFrom(error);
      throw error;
    }
  }

  /** @param again what was found out before is found out anew */
  async probe(signal: AbortSignal, again?: object): Promise<ModelInfo> {
    try {
      await this.#server.askFacts((stop) => this.#wire.facts(stop), signal);
      this.#is("up", null);
    } catch (error) {
      signal.throwIfAborted();
      this.#is("down", messageOf(error));
      return this.info();
    }
    if (!this.#server.isOpen(again)) return this.info();
    using limit = new Deadline(this.#clock, probeMs, () => new StreamFailure(unansweredNote, { retry: false }));
    using both = new Joined(signal, limit.signal);
    try {
      using _slot = await this.#limiter.acquire({ priority: "extract", group: "" }, both.signal);
      await this.#server.learnProfile(this.#asked, { contextTokens: this.contextTokens, again }, both.signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#learnFrom(error);
      if (limit.signal.aborted) this.#is("up", unansweredNote);
    }
    return this.info();
  }

  info(): ModelInfo {
    const learnt = [...this.#wire.notes(), this.#isTruncating ? truncationNote : null, this.#repairs.note()];
    return infoOf(this.#settings, this.#server, { health: this.#health, learnt, trouble: this.#trouble });
  }

  get #knownWindow(): number | null {
    const said = this.#settings.contextTokens > 0 ? this.#settings.contextTokens : this.#server.saidWindow;
    const shown = this.#server.shownWindow;
    return said === null || shown === null ? (said ?? shown) : Math.min(said, shown);
  }

  async #inProtocol(pick: ModelPick, request: ModelRequest, options: CallOptions): Promise<ModelReply> {
    await this.#prepare(request, options.signal);
    const protocol = protocolFor(request, this.#server, this.name);
    try {
      return await this.#ask(pick, request, { ...options, protocol });
    } catch (error) {
      if (protocol !== "native" || !saysToolsUnsupported(error)) throw error;
      this.#server.toolsRefused();
      return await this.#ask(pick, request, { ...options, protocol: this.#server.strongest });
    }
  }

  /** Learns what decides how this request is spoken, and the window by the way: the one that is kept may be another by now. */
  async #prepare(request: ModelRequest, signal: AbortSignal): Promise<void> {
    const isDecided = request.schema === undefined && !needsProtocol(request);
    if (this.#settings.contextTokens === 0 || !isDecided) await this.#learnFacts(signal);
    if (isDecided || !needsProfile(request, this.#server, this.name)) return;
    try {
      await this.#server.learnProfile(this.#asked, { contextTokens: this.contextTokens }, signal);
    } catch (error) {
      // A refusal of the plain request is told by the call itself, which may differ from it.
      if (!(error instanceof LoomError) || error.code !== "model_refused") throw error;
    }
  }

  get #isKnownNative(): boolean {
    return this.#server.tools !== "unknown" && this.#server.protocol === "native";
  }

  readonly #asked: Ask = (call) =>
    this.#guard.call((stop) => this.#wire.stream(call, stop), { signal: this.#lifetime });

  /** A server that does not say what it is may still answer. */
  async #learnFacts(signal: AbortSignal): Promise<void> {
    try {
      await this.#server.learnFacts((stop) => this.#wire.facts(stop), signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof LoomError) throw error;
      this.#log.debug({ model: this.name, detail: messageOf(error) }, "The model server did not say what it is");
    }
  }

  async #ask(pick: ModelPick, request: ModelRequest, { protocol, ...options }: WithProtocol): Promise<ModelReply> {
    const told = toldIn(protocol, request, { server: this.#server, maxTokens: this.maxTokens });
    const call = this.#wireCall(pick, told, request);
    const watched = { ...options, endOf: earlyEnd(protocol, request, call.maxTokens) };
    const raw = await this.#streamed(call, watched).catch((error: unknown) => {
      const less = this.#wireCall(pick, told, request);
      // It was the room for the reply that was too large: what the refusal said of window and prompt makes it smaller.
      if (!fitsWithLess(error, { window: less.contextTokens, isLess: less.maxTokens < call.maxTokens })) throw error;
      return this.#streamed(less, watched);
    });
    const cut = this.#cutOf(raw, call);
    if (raw.usage !== null && cut === null) this.#ratio.learn(promptSize(call), raw.usage.inputTokens);
    const usage = callUsage(raw.usage, {
      sentTokens: this.#ratio.tokensLikely(promptSize(call)),
      receivedCharacters: receivedBy(raw),
      broken: raw.broken,
      isLeft: raw.left !== null,
      price: this.#settings.price,
    });
    const reply = replyOf(raw, { request, protocol, usage, model: this.name });
    this.#repairs.add(reply);
    if (cut === null) return reply;
    this.#isTruncating = true;
    this.#server.cutsTo(cut.windowTokens);
    return { ...reply, repaired: [...reply.repaired, "model_context_truncated"], promptCut: cut };
  }

  /** Learns from a refusal what it says of the window. */
  async #streamed(call: WireCall, options: CallOptions & { endOf: EndOf }): Promise<RawReply> {
    try {
      return await this.#guard.call((stop) => this.#wire.stream(call, stop), options);
    } catch (error) {
      const { windowTokens, promptTokens } = sizesOf(error);
      if (windowTokens !== undefined) this.#server.refusesOver(windowTokens);
      if (promptTokens !== undefined) this.#ratio.learn(promptSize(call), promptTokens);
      throw error;
    }
  }

  #wireCall(
    pick: ModelPick,
    told: Pick<ModelRequest, "messages" | "tools" | "schema">,
    request: ModelRequest,
  ): WireCall {
    const { messages, tools = [], schema } = told;
    const call = { role: pick.role, messages, tools, ...(schema === undefined ? {} : { schema }) };
    const asked = Math.min(request.maxTokens ?? this.#settings.maxTokens, this.#settings.maxTokens);
    const window = this.#knownWindow;
    const room =
      window === null ? asked : Math.max(replyTokensMin, window - this.#ratio.tokensAtMost(promptSize(call)));
    return {
      ...call,
      maxTokens: Math.min(asked, room),
      temperature: request.temperature ?? this.#settings.temperature,
      contextTokens: this.contextTokens,
    };
  }

  /** Ollama cuts what does not fit, and says nothing; others may do so before they ask a model. */
  #cutOf({ usage }: RawReply, call: WireCall): PromptCut | null {
    if (usage === null) return null;
    const { messages, contextTokens } = call;
    return promptCut({
      messages,
      sentTokens: Math.ceil(promptSize(call) / bytesPerTokenLikely),
      countedTokens: usage.inputTokens,
      cutsTo: this.#settings.provider === "ollama" ? contextTokens : null,
    });
  }

  #learnFrom(error: unknown): void {
    if (!(error instanceof LoomError) || this.#lifetime.aborted) return;
    if (error.code === "model_unavailable") this.#server.wasAway();
    if (error.code === "model_unavailable" || isUnusable(error)) this.#is("down", error.message);
    else this.#is("up", null);
  }

  #is(health: ModelInfo["health"], trouble: string | null): void {
    this.#health = health;
    this.#trouble = trouble;
  }
}

function fitsWithLess(error: unknown, { window, isLess }: { window: number; isLess: boolean }): boolean {
  const { promptTokens } = sizesOf(error);
  return isLess && promptTokens !== undefined && promptTokens <= window - replyTokensMin;
}

interface WithProtocol extends CallOptions {
  readonly protocol: ToolProtocol;
}

function receivedBy({ text, calls, left }: RawReply): number {
  return text.length + (left?.droppedCharacters ?? 0) + (calls.length === 0 ? 0 : JSON.stringify(calls).length);
}
