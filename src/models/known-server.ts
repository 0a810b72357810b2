/**
 * What is known of one model at one server: said by it, probed, or shown in use; learnt once, shared by all that call it
 * there, and kept across restarts for as long as the server says that it is the same. A failed question is asked again later.
 */

import type { ToolProtocol } from "../domain/protocol.ts";
import { LoomError, messageOf } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import type { Profiles } from "../ports/profiles.ts";
import type { Clock, Log } from "../ports/runtime.ts";
import { Deadline, untilAborted } from "./deadline.ts";
import { StreamFailure } from "./failures.ts";
import { type Documented, KeptProfile, weaker } from "./kept-profile.ts";
import { type Ask, probed, type Wanted } from "./probing.ts";
import type { ServerFacts } from "./wire.ts";

/** A server that is there says what it is at once. */
const factsMs = 5000;
/** Before a question is put again that the server failed at. */
const askAgainMs = 10 * 60_000;
/** A model that wrote malformed calls may have had a bad hour: after a day the stronger protocol is tried again. */
const loweredMs = 24 * 60 * 60_000;

type AskFacts = (signal: AbortSignal) => Promise<ServerFacts>;
type Holds = "yes" | "no" | "unknown";

export interface KnownServerOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Questions outlive the caller that asked first, since others wait for the same answer; not the catalog. */
  readonly lifetime: AbortSignal;
  readonly key: string;
  readonly documented: Documented | null;
  /** Absent: nothing is kept. */
  readonly profiles?: Profiles | undefined;
}

export class KnownServer {
  readonly #options: KnownServerOptions;
  #asking: Promise<ServerFacts> | null = null;
  #probing: Promise<void> | null = null;
  #facts: ServerFacts | null = null;
  #isStale = false;
  #kept: KeptProfile;
  #cutWindow: number | null = null;
  #askAgainAt = 0;
  #again: object | null = null;
  #saved: string;
  #saving: Promise<void> = Promise.resolve();

  constructor(options: KnownServerOptions) {
    this.#options = options;
    this.#kept = this.#found();
    this.#saved = JSON.stringify(this.#kept);
  }

  get facts(): ServerFacts | null {
    return this.#facts;
  }

  get kept(): KeptProfile {
    return this.#kept;
  }

  get documented(): Documented | null {
    return this.#options.documented;
  }

  get tools(): Holds {
    return this.#kept.tools?.value ?? this.documented?.tools ?? "unknown";
  }

  get schema(): Holds {
    return this.#kept.schema?.value ?? this.documented?.schema ?? "unknown";
  }

  /** The window as the server says. */
  get saidWindow(): number | null {
    return this.#facts === null ? (this.#kept.saidWindow?.value ?? null) : this.#facts.contextTokens;
  }

