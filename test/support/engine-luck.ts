/**
 * Executors whose luck a world decides: they succeed, fail, throw, lie, wait, ask, find their model down. What becomes of an
 * attempt depends on the seed and its name alone, so that it is the same however often Loom dies on the way.
 * Long because all kinds of luck stand beside each other.
 */

import type { Effect, EffectOf } from "../../src/domain/effect.ts";
import { approvalIdOf, questionIdOf } from "../../src/domain/ids.ts";
import type { Report } from "../../src/domain/report.ts";
import type { Verdict } from "../../src/domain/verdict.ts";
import { LoomError } from "../../src/lib/errors.ts";
import { unreachable } from "../../src/lib/result.ts";
import type { EffectClass } from "../../src/ports/event-store.ts";
import type { Executors } from "../../src/ports/executor.ts";
import type { StepSpec } from "../../src/ports/journal.ts";
import type { Played } from "./engine-desk.ts";
import { plannedBy, type Shape } from "./engine-luck-plan.ts";
import { approvalAsk, passed, questionAsk } from "./engine-samples.ts";
import type { Life, World } from "./engine-world.ts";

interface Site {
  readonly world: World;
  readonly life: Life;
  readonly shape: Shape;
}

type WorkPlayed = Played & { readonly effect: EffectOf<"work"> };

export function luckyExecutors(site: Site): Executors {
  const play = async (played: Played): Promise<Report> => {
    begin(site, played);
    try {
      return await act(site, played);
    } catch (error) {
      await linger(site, played);
      throw error;
    } finally {
      site.life.running.delete(played.effect.key);
    }
  };
  return { plan: play, work: play, verify: play, revert: play, extract: play, check: play, answer: play, undo: play };
}

/** An effect that starts twice, or beside another in its place, breaks what every law rests on. */
function begin({ world, life }: Site, { effect, stop }: Played): void {
  if (life.isDead) return;
  if (life.running.has(effect.key)) world.breaches.push(`${effect.key} was started while it ran`);
  const own = placeOf(effect);
  const beside = [...life.running.values()].find((other) => own !== null && placeOf(other.effect) === own);
  if (beside !== undefined) world.breaches.push(`${effect.key} was started beside ${beside.effect.key}`);
  life.running.set(effect.key, { effect, stop });
}

/** Where only one may be at work at a time. */
function placeOf(effect: Effect): string | null {
  if (effect.kind === "plan") return "the plan";
  return "subtaskId" in effect && effect.kind !== "extract" ? effect.subtaskId : null;
}

/** What was aborted may take a while to be dead. */
async function linger({ world, life }: Site, { effect, stop }: Played): Promise<void> {
  if (!stop.aborted.aborted || world.luck(effect.key, "lingers") < 0.5) return;
  const { clock } = world.portsOf(life);
  await clock.sleepUntil(clock.now() + 400, new AbortController().signal);
}

async function act(site: Site, played: Played): Promise<Report> {
  const { effect } = played;
  const { key } = effect;
  switch (effect.kind) {
    case "plan":
      return (
        (await askModel(site, played, { step: `v${effect.version}`, attempt: effect.call })) ??
        plannedBy(site.world, site.shape, effect)
      );
    case "work":
      return await work(site, { ...played, effect });
    case "verify":
      return (
        (await askModel(site, played, { step: `try-${effect.try}`, attempt: effect.attempt })) ?? judged(site, effect)
      );
    case "revert":
      await pass(site, played, "revert");
      return site.world.luck(key) < 0.2
        ? { type: "Failed", key, class: "tool", feedback: "no" }
        : { type: "Reverted", key, ...nothingRestored };
    case "extract":
      return (await askModel(site, played, { step: "extract", attempt: 1 })) ?? extracted(site, key);
    case "check":
      await pass(site, played, "check");
      return { type: "ChecksRan", key, results: [{ name: "c", passed: site.world.luck(key) < 0.5, detail: "" }] };
    case "answer":
      return (await askModel(site, played, { step: `plan-${effect.call}`, attempt: 1 })) ?? answered(site, key);
    case "undo":
      await pass(site, played, "undo");
      return { type: "UndoDone", key, ...nothingRestored };
    case "wait":
      throw new Error(`${key} is not for executors`);
    default:
      return unreachable(effect);
  }
}

