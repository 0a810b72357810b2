/**
 * Verification by doing it again. A very small model cannot say whether work is right: it says yes or no to whatever it is
 * shown. But it can do a small job, and what it does after examples of different jobs in different orders is the same mostly
 * where it is right. So small work of such models is done again, blind, in copies, and passes if it comes out the same.
 */
import { planned } from "../../../domain/task.ts";
import type { Verdict } from "../../../domain/verdict.ts";
import type { BlobStore } from "../../../ports/blob-store.ts";
import type { Execution } from "../../../ports/executor.ts";
import type { Models } from "../../../ports/model.ts";
import type { Tool, Tools } from "../../../ports/tool.ts";
import type { Workspace } from "../../../ports/workspace.ts";
import { within } from "../../excerpt.ts";
import { subtaskSection } from "../../prompts.ts";
import { variantsOfExamples } from "../../working/example-jobs.ts";
import { plainSystem } from "../../working/plain.ts";
import type { ReviewMaterial } from "../review-prompt.ts";
import { filesBefore, filesOf } from "./copied-files.ts";
import { saysWhatWasAsked } from "./looks.ts";
import { losesOnlyWhatItShould } from "./losses.ts";
import { isSame, isTelling, outcomeOf, type PlayOutcome, tellOutcome } from "./outcome.ts";
import { type Job, playReplica, type ReplicaPorts } from "./replica.ts";
import { comesFromTheJob } from "./sources.ts";

export interface ReplicationPorts extends ReplicaPorts {
  readonly models: Pick<Models, "call" | "terms" | "window">;
  readonly tools: Pick<Tools, "forTask">;
  readonly blobs: BlobStore;
}

export interface ReplicationCase {
  readonly execution: Execution<"verify">;
  /** Names of models to take only if there is no other. */
  readonly avoid: readonly string[];
  readonly material: Pick<ReviewMaterial, "task" | "subtask" | "evidence" | "checks"> & {
    readonly workspace: Workspace;
  };
}

/** What can be done in a copy, and does the same there. */
const fileTools: ReadonlySet<string> = new Set([
  "read_file",
  "list_directory",
  "edit_file",
  "write_file",
  "append_file",
  "move_file",
  "delete_file",
]);
const callsMax = 12;
const changesMax = 6;
const replicasMax = variantsOfExamples - 1;
const agreeingLeast = 2;
const temperatureAgain = 0.5;

/** @returns the verdict; null where the work is not of this kind, or its replicas do not agree on anything */
export async function replicated(ports: ReplicationPorts, given: ReplicationCase): Promise<Verdict | null> {
  const { material } = given;
  const { attempt } = material.evidence;
  if (!isSmallWork(material.evidence) || !isToldWhole(material)) return null;
  const now = await filesOf(material.workspace);
  const before = now === null ? null : await filesBefore(now, material.evidence.net, ports.blobs);
  if (now === null || before === null) return null;
  const job = await jobOf(ports, given, before);
  const shown = attempt.calls.flatMap(({ record }) => (record.success ? [record.output] : []));
  const own = outcomeOf(job.text, { before, after: now, said: attempt.finalText, shown });
  // Nothing that such a model says of another place than it was sent to is worth three plays.
  if (own.changes.size === 0 && !saysWhatWasAsked(job.text, attempt, before)) return null;
  const asked = askedOf(material);
  const mayPass = isTelling(own) && comesFromTheJob(asked, own, before) && losesOnlyWhatItShould(asked, own, before);
  const others: Played[] = [];
  for (let n = 1; n <= replicasMax; n += 1) {
    const played = await playReplica(ports, job, variantAt(given.execution.effect, n));
    if (played.kind === "unneeded") return null;
    if (played.kind === "ended") others.push(played);
    const verdict = judged(given, { ...own, mayPass }, { others, plays: n });
    if (verdict !== null) return verdict;
  }
  return null;
}

interface Played {
  readonly outcome: PlayOutcome;
  readonly model: string;
}