  /** The window that the server has shown by refusing or cutting a prompt; null until it did. */
  get shownWindow(): number | null {
    const refused = this.#kept.shownWindow?.value ?? null;
    return refused === null || this.#cutWindow === null
      ? (refused ?? this.#cutWindow)
      : Math.min(refused, this.#cutWindow);
  }

  /** The strongest way to speak of tools that this server holds; what is not known is taken to hold. */
  get strongest(): ToolProtocol {
    return this.tools === "no" ? this.held("json_schema") : "native";
  }

  /** The same, unless replies were malformed again and again. */
  get protocol(): ToolProtocol {
    const { lowered } = this;
    return lowered === null ? this.strongest : weaker(this.strongest, this.held(lowered.to));
  }

  get lowered(): NonNullable<KeptProfile["lowered"]> | null {
    const { lowered } = this.#kept;
    return lowered === undefined || this.#options.clock.now() >= lowered.at + loweredMs ? null : lowered;
  }

  /** @returns `protocol`, or the weaker one where this server does not hold it */
  held(protocol: ToolProtocol): ToolProtocol {
    return protocol === "json_schema" && this.schema === "no" ? "text" : protocol;
  }

  /** By a refusal that named it. It is believed over what is configured or said, and only ever downwards. */
  refusesOver(tokens: number): void {
    if (tokens < (this.#kept.shownWindow?.value ?? Number.POSITIVE_INFINITY))
      this.#learnt({ shownWindow: this.#now(tokens, "use") });
  }

  /** By what it counted of a prompt: a guess, that is not kept. */
  cutsTo(tokens: number): void {
    this.#cutWindow = Math.min(this.#cutWindow ?? tokens, tokens);
  }

  toolsRefused(): void {
    if (this.tools !== "no") this.#learnt({ tools: this.#now("no", "use") });
  }

  /** So many replies in a row were malformed in a stronger one. */
  lower(to: Exclude<ToolProtocol, "native">, malformed: number): void {
    if (weaker(this.protocol, to) !== this.protocol)
      this.#learnt({ lowered: { to, malformed, at: this.#options.clock.now() } });
  }

  /** It was out of reach: what comes back may be another model, or another window. */
  wasAway(): void {
    this.#isStale = this.#facts !== null;
  }

  /** Asks unless it is known. */
  async learnFacts(ask: AskFacts, signal: AbortSignal): Promise<ServerFacts> {
    return this.#facts === null || this.#isStale ? await this.askFacts(ask, signal) : this.#facts;
  }

  /** Asks again. */
  async askFacts(ask: AskFacts, signal: AbortSignal): Promise<ServerFacts> {
    this.#asking ??= this.#ask(ask).finally(() => {
      this.#asking = null;
    });
    return await untilAborted(this.#asking, signal);
  }

  /** Whether `learnProfile` would ask for anything now, or wait for what is being asked. */
  isOpen(again?: object): boolean {
    return this.#probing !== null || this.#isAnew(again) || this.#wanted() !== null;
  }

  /**
   * Probes what is not known, once for all who wait for it; `ask` is used until the catalog ends.
   *
   * @param again what was found out before is found out anew, once for each such object
   * @throws LoomError when the model does not answer at all, and all stays as it is known; the signal's reason
   */
  async learnProfile(
    ask: Ask,
    { contextTokens, again }: { readonly contextTokens: number; readonly again?: object | undefined },
    signal: AbortSignal,
  ): Promise<void> {
    const isAnew = this.#isAnew(again);
    if (isAnew) this.#again = again ?? null;
    const wanted = isAnew ? this.#wantedAnew() : this.#wanted();
    if (this.#probing === null && wanted !== null)
      this.#probing = this.#probe(ask, { wanted, contextTokens, isAnew }).finally(() => {
        this.#probing = null;
      });
    if (this.#probing !== null) await untilAborted(this.#probing, signal);
  }

  /** Resolves when all that was learnt is kept, or was not to be. */
  async settled(): Promise<void> {
    await this.#saving;
  }

  #isAnew(again: object | undefined): boolean {
    return again !== undefined && again !== this.#again;
  }

  #wanted(): Wanted | null {
    const { tools, schema, prefix } = this.#kept;
    const wanted = { tools: tools === undefined, schema: schema === undefined, prefix: prefix === undefined };
    const isDone = !wanted.tools && !wanted.schema;
    return isDone || this.documented !== null || this.#options.clock.now() < this.#askAgainAt ? null : wanted;
  }

  #wantedAnew(): Wanted {
    const isOpen = this.documented === null;
    return { tools: isOpen && this.#kept.tools?.known_by !== "server", schema: isOpen, prefix: isOpen };
  }

  async #probe(
    ask: Ask,
    {
      wanted,
      contextTokens,
      isAnew,
    }: { readonly wanted: Wanted; readonly contextTokens: number; readonly isAnew: boolean },
  ): Promise<void> {
    const told = await probed(ask, wanted, contextTokens);
    if (isAnew) this.#forget();
    const isWhole = (!wanted.tools || told.tools !== undefined) && (!wanted.schema || told.schema !== undefined);
    if (!isWhole) this.#askAgainAt = this.#options.clock.now() + askAgainMs;
    this.#learnt({
      ...(told.tools === undefined ? {} : { tools: this.#now(told.tools, "probe") }),
      ...(told.schema === undefined ? {} : { schema: this.#now(told.schema, "probe") }),
      ...(told.prefix === undefined ? {} : { prefix: this.#now(told.prefix, "probe") }),
    });
  }

  async #ask(ask: AskFacts): Promise<ServerFacts> {
    using limit = new Deadline(
      this.#options.clock,
      factsMs,
      () => new StreamFailure(`it did not say what it is within ${factsMs / 1000} s`, { retry: false }),
    );
    const signal = AbortSignal.any([this.#options.lifetime, limit.signal]);
    const facts = await untilAborted(ask(signal), signal);
    this.#facts = facts;
    this.#isStale = false;
    this.#heard(facts);
    return facts;
  }

  /** What was found out holds for the server and model that it was found out of. */
  #heard({ identity, tools, contextTokens }: ServerFacts): void {
    if (this.#kept.identity !== undefined && this.#kept.identity !== identity) {
      this.#kept = {};
      this.#cutWindow = null;
      this.#askAgainAt = 0;
    }
    const said = tools === "unsure" || this.documented !== null ? null : tools === "native" ? "yes" : "no";
    const { tools: known, saidWindow } = this.#kept;
    // That it refused them in use is nearer to the truth than what it says.
    const isNews =
      said !== null && known?.known_by !== "use" && !(known?.known_by === "server" && known.value === said);
    this.#learnt({
      identity,
      ...(isNews ? { tools: this.#now(said, "server") } : {}),
      ...(contextTokens === null || saidWindow?.value === contextTokens
        ? {}
        : { saidWindow: this.#now(contextTokens, "server") }),
    });
  }

  /** All but what the server says. */
  #forget(): void {
    const { identity, tools, saidWindow } = this.#kept;
    this.#kept = {
      ...(identity === undefined ? {} : { identity }),
      ...(tools?.known_by === "server" ? { tools } : {}),
      ...(saidWindow === undefined ? {} : { saidWindow }),
    };
    this.#cutWindow = null;
  }

  #now<V, K>(value: V, by: K): { value: V; known_by: K; at: number } {
    return { value, known_by: by, at: this.#options.clock.now() };
  }

  #learnt(news: Partial<KeptProfile>): void {
    this.#kept = { ...this.#kept, ...news };
    const { profiles, key, log } = this.#options;
    const text = JSON.stringify(this.#kept);
    if (profiles === undefined || text === this.#saved) return;
    this.#saved = text;
    this.#saving = this.#saving
      .then(() => profiles.keep(key, JSON.parse(text) as JsonObject))
      .catch((error: unknown) =>
        log.warn({ key, detail: messageOf(error) }, "What was learnt of a model could not be kept"),
      );
  }

  #found(): KeptProfile {
    const { profiles, key, log } = this.#options;
    try {
      const read = KeptProfile.safeParse(profiles?.find(key) ?? {});
      return read.success ? read.data : {};
    } catch (error) {
      log.warn({ key, detail: messageOf(error) }, "What was learnt of a model could not be read");
      return {};
    }
  }
}

export function saysToolsUnsupported(error: unknown): boolean {
  return error instanceof LoomError && error.extra?.["tools_unsupported"] === true;
}