const nothingRestored = { outcome: { restored: [], conflicts: [], skipped: [] }, changes: [], undoneIds: [] };

/** Takes its time, by the clock or in turns; is cut short by an abort. */
async function pass({ world, life }: Site, { effect, stop }: Played, what: string): Promise<void> {
  const luck = world.luck(effect.key, what, "pace");
  if (luck < 0.2)
    await world.portsOf(life).clock.sleepUntil(world.clock.now() + Math.ceil(luck * 20_000), stop.aborted);
  for (let hop = 0; hop < luck * 8; hop += 1) await life.within(() => Promise.resolve());
  stop.aborted.throwIfAborted();
}

/** @returns the report of a model that is down; null when it answered, which is then recorded */
async function askModel(
  site: Site,
  played: Played,
  { step, attempt, subtaskId }: { readonly step: string; readonly attempt: number; readonly subtaskId?: string },
): Promise<Report | null> {
  const { effect, journal, inbox } = played;
  const of = subtaskId ?? ("subtaskId" in effect ? effect.subtaskId : undefined);
  const about = {
    role: effect.kind,
    step: `${effect.kind}-${step}`,
    attempt,
    iteration: 1,
    ...(of === undefined ? {} : { subtask_id: of }),
  };
  const before = journal.recall(about.step)?.started;
  const seqs = Array.isArray(before) ? before.map(Number) : inbox.instructions().map(({ seq }) => seq);
  try {
    await journal.step(
      {
        step: about.step,
        effectClass: "pure",
        event: { type: "model_invocation", phase: "start", ...about },
        started: seqs,
        instructionSeqs: seqs,
      },
      async () => {
        await pass(site, played, step);
        if (isDown(site, played, step)) throw new LoomError("model_unavailable", "down");
        const usage = { input_tokens: 10, output_tokens: 5 };
        return { result: "said", events: [{ type: "model_invocation", phase: "done", ...about, usage }] };
      },
    );
    return null;
  } catch (error) {
    if (!(error instanceof LoomError) || error.code !== "model_unavailable") throw error;
    return { type: "ModelDown", key: effect.key, reason: "down", retryAfterMs: 3000 };
  }
}

/** A model comes back after it was waited for; where anything may happen, some never do. */
function isDown({ world, shape }: Site, { effect, current }: Played, step: string): boolean {
  const luck = world.luck(effect.key, step, "down");
  if (shape === "wild" && luck < 0.01) return true;
  const { planning, subtasks } = current();
  const waiter = "subtaskId" in effect ? subtasks.get(effect.subtaskId) : planning;
  return luck < 0.12 && (waiter?.waitingSince ?? null) === null;
}

async function work(site: Site, played: WorkPlayed): Promise<Report> {
  const { effect, journal, stop } = played;
  const { key, subtaskId, attempt } = effect;
  const luck = (...question: (string | number)[]) => site.world.luck(subtaskId, attempt, ...question);
  const turns = 1 + Math.floor(luck("turns") * 3);
  for (let nth = 1; nth <= turns; nth += 1) {
    const isAhead = journal.recall(`work-turn-${nth}`)?.ended === undefined;
    if (isAhead && stop.yielding.aborted) return { type: "Yielded", key };
    const down = await askModel(site, played, { step: `turn-${nth}`, attempt });
    if (down !== null) return down;
    const asked = askPerson(played, nth, luck("asks", nth));
    if (asked !== null) return asked;
    if (luck("call", nth) < 0.8) await callTool(site, played, `call-${nth}`);
  }
  return ended(site, effect);
}

/** @returns the report that asks; null when nobody is to be asked, or has answered */
function askPerson({ effect, current }: WorkPlayed, nth: number, luck: number): Report | null {
  const at = { subtaskId: effect.subtaskId, attempt: effect.attempt, turn: nth, call: 1 };
  const { approvals, questions } = current();
  if (luck < 0.2) {
    const id = approvalIdOf(at);
    const status = approvals.get(id)?.status;
    return status === undefined || status === "pending"
      ? { type: "NeedsApproval", key: effect.key, ask: approvalAsk(id) }
      : null;
  }
  const id = questionIdOf(at);
  const status = questions.get(id)?.status;
  const isOpen = status === undefined || status === "pending";
  return luck < 0.35 && isOpen ? { type: "NeedsAnswer", key: effect.key, ask: questionAsk(id) } : null;
}

