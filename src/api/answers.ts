/** What is answered, as schemas: for OpenAPI, and for tests that hold the answers to it. Open: fields may be added. */
import { z } from "zod";
import type { ChangeView } from "../domain/change-view.ts";
import { eventTypes, UndoOutcome } from "../domain/event.ts";
import { SubtaskKind, Tier } from "../domain/plan.ts";
import { TaskPolicy } from "../domain/policy-rules.ts";
import type { SubtaskView, TaskView } from "../domain/view.ts";
import type { DeliveryView, Health, ToolView, TraceStep } from "../ports/loom.ts";
import type { ModelInfo } from "../ports/model.ts";
import type { ModelProfile } from "../ports/model-profile.ts";
import { GapAnswer } from "./gaps.ts";
import { BudgetAnswer, PriceAnswer } from "./spend-answers.ts";
import { wireSchema } from "./wire.ts";

const text = z.string();
const count = z.int().min(0);
export const time = z.iso.datetime({ precision: 3 });
export const applied = { applied_seq: count.describe("The event at which this is visible.") };
const open = z.record(text, z.unknown());
const status = z.enum([
  "pending",
  "planning",
  "executing",
  "paused",
  "waiting_approval",
  "completed",
  "failed",
  "cancelled",
]);

export const SubtaskAnswer: z.ZodType<SubtaskView> = z
  .looseObject({
    id: text,
    description: text,
    status: z.enum(["pending", "running", "completed", "failed", "blocked", "skipped"]),
    depends_on: z.array(text),
    kind: SubtaskKind,
    model_tier: Tier,
    verification_tier: Tier,
    is_critical_path: z.boolean(),
    is_synthesis: z.boolean(),
    acceptance_criteria: text,
    attempt: count,
    retry_count: count,
    summary: text,
    confidence: z.number().nullable(),
    flagged: z.boolean(),
    files_changed: z.array(text),
  })
  .meta({ id: "Subtask" });

export const TaskAnswer: z.ZodType<TaskView> = z
  .looseObject({
    task_id: text,
    run_id: text,
    goal: text,
    status,
    workspace: text,
    approval_mode: text,
    approvers: z.enum(["wait", "none"]),
    approval_timeout_seconds: z.number().min(0).describe("0: for ever."),
    policy: TaskPolicy.nullable(),
    process: text.nullable(),
    context: open,
    metadata: open,
    plan: z.looseObject({ version: count, subtasks: z.array(SubtaskAnswer) }).nullable(),
    progress: z.looseObject({
      total_subtasks: count,
      completed: count,
      failed: count,
      pending: count,
      running: count,
      percent_complete: z.number().min(0).max(100),
    }),
    errors: z.array(z.looseObject({ subtask: text.nullable(), error: text, resolution: text.exactOptional() })),
    result: z.looseObject({ summary: text, answer: text }).nullable(),
    awaiting: z.array(
      z.looseObject({
        kind: z.enum(["approval", "question", "resume", "time", "lease", "workspace", "storage", "operator"]),
        id: text,
        since: time.exactOptional(),
        until: time.exactOptional(),
        reason: text.exactOptional(),
      }),
    ),
    workspace_changes: z.looseObject({ files_created: count, files_modified: count, files_deleted: count }),
    usage: z.looseObject({
      input_tokens: count,
      output_tokens: count,
      cached_tokens: count,
      model_calls: count,
      tool_calls: count,
      wall_ms: z.number(),
      usd: z.number().exactOptional(),
    }),
    budget: BudgetAnswer,
    last_seq: count,
    created_at: time,
    updated_at: time,
    completed_at: time.nullable(),
  })
  .meta({ id: "Task" });

export const SubmittedAnswer = z
  .looseObject({ task_id: text, status: z.literal("pending"), message: text, run_id: text, ...applied })
  .meta({ id: "Submitted" });

export const ListAnswer = z.array(
  z
    .looseObject({
      task_id: text,
      run_id: text,
      goal: text,
      status,
      workspace: text,
      last_seq: count,
      created_at: time,
      updated_at: time,
    })
    .meta({ id: "TaskRow" }),
);

const envelopes = eventTypes.map((type) =>
  z.looseObject({
    event_type: z.literal(type),
    task_id: text,
    run_id: text,
    seq: count,
    timestamp: time,
    subtask_id: text.optional(),
    data: wireSchema(type),
    truncated: z.boolean().optional().describe("Long texts or lists in `data` were cut to fit 16 KiB."),
  }),
);
const [firstEnvelope, ...moreEnvelopes] = envelopes;
if (firstEnvelope === undefined) throw new Error("There are no types of events");

export const EventAnswer = z
  .discriminatedUnion("event_type", [firstEnvelope, ...moreEnvelopes, GapAnswer])
  .meta({ id: "TaskEvent" });

