/**
 * What a request holds for a model that has to be shown the form of its replies: worked examples, a short system message, and
 * what its reply is bound to. Models that take tools as they are get nothing of it. One for each conversation.
 */
import { isLookup, type SubtaskKind } from "../../domain/plan.ts";
import type { Message, ModelRequest, Models } from "../../ports/model.ts";
import type { Tool } from "../../ports/tool.ts";
import type { Workspace } from "../../ports/workspace.ts";
import { executorExamples } from "./examples.ts";
import { standingPaths } from "./plain.ts";
import { quotable, type ShownResult } from "./quotable.ts";

interface GuidanceFor {
  readonly tools: readonly Pick<Tool, "effectClass" | "schema">[];
  readonly windowTokens: number;
  /** Each shows other examples, from 0. */
  readonly variant: number;
  readonly plain: string;
  readonly kind: SubtaskKind;
  /** In words. */
  readonly job: string;
  /** Others' results are told in the job. */
  readonly hasMaterial: boolean;
}

/** As many results are kept. */
const shownMax = 16;

export class Guidance {
  readonly #isLookup: boolean;
  readonly #needsCall: boolean;
  readonly #barred: readonly string[];
  readonly #plain: string;
  #shown: readonly ShownResult[] = [];
  /** Something was read or done: only then is there anything to finish. */
  #hasActed = false;
  readonly examples: readonly Message[];

  constructor({ tools, windowTokens, variant, plain, kind, job, hasMaterial }: GuidanceFor) {
    this.examples = executorExamples(
      tools.map(({ schema }) => schema),
      { windowTokens, variant },
    );
    this.#plain = plain;
    this.#isLookup = kind === "inspect" && isLookup(job);
    // Small models say that it is done before they have done anything. An answer may stand on what others did.
    this.#needsCall = kind !== "answer" || !hasMaterial;
    const changing = tools.filter(({ effectClass }) => effectClass === "workspace").map(({ schema }) => schema.name);
    this.#barred = kind === "change" ? [] : changing;
  }

  /** What successful calls gave, the last of them. */
  get shown(): readonly ShownResult[] {
    return this.#shown;
  }

  saw(results: readonly (ShownResult & { readonly success: boolean })[]): void {
    const good = results.filter(({ success }) => success);
    this.#hasActed ||= good.length > 0;
    const all = [...this.#shown, ...good.map(({ tool, output }) => ({ tool, output }))];
    this.#shown = all.slice(-shownMax);
  }

  /**
   * @param terms of the model that is asked; null: not known
   * @param stuck tools of which the same call has just given the same again
   */
  async parts(
    workspace: Pick<Workspace, "list">,
    terms: ReturnType<Models["terms"]>,
    stuck: readonly string[],
  ): Promise<Pick<ModelRequest, "examples" | "plain" | "mustCall" | "barred" | "standing" | "quotable">> {
    const standing = await standingPaths(workspace, terms);
    const quotes = terms?.showsExamples === true && this.#isLookup ? quotable(this.#shown) : [];
    return {
      examples: this.examples,
      plain: this.#plain,
      mustCall: this.#needsCall && !this.#hasActed,
      barred: [...this.#barred, ...stuck],
      ...(standing === undefined ? {} : { standing }),
      ...(quotes.length === 0 ? {} : { quotable: quotes }),
    };
  }
}
