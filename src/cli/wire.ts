/** What the command line reads of a task, an approval, a model …: the parts of the API's answers that it shows, as schemas. */
import { z } from "zod";
import { TaskPolicy } from "../domain/policy-rules.ts";

const text = z.string();
const count = z.number();

export const WireEvent = z.looseObject({
  event_type: text,
  task_id: text,
  seq: count.optional(),
  timestamp: text.optional(),
  subtask_id: text.optional(),
  data: z.record(text, z.unknown()),
});
export type WireEvent = z.infer<typeof WireEvent>;

const SubtaskShown = z.looseObject({
  id: text,
  description: text,
  status: text,
  depends_on: z.array(text).readonly(),
  attempt: count,
  summary: text,
  confidence: count.nullable(),
  flagged: z.boolean(),
});

export const TaskShown = z.looseObject({
  task_id: text,
  goal: text,
  status: text,
  workspace: text,
  // Views that an earlier version left behind have none of these.
  approvers: text.optional(),
  approval_timeout_seconds: count.optional(),
  policy: TaskPolicy.nullish(),
  plan: z.looseObject({ version: count, subtasks: z.array(SubtaskShown).readonly() }).nullable(),
  progress: z.looseObject({ total_subtasks: count, completed: count, failed: count, running: count }),
  errors: z.array(z.looseObject({ subtask: text.nullable(), error: text, resolution: text.optional() })).readonly(),
  result: z.looseObject({ summary: text, answer: text }).nullable(),
  awaiting: z
    .array(z.looseObject({ kind: text, id: text, reason: text.optional(), until: text.optional() }))
    .readonly(),
  workspace_changes: z.looseObject({ files_created: count, files_modified: count, files_deleted: count }),
  usage: z.looseObject({
    input_tokens: count,
    output_tokens: count,
    cached_tokens: count,
    model_calls: count,
    tool_calls: count,
    wall_ms: count,
    usd: count.optional(),
  }),
  budget: z
    .looseObject({
      cap: z.record(text, count),
      settled: z.record(text, count),
      reserved: z.record(text, count),
      excess: z.record(text, count).optional(),
    })
    .optional()
    .catch(undefined),
  last_seq: count,
  created_at: text,
});
export type TaskShown = z.infer<typeof TaskShown>;

export const TaskListed = z.looseObject({ task_id: text, goal: text, status: text, created_at: text });
export type TaskListed = z.infer<typeof TaskListed>;

export const ApprovalShown = z.looseObject({
  approval_id: text,
  task_id: text,
  subtask_id: text,
  kind: text,
  status: text,
  summary: text,
  reason_requested: text.optional(),
  action: z.looseObject({
    tool: text,
    arguments: z.record(text, z.unknown()),
    command: text.optional(),
    paths: z.array(text).readonly(),
    hosts: z.array(text).readonly(),
    diff: text.optional(),
  }),
  risk: text,
  expires_at: text.optional(),
  decided_by: text.optional(),
  reason: text.optional(),
});
export type ApprovalShown = z.infer<typeof ApprovalShown>;

export const QuestionShown = z.looseObject({
  question_id: text,
  subtask_id: text,
  status: text,
  question: text,
  question_type: text,
  options: z.array(z.looseObject({ id: text, label: text, description: text })).readonly(),
  allow_custom_response: z.boolean(),
  default_option_id: text.optional(),
  context_note: text,
  expires_at: text.optional(),
  answered_by: text.optional(),
});
export type QuestionShown = z.infer<typeof QuestionShown>;

const finding = z.looseObject({
  value: z.union([text, count]).nullable(),
  known_by: text.nullable(),
  at: text.nullable(),
});
export type FindingShown = z.infer<typeof finding>;

export const ModelShown = z.looseObject({
  name: text,
  provider: text,
  model: text,
  base_url: text,
  tier: count,
  roles: z.array(text).readonly(),
  tool_protocol: text,
  profile: z.looseObject({
    tools: finding,
    schema: finding,
    window_tokens: finding,
    prefix_reuse: finding,
    protocol: z.looseObject({ ...finding.shape, reason: text.nullable() }),
  }),
  health: text,
  notes: z.array(text).readonly(),
});
export type ModelShown = z.infer<typeof ModelShown>;

export const ToolShown = z.looseObject({ name: text, description: text, risk: text });
export type ToolShown = z.infer<typeof ToolShown>;

export const HealthShown = z.looseObject({
  status: text,
  version: text,
  ready: z.boolean(),
  problems: z.array(text).readonly(),
});
export type HealthShown = z.infer<typeof HealthShown>;

export const Restored = z.looseObject({
  restored: z.array(text).readonly(),
  conflicts: z.array(z.looseObject({ path: text, reason: text })).readonly(),
  skipped: z.array(text).readonly(),
  merged: z.array(text).readonly().optional(),
});
export type Restored = z.infer<typeof Restored>;

export const terminalEvents: ReadonlySet<string> = new Set(["task_completed", "task_failed", "task_cancelled"]);
export const terminalStatuses: ReadonlySet<string> = new Set(["completed", "failed", "cancelled"]);
