/** Tiers 2 and 3: what other models say of the evidence. One opinion, or votes that look from different sides and settle by majority. */

import type { Verdict } from "../../domain/verdict.ts";
import { LoomError, messageOf } from "../../lib/errors.ts";
import type { EventStore } from "../../ports/event-store.ts";
import type { Execution } from "../../ports/executor.ts";
import type { Message, Models } from "../../ports/model.ts";
import type { Workspace } from "../../ports/workspace.ts";
import { requestRoom } from "../context/request-room.ts";
import { askModel } from "../model-step.ts";
import { type Reply, Reply as ReplySchema } from "../records.ts";
import { falsified } from "./controls.ts";
import { type LookPorts, lookAt, looksMax, pathsAskedFor } from "./look.ts";
import { type ReplicationPorts, replicated } from "./replicas/replication.ts";
import { reviewExamples } from "./review-examples.ts";
import {
  afterLook,
  askAgain,
  type ReviewMaterial,
  verdictSchema,
  verifierRequest,
  verifierSystem,
} from "./review-prompt.ts";
import { type Opinion, readOpinion, type Said } from "./review-reading.ts";
import type { Trials } from "./trial.ts";
import { alone, passing, together, type Vote } from "./votes.ts";

export interface ReviewPorts extends LookPorts, ReplicationPorts {
  readonly models: Pick<Models, "call" | "readJson" | "terms" | "window">;
  readonly events: Pick<EventStore, "steps">;
  readonly trials: Trials;
}

export interface ReviewCase {
  readonly execution: Execution<"verify">;
  readonly material: Omit<ReviewMaterial, "lens" | "share"> & { readonly workspace: Workspace };
  /** How many opinions are wanted: 1 for tier 2, more for tier 3. */
  readonly votes: number;
}

const reviewTier = 2;
const smallerShare = 0.3;

/** @throws LoomError model_unavailable, no_model_configured; StepRefused; an abort */
export async function review(ports: ReviewPorts, given: ReviewCase): Promise<Verdict> {
  const avoid = await modelsToAvoid(ports, given);
  const replica = given.votes === 1 ? await replicated(ports, { ...given, avoid: [...avoid] }) : null;
  if (replica !== null) return replica;
  const votes: Vote[] = [];
  for (let vote = 1; vote <= given.votes; vote += 1) {
    const cast = await voteOf(ports, given, { vote, avoid: [...avoid] });
    votes.push(cast);
    // The next vote is another model's where there is one.
    if (cast.model !== "") avoid.push(cast.model);
  }
  const { checks } = given.material;
  return given.votes === 1 ? alone(votes, checks) : together(votes, checks);
}

/** Who did the work does not judge it while there is another; nor does, the second time, who could not tell the first time. */
async function modelsToAvoid({ events }: ReviewPorts, { execution, material }: ReviewCase): Promise<string[]> {
  const { effect, task } = execution;
  const avoid = new Set(material.evidence.attempt.models);
  for (let earlier = 1; earlier < effect.try; earlier += 1) {
    for (const { ended } of await events.steps(task.id, `verify:${effect.subtaskId}:${effect.attempt}:${earlier}`)) {
      const reply = ReplySchema.safeParse(ended?.result);
      if (reply.success && reply.data.model !== "") avoid.add(reply.data.model);
    }
  }
  return [...avoid];
}

interface VoteAt {
  readonly vote: number;
  readonly avoid: readonly string[];
}

async function voteOf(ports: ReviewPorts, given: ReviewCase, at: VoteAt): Promise<Vote> {
  const lens = given.execution.effect.try - 1 + at.vote - 1;
  const room = (): Promise<number> =>
    requestRoom(ports.models, {
      pick: { role: "verifier", tier: reviewTier, avoid: at.avoid },
      system: verifierSystem(),
      schema: verdictSchema,
      examples: reviewExamples(),
      signal: given.execution.stop.aborted,
    });
  const bytesMax = await room();
  try {
    return await opinion(ports, given, {
      ...at,
      step: `review-${at.vote}`,
      lens,
      share: 1,
      bytesMax,
    });
  } catch (error) {
    if (!(error instanceof LoomError)) throw error;
    if (error.code === "model_refused") return unsure("verifier_refused", messageOf(error));
    if (error.code !== "context_overflow") throw error;
  }
  try {
    return await opinion(ports, given, {
      ...at,
      step: `review-${at.vote}-short`,
      lens,
      share: smallerShare,
      bytesMax: Math.min(await room(), bytesMax / 2),
    });
  } catch (error) {
    if (error instanceof LoomError && (error.code === "context_overflow" || error.code === "model_refused"))
      return unsure("verifier_overflow", messageOf(error));
    throw error;
  }
}

function unsure(code: string, feedback: string): Vote {
  return {
    outcome: "inconclusive",
    reason_code: code,
    severity_class: "infra",
    confidence: 0.4,
    feedback,
    issues: [],
    model: "",
    independent: false,
  };
}

interface Question extends VoteAt {
  readonly step: string;
  readonly lens: number;
  readonly bytesMax: number;
  /** 1, or less where the whole did not fit. */
  readonly share: number;
}

