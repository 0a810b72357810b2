/** Executors that a test plays by hand: each effect that starts lies on the desk until the test says how it ends. */

import type { Effect, EffectKind } from "../../src/domain/effect.ts";
import type { Report } from "../../src/domain/report.ts";
import type { Execution, Executors } from "../../src/ports/executor.ts";
import { delivered, passed, proposed, spec } from "./engine-samples.ts";

type Kind = Exclude<EffectKind, "wait">;
/** An execution of whatever kind. */
export type Played = Omit<Execution, "effect"> & { readonly effect: Effect };
type Play = (execution: Played) => Promise<Report> | Report;

export interface Run {
  readonly execution: Played;
  readonly end: (report: Report) => void;
  readonly fail: (error: unknown) => void;
}

export class Desk {
  /** Keys of effects in the order in which they were started. */
  readonly started: string[] = [];
  readonly #runs = new Map<string, Run>();
  readonly #plays = new Map<Kind, Play>();
  /** Keys that take no notice of an abort until they are ended by hand. */
  readonly stubborn = new Set<string>();

  get running(): string[] {
    return [...this.#runs.keys()];
  }

  /** Effects of this kind play themselves. */
  plays(kind: Kind, play: Play): this {
    this.#plays.set(kind, play);
    return this;
  }

  /** All goes well, with these subtasks. */
  playsAll(ids: readonly string[] = ["a"]): this {
    return this.plays("plan", ({ effect }) =>
      proposed(
        effect.key,
        ids.map((id) => spec(id)),
      ),
    )
      .plays("work", ({ effect }) => delivered(effect.key))
      .plays("verify", ({ effect }) => ({ type: "Judged", key: effect.key, verdict: passed }))
      .playsTheEnd();
  }

  playsTheEnd(): this {
    return this.plays("extract", ({ effect }) => ({ type: "Extracted", key: effect.key, entries: [] })).plays(
      "answer",
      ({ effect }) => ({ type: "Answered", key: effect.key, summary: "Done", answer: "All is done" }),
    );
  }

  run(key: string): Run {
    const run = this.#runs.get(key);
    if (run === undefined) throw new Error(`${key} does not run; ${this.running.join(", ") || "nothing"} does`);
    return run;
  }

  end(report: Extract<Report, { readonly key: string }>): void {
    this.run(report.key).end(report);
  }

  get executors(): Executors {
    const executor = (execution: Played): Promise<Report> => this.#execute(execution);
    return {
      plan: executor,
      work: executor,
      verify: executor,
      revert: executor,
      extract: executor,
      check: executor,
      answer: executor,
      undo: executor,
    };
  }

  async #execute(execution: Played): Promise<Report> {
    const { effect, stop } = execution;
    if (effect.kind === "wait") throw new Error("Waits are not for executors");
    this.started.push(effect.key);
    if (this.#runs.has(effect.key)) throw new Error(`${effect.key} was started twice`);
    const play = this.#plays.get(effect.kind);
    const { promise, resolve, reject } = Promise.withResolvers<Report>();
    this.#runs.set(effect.key, { execution, end: resolve, fail: reject });
    stop.aborted.addEventListener("abort", () => {
      if (!this.stubborn.has(effect.key)) reject(stop.aborted.reason as Error);
    });
    try {
      return await (play === undefined ? promise : play(execution));
    } finally {
      this.#runs.delete(effect.key);
    }
  }
}
