/** Submission: how a task comes to be. What can be refused is refused before anything is made; an idempotency key makes it once. */

import type { Charge } from "../domain/budget.ts";
import { runIdOf } from "../domain/ids.ts";
import type { Rules } from "../domain/rules.ts";
import type { Brief } from "../domain/task.ts";
import { LoomError, refused } from "../lib/errors.ts";
import type { IdempotencyRow } from "../ports/event-store.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { Loom, Submission, Submitted } from "../ports/loom.ts";
import type { Models } from "../ports/model.ts";
import type { Egress } from "../ports/policy.ts";
import type { Clock, Ids } from "../ports/runtime.ts";
import type { Workspaces } from "../ports/workspace.ts";
import { accountOf, requireDay, requirePrices } from "./daily-budget.ts";
import { deadlineIn } from "./deadline.ts";
import type { Places } from "./places.ts";
import { type Key, type Repeats, sameRequest } from "./repeats.ts";
import type { Supervisor } from "./supervisor.ts";

export interface SubmissionPorts {
  readonly supervisor: Supervisor;
  readonly repeats: Repeats;
  readonly places: Places;
  readonly models: Models;
  readonly workspaces: Workspaces;
  readonly egress: Egress;
  readonly clock: Clock;
  readonly ids: Ids;
  /** In force for tasks created from now on. */
  readonly rules: Rules;
  readonly approvers: "wait" | "none";
  readonly ledger: Ledger;
  /** Of submitters without one of their own; 0: none. */
  readonly dailyBudget: Charge;
  readonly allowPrivateWebhooks: boolean;
}

const callbackCheckMs = 5000;

export async function submit(ports: SubmissionPorts, submission: Submission): ReturnType<Loom["submit"]> {
  const { idempotency } = submission;
  return await ports.repeats.once<Awaited<ReturnType<Loom["submit"]>>>(idempotency, {
    first: () => {
      const { submittedBy: by, openTasksMax } = submission;
      return ports.places.within({ by, openTasksMax }, () => created(ports, submission));
    },
    again: replayed,
  });
}

async function created(ports: SubmissionPorts, submission: Submission): ReturnType<Loom["submit"]> {
  const { idempotency } = submission;
  requireModels(ports);
  const account = accountOf(submission, ports.dailyBudget);
  requirePrices(ports.models, { budget: submission.budget, account });
  await requireDay(ports, account);
  if (submission.callbackUrl !== undefined) await checkCallback(ports, submission.callbackUrl);
  const taskId = ports.ids.next("task");
  ports.supervisor.requireRunning();
  const brief = { ...(await briefOf(ports, submission, taskId)), ...(account === undefined ? {} : { account }) };
  const createdAt = ports.clock.now();
  const kept = idempotency === undefined ? undefined : (id: string) => keptAnswer(idempotency, { id, createdAt });
  const result = await ports.supervisor.create(taskId, brief, kept);
  if (!result.ok) throw refused(result.error);
  const { appliedSeq, duplicate } = result.value;
  if (duplicate !== undefined && idempotency !== undefined) return replayed(sameRequest(duplicate, idempotency));
  return { kind: "created", task: { taskId, runId: runIdOf(taskId), appliedSeq } };
}

export function missingModels(models: Models): string | null {
  const missing = models.missingRoles();
  return missing.length === 0 ? null : `No model is configured for the role ${missing.join(" and ")}`;
}

function requireModels({ models }: SubmissionPorts): void {
  const missing = missingModels(models);
  if (missing === null) return;
  throw new LoomError("no_model_configured", missing, {
    hint: "Add a [models.<name>] section with these roles to loom.toml, or start Ollama, LM Studio, llama.cpp or vLLM on its usual port, and restart; `loom doctor` says what was found",
  });
}

function keptAnswer(
  { key, fingerprint }: Key,
  { id, createdAt }: { readonly id: string; readonly createdAt: number },
): IdempotencyRow {
  return { key, fingerprint, status: 201, body: { task_id: id, applied_seq: 1 }, createdAt };
}

function replayed({ body }: IdempotencyRow): { readonly kind: "replayed"; readonly task: Submitted } {
  // Rows of submissions are written above and nowhere else.
  const { task_id: taskId } = body as { readonly task_id: string };
  return { kind: "replayed", task: { taskId, runId: runIdOf(taskId), appliedSeq: 1 } };
}

async function checkCallback({ egress, clock, allowPrivateWebhooks }: SubmissionPorts, url: string): Promise<void> {
  using deadline = deadlineIn(clock, callbackCheckMs);
  const { signal } = deadline;
  const refusal = await egress.check(url, { allowPrivate: allowPrivateWebhooks, signal }).catch((error: unknown) => {
    if (signal.aborted) return null; // a name that does not resolve in time is looked at again with each delivery
    throw error;
  });
  if (refusal === null) return;
  throw new LoomError("callback_refused", `callback_url "${url}" is refused: ${refusal}`, {
    hint: "Set [webhooks] allow_private = true if this address is meant",
    errors: [{ pointer: "#/callback_url", detail: refusal }],
  });
}

async function briefOf(ports: SubmissionPorts, submission: Submission, taskId: string): Promise<Brief> {
  const root = submission.workspace ?? (await ports.workspaces.createScratch(taskId));
  const workspace = await ports.workspaces.open(root);
  const timeoutSeconds = submission.approvalTimeoutSeconds;
  return {
    goal: submission.goal,
    workspace: workspace.root,
    context: { ...submission.context },
    metadata: { ...submission.metadata },
    approval_mode: submission.approvalMode ?? "auto",
    ...(submission.callbackUrl === undefined ? {} : { callback_url: submission.callbackUrl }),
    callback_events: [...(submission.callbackEvents ?? [])],
    checks: [...(submission.checks ?? [])],
    budget: submission.budget ?? {},
    approve_plan: submission.approvePlan ?? false,
    approvers: submission.approvers ?? ports.approvers,
    submitted_by: submission.submittedBy,
    ...(submission.policy === undefined ? {} : { policy: submission.policy }),
    rules: { ...ports.rules, ...(timeoutSeconds === undefined ? {} : { approval_timeout_ms: timeoutSeconds * 1000 }) },
  };
}