/** One question, the files that it takes to answer it, and if the answer cannot be read, one question more. */
async function opinion(ports: ReviewPorts, given: ReviewCase, at: Question): Promise<Vote> {
  const { messages, reply: first } = await informed(ports, given, at);
  const read = readOpinion(saidIn(first), ports.models);
  if (read !== null) {
    const vote = await believed(ports, given, { at, reply: first, read });
    return { ...vote, model: first.model, independent: isIndependent(given, first) };
  }
  const said: Message[] = first.text.trim() === "" ? [] : [{ role: "assistant", content: first.text }];
  const second = await asked(ports, given, {
    ...at,
    step: `${at.step}-again`,
    messages: [...messages, ...said, { role: "user", content: askAgain }],
  });
  const reread = readOpinion(saidIn(second), ports.models);
  // Who needed two questions to be understood is no better a judge for it.
  if (reread !== null && !(isYes(reread) && second.protocol !== undefined)) {
    const vote = await believed(ports, given, { at, reply: second, read: reread });
    return { ...vote, model: second.model, independent: isIndependent(given, second) };
  }
  return {
    ...unsure("parse_inconclusive", "The verifier's answer could not be read, twice."),
    severity_class: "inconclusive",
  };
}

const indiscriminate: Opinion = {
  outcome: "inconclusive",
  reason_code: "verifier_indiscriminate",
  severity_class: "inconclusive",
  confidence: 0.4,
  feedback:
    "The verifier judged work wrongly whose truth is known, or passed falsified evidence as well: what it says of this work counts for nothing.",
  issues: [],
};

interface Heard {
  readonly at: Question;
  readonly reply: Reply;
  readonly read: Opinion;
}

/** What a model says that had to be shown how to answer counts if it can judge at all, and its yes if it can say no to this. */
async function believed(ports: ReviewPorts, given: ReviewCase, { at, reply, read }: Heard): Promise<Opinion> {
  if (reply.protocol === undefined) return read;
  const isJudge = await ports.trials.isJudge(reply.model, async (step, messages) => {
    const answer = await asked(ports, given, { ...at, step: `${at.step}-${step}`, messages });
    const opinion = readOpinion(saidIn(answer), ports.models);
    return { model: answer.model, passes: opinion === null ? null : isYes(opinion) };
  });
  if (!isJudge) return indiscriminate;
  return isYes(read) && !(await canSayNo(ports, given, at)) ? indiscriminate : read;
}

/** Does it tell this work from the same case with falsified evidence? Asked of models that had to be shown how to answer. */
async function canSayNo(ports: ReviewPorts, given: ReviewCase, at: Question): Promise<boolean> {
  for (const [index, material] of falsified(given.material).entries()) {
    const messages: Message[] = [
      { role: "system", content: verifierSystem() },
      { role: "user", content: requestAt(material, at) },
    ];
    const reply = await asked(ports, given, { ...at, step: `${at.step}-control-${index + 1}`, messages });
    const opinion = readOpinion(saidIn(reply), ports.models);
    if (opinion === null || isYes(opinion)) return false;
  }
  return true;
}

function requestAt(material: ReviewCase["material"], { lens, share, bytesMax }: Question): string {
  return verifierRequest({ ...material, lens, share, bytesMax });
}

function isYes({ outcome }: Opinion): boolean {
  return passing.has(outcome);
}

function saidIn({ text, finish }: Reply): Said {
  return { text, isWhole: finish !== "length" && finish !== "filtered" };
}

/** Asks, and shows the files that the verifier asks to see before it judges, a bounded number of times. */
async function informed(
  ports: ReviewPorts,
  given: ReviewCase,
  at: Question,
): Promise<{ readonly messages: readonly Message[]; readonly reply: Reply }> {
  const messages: Message[] = [
    { role: "system", content: verifierSystem() },
    { role: "user", content: requestAt(given.material, at) },
  ];
  let reply = await asked(ports, given, { ...at, messages });
  for (let look = 1; look <= looksMax; look += 1) {
    const paths = pathsAskedFor(reply.text, ports.models);
    if (paths.length === 0) break;
    const { workspace } = given.material;
    const shown = await lookAt(ports, given.execution, workspace, {
      step: `${at.step}-read-${look}`,
      paths,
      share: at.share,
    });
    messages.push(
      { role: "assistant", content: reply.text },
      { role: "user", content: afterLook(shown, look === looksMax) },
    );
    reply = await asked(ports, given, { ...at, step: `${at.step}-seen-${look}`, messages });
  }
  return { messages, reply };
}

async function asked(
  ports: ReviewPorts,
  given: ReviewCase,
  at: VoteAt & { readonly step: string; readonly messages: readonly Message[] },
): Promise<Reply> {
  const { effect, journal, stop, task } = given.execution;
  return askModel(journal, ports, {
    step: at.step,
    pick: { role: "verifier", tier: reviewTier, avoid: at.avoid, taskId: task.id, priority: "verify" },
    // The first vote is cast as the model is configured; those after it more freely, so that they may differ.
    request: {
      messages: at.messages,
      schema: { name: "verdict", schema: verdictSchema },
      examples: reviewExamples(),
      ...(at.vote === 1 ? {} : { temperature: at.vote === 2 ? 0.4 : 0.7 }),
    },
    at: { subtaskId: effect.subtaskId, attempt: effect.attempt, iteration: at.vote },
    signal: stop.aborted,
  });
}

function isIndependent({ material }: ReviewCase, reply: Reply): boolean {
  return !material.evidence.attempt.models.includes(reply.model);
}
