/** What is known of one model at one server, learnt once and shared by all that call it there. A failed question is asked again next time. */
import { LoomError } from "../lib/errors.ts";
import type { Clock } from "../ports/runtime.ts";
import { Deadline, untilAborted } from "./deadline.ts";
import { StreamFailure } from "./failures.ts";
import { declaredSupport, type Measure, refusedSupport, type ToolSupport, toolSupportOf } from "./tool-support.ts";
import type { ServerFacts } from "./wire.ts";

/** A server that is there says what it is at once. */
const factsMs = 5000;

type AskFacts = (signal: AbortSignal) => Promise<ServerFacts>;

export class KnownServer {
  readonly #clock: Clock;
  /** Questions outlive the caller that asked first, since others wait for the same answer; not the catalog. */
  readonly #lifetime: AbortSignal;
  #asking: Promise<ServerFacts> | null = null;
  #probing: Promise<ToolSupport> | null = null;
  #facts: ServerFacts | null = null;
  #support: ToolSupport | null = null;
  #shownWindow: number | null = null;

  constructor({ clock, lifetime }: { readonly clock: Clock; readonly lifetime: AbortSignal }) {
    this.#clock = clock;
    this.#lifetime = lifetime;
  }

  get facts(): ServerFacts | null {
    return this.#facts;
  }

  /** Measured, or said by the server for certain: that needs no first use. */
  get support(): ToolSupport | null {
    return this.#support ?? declaredSupport(this.#facts ?? { tools: "unsure" });
  }

  /** The window that the server has shown by refusing or cutting a prompt; null until it did. */
  get shownWindow(): number | null {
    return this.#shownWindow;
  }

  /** What it shows is believed over what is configured or said, and only ever downwards. */
  showsWindow(tokens: number): void {
    this.#shownWindow = Math.min(this.#shownWindow ?? tokens, tokens);
  }

  /** Asks unless it is known. */
  async learnFacts(ask: AskFacts, signal: AbortSignal): Promise<ServerFacts> {
    return this.#facts ?? (await this.askFacts(ask, signal));
  }

  /** Asks again. */
  async askFacts(ask: AskFacts, signal: AbortSignal): Promise<ServerFacts> {
    this.#asking ??= this.#ask(ask).finally(() => {
      this.#asking = null;
    });
    return await untilAborted(this.#asking, signal);
  }

  /** Probes unless it is known; `measure` runs until the catalog ends. */
  async learnSupport(measure: Measure, signal: AbortSignal): Promise<ToolSupport> {
    if (this.#support !== null) return this.#support;
    this.#probing ??= this.#probe(measure).finally(() => {
      this.#probing = null;
    });
    return await untilAborted(this.#probing, signal);
  }

  toolsRefused(): void {
    this.#support = refusedSupport;
  }

  async #ask(ask: AskFacts): Promise<ServerFacts> {
    using limit = new Deadline(
      this.#clock,
      factsMs,
      () => new StreamFailure(`it did not say what it is within ${factsMs / 1000} s`, { retry: false }),
    );
    const signal = AbortSignal.any([this.#lifetime, limit.signal]);
    const facts = await untilAborted(ask(signal), signal);
    this.#facts = facts;
    // What it says of tools may have changed with the model that it has loaded.
    if (facts.tools !== "unsure") this.#support = null;
    return facts;
  }

  async #probe(measure: Measure): Promise<ToolSupport> {
    const facts = this.#facts ?? { contextTokens: null, tools: "unsure", notes: [] };
    const support = await toolSupportOf(facts, measure).catch((error: unknown) => {
      if (saysToolsUnsupported(error)) return refusedSupport;
      throw error;
    });
    this.#support = support;
    return support;
  }
}

export function saysToolsUnsupported(error: unknown): boolean {
  return error instanceof LoomError && error.extra?.["tools_unsupported"] === true;
}