function isSmallWork({ attempt, changes, net }: ReviewMaterial["evidence"]): boolean {
  const { calls, wasShownForm } = attempt;
  // What another subtask may have made too cannot be taken out of the files again.
  const isOwn = changes.every(({ sharedWith }) => sharedWith === undefined);
  const isPlain = calls.every(({ record }) => !record.success || fileTools.has(record.tool));
  return wasShownForm && isOwn && isPlain && calls.length <= callsMax && net.length <= changesMax;
}

/** Of a plan that is one subtask the goal is the job, whatever the planner made of it. */
function askedOf({ task, subtask }: ReplicationCase["material"]): string {
  return planned(task).length === 1 ? task.brief.goal : subtask.spec.description;
}

/** Who does it again knows the job alone: not what others found before, nor what people said since. */
function isToldWhole({ subtask, task }: ReplicationCase["material"]): boolean {
  return subtask.spec.depends_on.length === 0 && task.instructions.length === 0;
}

async function jobOf(
  ports: ReplicationPorts,
  { avoid, execution, material }: ReplicationCase,
  before: Job["before"],
): Promise<Job> {
  const { task, subtask, workspace } = material;
  const { spec } = subtask;
  const description = askedOf(material);
  const acceptance = planned(task).length === 1 ? "" : spec.acceptance_criteria;
  const pick = { role: "verifier", tier: 2, avoid, taskId: task.id, priority: "verify" } as const;
  const windowTokens = (await ports.models.window(pick, execution.stop.aborted))?.contextTokens ?? 8192;
  const offered: readonly Tool[] = await ports.tools.forTask({ workspace, someoneCanAnswer: false });
  return {
    execution,
    pick,
    // A byte for a token: a quarter of the window, or less.
    plain: plainSystem(task, windowTokens),
    briefing: subtaskSection({
      ...spec,
      description,
      acceptance_criteria: acceptance,
      expected_outputs: [],
      checks: [],
    }),
    text: `${description} ${spec.description}`,
    kind: spec.kind,
    tools: offered.filter(({ schema }) => fileTools.has(schema.name)),
    root: workspace.root,
    windowTokens,
    before,
  };
}

/** Never as the executor was shown it; and where it is asked again, more freely. */
function variantAt({ attempt, try: nth }: ReplicationCase["execution"]["effect"], n: number) {
  const step = `replica-${n}`;
  const variant = attempt - 1 + n;
  return nth === 1 ? { step, variant } : { step, variant, temperature: temperatureAgain };
}

interface OwnOutcome extends PlayOutcome {
  /** It is of a kind that the same from others says something for. */
  readonly mayPass: boolean;
}

interface Plays {
  readonly others: readonly Played[];
  /** Those that came to no end among them. */
  readonly plays: number;
}

/** @returns null while it is open */
function judged({ material }: ReplicationCase, own: OwnOutcome, { others, plays }: Plays): Verdict | null {
  const agreeing = others.filter(({ outcome }) => isSame(own, outcome));
  // Words agree sooner than files do: where nothing was changed, all of them must have found the same.
  const enough = own.changes.size === 0 ? replicasMax : agreeingLeast;
  const independent = others.every(({ model }) => !material.evidence.attempt.models.includes(model));
  const confidence = (agreeing.length + 1) / (plays + 1);
  const verdict = {
    tier: 2,
    severity_class: "semantic" as const,
    checks: [...material.checks],
    confidence,
    independent,
  };
  if (own.mayPass && agreeing.length >= enough)
    return { ...verdict, outcome: "pass", reason_code: "replicated", feedback: "", issues: [] };
  const against = others.find(
    ({ outcome }) =>
      !isSame(own, outcome) &&
      isTelling(outcome) &&
      others.filter((other) => isSame(outcome, other.outcome)).length >= agreeingLeast,
  );
  if (against === undefined) return null;
  const feedback = within(
    `Others who did the same job without seeing this work came to something else: ${tellOutcome(against.outcome)}. After this work ${tellOutcome(own)}.`,
    6000,
  );
  return {
    ...verdict,
    outcome: "fail",
    reason_code: "not_replicated",
    feedback,
    issues: [within(feedback, 300)],
  };
}