export const TicketAnswer = z
  .looseObject({ ticket: text, stream: text, url: text, expires_at: time.describe("To be used by then.") })
  .meta({ id: "StreamTicket" });

export const DoneAnswer = z.looseObject({ status: z.literal("ok"), message: text, ...applied }).meta({ id: "Done" });
export const StateAnswer = z
  .looseObject({ status: z.literal("ok"), message: text, task_status: status, ...applied })
  .meta({ id: "StateChanged" });
export const UndoAnswer = z.looseObject({ ...UndoOutcome.shape, ...applied }).meta({ id: "Undone" });

export const TraceAnswer: z.ZodType<readonly TraceStep[]> = z.array(
  z.looseObject({ scope: text, step: text, started: z.unknown(), ended: z.unknown() }),
);

export const MemoryAnswer = z.array(
  z
    .looseObject({
      id: count,
      task_id: text,
      subtask_id: text,
      entry_type: text,
      summary: text,
      detail: text,
      tags: z.array(text),
      relevance_to: z.array(text),
      seq: count,
      timestamp: time,
    })
    .meta({ id: "MemoryEntry" }),
);

export const ChangesAnswer: z.ZodType<readonly ChangeView[]> = z.array(
  z
    .looseObject({
      change_id: text,
      path: text,
      operation: z.enum(["created", "modified", "deleted", "renamed"]),
      subtask_id: text,
      seq: count,
      undone: z.boolean(),
      bytes_before: count.nullable(),
      bytes_after: count.nullable(),
      moved_to: text.exactOptional(),
      moved_from: text.exactOptional(),
      shared_with: z.array(text).exactOptional(),
    })
    .meta({ id: "Change" }),
);

function found<V>(value: z.ZodType<V>) {
  return {
    value,
    known_by: z.enum(["config", "server", "documentation", "probe", "use"]).nullable(),
    at: time.nullable(),
  };
}
const holds = z.enum(["yes", "no", "unknown"]);
const ProfileAnswer: z.ZodType<ModelProfile> = z
  .looseObject({
    tools: z.looseObject(found(holds)).describe("Whether `tools` reach the prompt."),
    schema: z.looseObject(found(holds)).describe("Whether a JSON schema binds the reply."),
    window_tokens: z.looseObject(found(count.nullable())),
    prefix_reuse: z
      .looseObject(found(z.enum(["yes", "no", "not_reported", "unknown"])))
      .describe("Whether the prefix of a prompt is kept for the next one."),
    protocol: z
      .looseObject({ ...found(z.enum(["native", "json_schema", "text", "unknown"])), reason: text.nullable() })
      .describe("What follows for tool calls."),
  })
  .meta({ id: "ModelProfile" });

export const ModelsAnswer: z.ZodType<readonly ModelInfo[]> = z.array(
  z
    .looseObject({
      name: text,
      provider: text,
      model: text,
      base_url: text,
      tier: Tier,
      roles: z.array(z.enum(["planner", "executor", "verifier", "extractor", "compactor"])),
      max_tokens: count,
      temperature: z.number(),
      context_tokens: count.nullable(),
      tool_protocol: z.enum(["native", "json_schema", "text", "unknown"]),
      health: z.enum(["up", "down", "unknown"]),
      price: PriceAnswer,
      profile: ProfileAnswer,
      notes: z.array(text),
    })
    .meta({ id: "Model" }),
);

export const ToolsAnswer: z.ZodType<readonly ToolView[]> = z.array(
  z
    .looseObject({
      name: text,
      description: text,
      parameters: z.record(text, z.json()).describe("JSON schema of the arguments."),
      risk: z.enum(["low", "medium", "high"]),
      effect_class: z.enum(["pure", "workspace", "external"]),
      timeout_seconds: z.number(),
    })
    .meta({ id: "Tool" }),
);

const delivery = {
  delivery_id: text.describe("The `webhook-id` of every attempt."),
  task_id: text,
  url: text,
  type: text,
  status: z.enum(["pending", "delivered", "failed"]),
  attempts: count,
  history: z
    .array(z.looseObject({ at: time, status_code: count.nullable(), error: text.nullable() }))
    .describe("The latest attempts, oldest first."),
  last_error: text.nullable(),
  created_at: time,
  next_attempt_at: time.nullable().describe("null when nothing is owed."),
};
export const DeliveryAnswer: z.ZodType<DeliveryView> = z.looseObject(delivery).meta({ id: "Delivery" });
export const RedeliveryAnswer = z.looseObject({ ...delivery, ...applied }).meta({ id: "Redelivery" });

export const HealthAnswer: z.ZodType<Health> = z
  .looseObject({
    status: z.enum(["ok", "degraded", "draining"]),
    version: text,
    ready: z.boolean(),
    problems: z.array(text),
  })
  .meta({ id: "Health" });

export const LiveAnswer = z.looseObject({ status: z.literal("ok") });
export const OpenAnswer = open;