const classes: readonly EffectClass[] = ["pure", "workspace", "external"];

async function callTool(site: Site, played: WorkPlayed, step: string): Promise<void> {
  const { effect, journal, task } = played;
  const { subtaskId: subtask_id, attempt } = effect;
  const effectClass =
    classes[Math.floor(site.world.luck(subtask_id, attempt, step, "class") * classes.length)] ?? "pure";
  const about = { subtask_id, tool: "t", step, attempt };
  const what = `${subtask_id}/${attempt}/${step}`;
  const facts = { success: true, output: "", files_changed: [], destructive: false, duration_ms: 0 };
  const end = { result: "done", events: [{ type: "tool_call_completed" as const, ...about, ...facts }] };
  const ask = task.brief.rules.on_uncertain === "ask" ? { ask: approvalAsk(`apr_uncertain_${what}`) } : {};
  const doubt = { type: "uncertain_effect" as const, ...about, detail: "?" };
  const interrupted: StepSpec<string>["interrupted"] = () => {
    if (effectClass === "external") return Promise.resolve({ kind: "uncertain", event: doubt, end, ...ask });
    return Promise.resolve(site.world.effects.has(what) ? { kind: "done", end } : { kind: "again" });
  };
  await journal.step(
    {
      step,
      effectClass,
      event: { type: "tool_call_started", ...about, args: {}, effect_class: effectClass },
      interrupted,
    },
    async () => {
      await pass(site, played, `${step}-before`);
      if (effectClass !== "pure") site.world.happen(site.life, what);
      await pass(site, played, `${step}-after`);
      return end;
    },
  );
}

function ended({ world, shape }: Site, { key, subtaskId, attempt }: EffectOf<"work">): Report {
  const luck = world.luck(subtaskId, attempt, "end");
  const delivered: Report = { type: "Delivered", key, summary: `${subtaskId} done in ${attempt}`, digest: "" };
  if (shape === "steady" && attempt > 1) return delivered;
  if (luck < 0.65) return delivered;
  if (luck < 0.75) return { type: "Failed", key, class: "no_output", feedback: "nothing" };
  if (luck < 0.8) return { type: "Failed", key, class: "blocked", feedback: "cannot" };
  if (luck < 0.85) throw new Error("A bug");
  if (luck < 0.9) return { type: "Answered", key, summary: "a lie", answer: "" };
  return luck < 0.95 ? { ...delivered, key: `work:${subtaskId}:99:1` } : { type: "Yielded", key };
}

function judged({ world, shape }: Site, { key, subtaskId, attempt, try: nth }: EffectOf<"verify">): Report {
  const luck = world.luck(subtaskId, attempt, nth, "verdict");
  const well: Report = { type: "Judged", key, verdict: passed };
  if (shape === "steady" && attempt > 1) return well;
  const other = (over: Partial<Verdict>): Report => ({ type: "Judged", key, verdict: { ...passed, ...over } });
  if (luck < 0.5) return well;
  if (luck < 0.65) return other({ confidence: 0.4 });
  if (luck < 0.8) return other({ outcome: "fail", feedback: "wrong" });
  if (luck < 0.9) return other({ outcome: "inconclusive", feedback: "?" });
  return { type: "Failed", key, class: "internal", feedback: "the verifier broke" };
}

function extracted({ world }: Site, key: string): Report {
  if (world.luck(key, "extract") < 0.2) return { type: "Failed", key, class: "internal", feedback: "no" };
  const entry = { entry_type: "discovery" as const, summary: key, detail: "", tags: [], relevance_to: [] };
  return { type: "Extracted", key, entries: [entry] };
}

function answered({ world }: Site, key: string): Report {
  if (world.luck(key, "answer") < 0.2) return { type: "Failed", key, class: "internal", feedback: "no" };
  return { type: "Answered", key, summary: "s", answer: "a" };
}
