/** One configured model at work: its slots, its guard, what is known of its server, and the protocol in which it takes tools. */
import type { Price } from "../domain/price.ts";
import { LoomError, messageOf } from "../lib/errors.ts";
import { Limiter } from "../lib/limiter.ts";
import type { ModelInfo, ModelPick, ModelReply, ModelRequest } from "../ports/model.ts";
import type { Clock, Log, Random } from "../ports/runtime.ts";
import type { ModelSettings } from "./config.ts";
import { Joined } from "./deadline.ts";
import { Guard, type RawReply, type RetryPolicy } from "./guarded.ts";
import { type KnownServer, saysToolsUnsupported } from "./known-server.ts";
import { callUsage, charactersOf, estimatedTokens } from "./metering.ts";
import { speakJson, speaksTools } from "./protocol.ts";
import { replyOf } from "./reply.ts";
import type { Wire, WireCall } from "./wire.ts";

const priorities = ["work", "verify", "plan", "extract"] as const;
const windowUnknown = 8192;
const replyTokensMin = 256;
/** Denser than any usual text, so that prompt and reply stay within the window together. */
const charactersPerTokenMin = 3;
/** A prompt of some size of which the server counted less than this share was cut before the model saw it. */
const truncatedShare = 0.6;
const truncatedFromTokens = 500;

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

export interface CallOptions {
  readonly signal: AbortSignal;
  readonly onToken?: (text: string) => void;
}

export class ServedModel {
  readonly #settings: ModelSettings;
  readonly #wire: Wire;
  readonly #server: KnownServer;
  readonly #guard: Guard;
  readonly #limiter: Limiter<ModelPick["priority"]>;
  readonly #log: Log;
  readonly #lifetime: AbortSignal;
  #health: ModelInfo["health"] = "unknown";
  #trouble: string | null = null;
  #isTruncating = false;

