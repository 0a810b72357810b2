/** Luck for simulated lives: every choice is drawn from numbers that fast-check gives, so that it can shrink and repeat them. */
import type { Effect } from "../../src/domain/effect.ts";
import type { FailureClass } from "../../src/domain/event.ts";
import type { SubtaskSpec, Tier } from "../../src/domain/plan.ts";
import type { Report } from "../../src/domain/report.ts";
import type { Rules } from "../../src/domain/rules.ts";
import type { Brief } from "../../src/domain/task.ts";
import {
  approvalAsk,
  briefOf,
  change,
  file,
  modelCall,
  questionAsk,
  spec,
  toolEnded,
  toolStarted,
  verdict,
} from "../support/happenings.ts";

export class Luck {
  readonly #numbers: readonly number[];
  #drawn = 0;
  #state: number;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
    this.#state = numbers.reduce((state, number) => Math.imul(state ^ number, 0x01000193), 0x811c9dc5);
  }

  /** 0 to `sides - 1`. When the numbers are used up, it goes on with a sequence that they begin. @see mulberry32 */
  draw(sides: number): number {
    const given = this.#numbers[this.#drawn];
    this.#drawn += 1;
    if (given !== undefined) return given % sides;
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    const mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides;
  }

  oneIn(sides: number): boolean {
    return this.draw(sides) === 0;
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.draw(choices.length)] ?? choices[0];
  }
}

export function anyBrief(luck: Luck): Brief {
  const rules: Partial<Rules> = {
    max_subtask_retries: luck.draw(3),
    max_replans: luck.draw(3),
    max_loop_iterations: 3 + luck.draw(12),
    approval_timeout_ms: luck.pick([0, 60_000]),
    on_timeout: luck.pick(["reject", "pause"]),
    model_wait_ms: luck.pick([0, 20_000]),
  };
  return briefOf(
    {
      approval_mode: luck.pick(["auto", "manual", "confidence_threshold"]),
      approvers: luck.oneIn(4) ? "none" : "wait",
      approve_plan: luck.oneIn(3),
      checks: luck.oneIn(2) ? [{ name: "tests", run: "npm test" }] : [],
      budget: luck.pick([{}, {}, { tool_calls: 9 }, { wall_seconds: 90 }]),
    },
    rules,
  );
}

const ids = ["a", "b", "c", "d", "e"] as const;

/** Cycles, unknown dependencies and ids of earlier plans included. */
export function anyPlan(luck: Luck): SubtaskSpec[] {
  return ids
    .filter(() => luck.oneIn(2))
    .map((id, at) => {
      const others: readonly string[] = luck.oneIn(6) ? [...ids, "x"] : ids.slice(0, at);
      const tier = (1 + luck.draw(3)) as Tier;
      return spec(id, {
        depends_on: others.filter(() => luck.oneIn(3)),
        model_tier: tier,
        verification_tier: tier,
        is_critical_path: luck.oneIn(3),
        expected_outputs: luck.oneIn(3) ? ["out"] : [],
      });
    });
}

export type Keyed = Extract<Report, { readonly key: string }>;

/** What an executor of the effect may report next; `ends` when it has nothing to say after it. */
export interface Told {
  readonly report: Keyed;
  readonly ends: boolean;
}

export function anyReport(luck: Luck, effect: Effect, nth: number): Told {
  if (effect.kind !== "wait" && luck.oneIn(8)) return { report: failure(luck, effect.key), ends: true };
  if (effect.kind !== "wait" && luck.oneIn(12)) {
    return {
      report: { type: "ModelDown", key: effect.key, reason: "down", retryAfterMs: luck.draw(9000) },
      ends: true,
    };
  }
  return reporters[effect.kind](luck, effect, nth);
}

const classes = [
  "semantic",
  "no_output",
  "blocked",
  "denied",
  "timeout",
  "model",
  "internal",
] as const satisfies FailureClass[];

function failure(luck: Luck, key: string): Keyed {
  return { type: "Failed", key, class: luck.pick(classes), feedback: "no luck" };
}

const end = (report: Keyed): Told => ({ report, ends: true });
const outcome = { restored: ["a.txt"], conflicts: [], skipped: [] };
const back = { outcome, changes: [change("a.txt", file("b"), file("a"))], undoneIds: ["chg_a"] };

const reporters: Readonly<Record<Effect["kind"], (luck: Luck, effect: Effect, nth: number) => Told>> = {
  plan: (luck, { key }) => {
    const flaws = luck.oneIn(6) ? ["unreadable"] : [];
    return end({ type: "PlanProposed", key, subtasks: anyPlan(luck), flaws });
  },
  work: workReport,
  verify: (luck, { key }) => {
    const found = verdict({
      outcome: luck.pick(["pass", "pass", "pass_with_warnings", "fail", "inconclusive"]),
      confidence: luck.draw(11) / 10,
      independent: !luck.oneIn(3),
    });
    return end({ type: "Judged", key, verdict: found });
  },
  revert: (_luck, { key }) => end({ type: "Reverted", key, ...back }),
  extract: (_luck, { key }) => end({ type: "Extracted", key, entries: [] }),
  check: (luck, { key }) => {
    const results = [{ name: "tests", passed: !luck.oneIn(3), detail: "" }];
    return end({ type: "ChecksRan", key, results });
  },
  answer: (_luck, { key }) => end({ type: "Answered", key, summary: "done", answer: "done" }),
  undo: (_luck, { key }) => end({ type: "UndoDone", key, ...back }),
  wait: (_luck, { key }) => end({ type: "TimeReached", key }),
};

function workReport(luck: Luck, effect: Effect, nth: number): Told {
  const { key } = effect;
  const id = effect.kind === "work" ? effect.subtaskId : "";
  const at = `${key}:${nth}`;
  const ended = { type: "StepEnded", key, step: at } as const;
  const usage = { input_tokens: 3, output_tokens: 1 };
  const path = luck.pick(["a.txt", "b.txt", "c.txt"]);
  const edit = { subtask_id: id, change_id: `chg_${at}`, changes: [change(path, file("a"), file("b"))] };
  const writing = { ...toolStarted(id, at), writes: [path] };
  return luck.pick<Told>([
    { report: { type: "StepStarted", key, step: at, event: writing, instructionSeqs: [] }, ends: false },
    end({ type: "NeedsLease", key, path, turn: nth }),
    { report: { ...ended, events: [toolEnded(id, { step: at, success: !luck.oneIn(3) })] }, ends: false },
    { report: { ...ended, events: [modelCall("done", { subtask_id: id, usage })] }, ends: false },
    { report: { ...ended, events: [{ type: "files_changed", ...edit }] }, ends: false },
    end({ type: "Delivered", key, summary: "done", digest: "d" }),
    end({ type: "Delivered", key, summary: "done", digest: "d" }),
    end({ type: "NeedsApproval", key, ask: approvalAsk({ approval_id: `apr_${at}` }) }),
    end({ type: "NeedsAnswer", key, ask: questionAsk({ question_id: `qst_${at}` }) }),
  ]);
}