  constructor({ settings, wire, server, lifetime, ...rest }: ServedModelOptions) {
    this.#settings = settings;
    this.#wire = wire;
    this.#server = server;
    this.#lifetime = lifetime;
    this.#log = rest.log;
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

  /** No reply may take more than half the window. */
  get maxTokens(): number {
    return Math.min(this.#settings.maxTokens, Math.floor(this.contextTokens / 2));
  }

  /** The longest reply that a call may give, and what its tokens cost. */
  get terms(): { readonly maxTokens: number; readonly price: Price | null } {
    return { maxTokens: this.#settings.maxTokens, price: this.#settings.price };
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

  async probe(signal: AbortSignal): Promise<ModelInfo> {
    try {
      await this.#server.askFacts((stop) => this.#wire.facts(stop), signal);
      this.#is("up", null);
    } catch (error) {
      signal.throwIfAborted();
      this.#is("down", messageOf(error));
    }
    return this.info();
  }

  info(): ModelInfo {
    const { name, provider, model, shownUrl, tier, roles, maxTokens, temperature } = this.#settings;
    const notes = [
      ...(this.#server.facts?.notes ?? []),
      this.#server.support?.note,
      ...this.#wire.notes(),
      this.#truncationNote,
      this.#trouble,
    ];
    return {
      name,
      provider,
      model,
      base_url: shownUrl,
      tier,
      roles,
      max_tokens: maxTokens,
      temperature,
      context_tokens: this.#knownWindow,
      tool_protocol: this.#server.support?.protocol ?? "unknown",
      health: this.#health,
      price: this.#priceList,
      notes: notes.filter((note) => typeof note === "string"),
    };
  }

  get #priceList(): ModelInfo["price"] {
    const { price } = this.#settings;
    if (price === null) return null;
    const usd = { input: price.input / 1e6, cached_input: price.cachedInput / 1e6, output: price.output / 1e6 };
    return {
      input_usd_per_million: usd.input,
      cached_input_usd_per_million: usd.cached_input,
      output_usd_per_million: usd.output,
    };
  }

  get #knownWindow(): number | null {
    return this.#settings.contextTokens > 0
      ? this.#settings.contextTokens
      : (this.#server.facts?.contextTokens ?? null);
  }

  get #truncationNote(): string | null {
    if (!this.#isTruncating) return null;
    return "model_context_truncated: the server counted far fewer prompt tokens than were sent; raise context_tokens";
  }

  async #inProtocol(pick: ModelPick, request: ModelRequest, options: WithToken): Promise<ModelReply> {
    const isJson = await this.#prepare(request, options.signal);
    try {
      return await this.#ask(pick, request, { ...options, isJson });
    } catch (error) {
      if (isJson || !saysToolsUnsupported(error)) throw error;
      this.#server.toolsRefused();
      return await this.#ask(pick, request, { ...options, isJson: true });
    }
  }

  /** @returns whether tools must be spoken as JSON; learns the window by the way */
  async #prepare(request: ModelRequest, signal: AbortSignal): Promise<boolean> {
    const needsSupport = speaksTools(request);
    if (this.#knownWindow === null || needsSupport) await this.#learnFacts(signal);
    if (!needsSupport) return false;
    const measure = async (call: WireCall): Promise<number | null> => {
      const raw = await this.#guard.call((stop) => this.#wire.stream(call, stop), { signal: this.#lifetime });
      return raw.usage?.inputTokens ?? null;
    };
    return (await this.#server.learnSupport(measure, signal)).protocol === "json_schema";
  }

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

  async #ask(
    pick: ModelPick,
    request: ModelRequest,
    { isJson, ...options }: WithToken & { readonly isJson: boolean },
  ): Promise<ModelReply> {
    const call = this.#wireCall(pick, isJson ? speakJson(request, this.maxTokens) : request, request);
    const sentCharacters = charactersOf(call);
    const raw = await this.#guard.call((stop) => this.#wire.stream(call, stop), options);
    const usage = callUsage(raw.usage, {
      sentCharacters,
      receivedCharacters: receivedBy(raw),
      broken: raw.broken,
      price: this.#settings.price,
    });
    const reply = replyOf(raw, { request, isJson, usage, model: this.name });
    if (!this.#wasTruncated(raw, sentCharacters)) return reply;
    this.#isTruncating = true;
    return { ...reply, repaired: [...reply.repaired, "model_context_truncated"] };
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
      window === null
        ? asked
        : Math.max(replyTokensMin, window - Math.ceil(charactersOf(call) / charactersPerTokenMin));
    return {
      ...call,
      maxTokens: Math.min(asked, room),
      temperature: request.temperature ?? this.#settings.temperature,
      contextTokens: this.contextTokens,
    };
  }

  /** Ollama cuts what does not fit, and says nothing. */
  #wasTruncated({ usage }: RawReply, sentCharacters: number): boolean {
    const sent = estimatedTokens(sentCharacters);
    return (
      this.#settings.provider === "ollama" &&
      usage !== null &&
      sent > truncatedFromTokens &&
      usage.inputTokens < sent * truncatedShare
    );
  }

  #learnFrom(error: unknown): void {
    if (!(error instanceof LoomError) || this.#lifetime.aborted) return;
    if (error.code === "model_unavailable" || isUnusable(error)) this.#is("down", error.message);
    else this.#is("up", null);
  }

  #is(health: ModelInfo["health"], trouble: string | null): void {
    this.#health = health;
    this.#trouble = trouble;
  }
}

/** The model cannot be had there at all, whatever is asked of it: another one may. */
export function isUnusable(error: LoomError): boolean {
  const status = error.extra?.["status"];
  return error.code === "model_refused" && (status === 401 || status === 402 || status === 403 || status === 404);
}

interface WithToken {
  readonly signal: AbortSignal;
  readonly onToken?: ((text: string) => void) | undefined;
}

function receivedBy({ text, calls }: RawReply): number {
  return text.length + (calls.length === 0 ? 0 : JSON.stringify(calls).length);
}
