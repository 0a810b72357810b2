/** What may be asked, as schemas: path, query and body of each route. Strict: a field that is not here is refused by name. */
import { isAbsolute } from "node:path";
import { z } from "zod";
import { Budget } from "../domain/budget.ts";
import { MemoryType, SteerMode, UndoScope } from "../domain/event.ts";
import { SubtaskId, TaskId } from "../domain/ids.ts";
import { Check } from "../domain/plan.ts";
import { TaskPolicy } from "../domain/policy-rules.ts";
import { ApprovalMode } from "../domain/rules.ts";
import { waitSecondsMax } from "./conditional.ts";

/** Kept out of paths and full-text queries: the file system and the database end a text at it. */
const noNul = (text: string) => !text.includes("\0");
const said = (charsMax: number) =>
  z
    .string()
    .max(charsMax)
    .refine((text) => text.trim() !== "", "must not be blank");
const reason = z.string().max(2000).nullish();
const flag = z.stringbool({ truthy: ["true", "1"], falsy: ["false", "0"] });
const number = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const seconds = z.coerce.number().min(0).max(waitSecondsMax);

export const TaskPath = z.object({ id: TaskId });
export const SubtaskPath = z.object({ id: TaskId, sid: SubtaskId });
export const QuestionPath = z.object({ id: TaskId, qid: z.string().min(1).max(200) });
export const FilePath = z.object({ id: TaskId, "*": z.string().min(1).max(4096).refine(noNul) });

const later = "Not available yet: 422 `not_available_yet`.";

/** Clients that cannot add a field put the task's policy into its metadata. */
export const MetadataPolicy = TaskPolicy.nullish();

export const SubmitBody = z
  .strictObject({
    goal: said(100_000).describe("What is to be achieved, in plain words."),
    workspace: z
      .string()
      .max(4096)
      .refine((path) => isAbsolute(path) && noNul(path), "must be an absolute path")
      .nullish()
      .describe("Absolute path of an existing, readable folder; default: a fresh one under workspace.scratch_dir."),
    context: z.record(z.string(), z.json()).nullish().describe("Constraints, focus areas, preferences."),
    metadata: z
      .record(z.string(), z.json())
      .nullish()
      .describe("Yours; comes back with the task. Its `policy` is read as the body's own is."),
    approval_mode: ApprovalMode.nullish().describe("Default `auto`."),
    callback_url: z
      .url({ protocol: /^https?$/, hostname: /^.+$/ })
      .max(2000)
      .nullish(),
    callback_events: z
      .array(z.enum(["approval_requested", "ask_user_requested"]))
      .max(2)
      .nullish()
      .describe("Beside the terminal ones."),
    checks: z.array(Check).max(20).nullish().describe("Commands that must exit 0 at the end."),
    budget: Budget.nullish(),
    approve_plan: z.boolean().nullish(),
    approvers: z.enum(["wait", "none"]).nullish().describe("`none`: nobody is there to answer. Default `wait`."),
    approval_timeout_seconds: z.int().min(0).max(31_536_000).nullish().describe("0: wait for ever."),
    auto_subfolder: z.boolean().nullish().describe(`true: ${later}`),
    process: z.string().max(200).nullish().describe(later),
    policy: TaskPolicy.nullish(),
    result_schema: z.unknown().optional().describe(later),
  })
  .superRefine(({ metadata }, context) => {
    const { error } = MetadataPolicy.safeParse(metadata?.["policy"]);
    for (const issue of error?.issues ?? [])
      context.addIssue({ ...issue, path: ["metadata", "policy", ...issue.path] });
  })
  .meta({ id: "SubmitTask" });
export type SubmitBody = z.infer<typeof SubmitBody>;

export const ListQuery = z.strictObject({
  status: z
    .enum(["pending", "planning", "executing", "paused", "waiting_approval", "completed", "failed", "cancelled"])
    .optional(),
  limit: number(1, 200).default(50),
  cursor: z.string().min(1).max(500).refine(noNul, "is not a cursor").optional(),
});

export const ViewQuery = z.strictObject({ wait: seconds.optional().describe("Seconds to wait for the task to end.") });

export const EventsQuery = z.strictObject({
  after: number(0, 1e15).default(0),
  limit: number(1, 1000).default(200),
  wait: seconds.default(0),
});

const cursor = z.string().max(40).optional();
const ticket = z
  .string()
  .max(200)
  .optional()
  .describe("From POST /stream-tickets, for browsers that cannot send a key.");

export const StreamQuery = z.strictObject({
  after: cursor.describe("Only events after this one."),
  last_event_id: cursor,
  tokens: flag.default(true),
  types: z.string().max(4000).optional().describe("Comma-separated types of events."),
  subtask: SubtaskId.optional(),
  ticket,
});

export const GlobalStreamQuery = z.strictObject({
  after: cursor.describe("`g<n>`: only events after this one; `now`: only what is new."),
  last_event_id: cursor,
  types: z.string().max(4000).optional(),
  ticket,
});

export const TokensQuery = z.strictObject({ subtask: SubtaskId.optional(), ticket });

export const TicketBody = z.strictObject({
  stream: z
    .string()
    .max(300)
    .regex(/^(?:\/tasks\/[^/?#]+\/(?:stream|tokens)|\/stream)$/, "is not the path of a stream")
    .describe(
      "The path of the one stream that the ticket is for: `/tasks/{id}/stream`, `/tasks/{id}/tokens` or `/stream`.",
    ),
});

export const DeliveryPath = z.object({ id: z.string().regex(/^msg_[0-9A-Za-z_]{1,200}$/) });

export const DeliveriesQuery = z.strictObject({
  task_id: TaskId.optional().describe("Only those of this task."),
  status: z.enum(["pending", "delivered", "failed"]).optional(),
  limit: number(1, 200).default(50),
  cursor: z.string().min(1).max(300).refine(noNul, "is not a cursor").optional(),
});

export const CancelBody = z.strictObject({ reason }).nullish();
export const CancelQuery = z.strictObject({ purge: flag.default(false).describe(`true: ${later}`) });

export const SteerBody = z.strictObject({
  instruction: said(20_000),
  mode: SteerMode.default("next_boundary").describe(
    "When it is read: before the next model turn, by the next subtask, or now.",
  ),
});

export const EmptyBody = z.strictObject({}).nullish();

export const ApproveBody = z.strictObject({
  subtask_id: SubtaskId.describe("`plan` for the plan."),
  approved: z.boolean(),
  reason,
  approval_id: z.string().min(1).max(200).nullish().describe("Which one, when the subtask has several."),
});

export const AnswerBody = z.strictObject({
  selected_option_ids: z.array(z.string().max(80)).max(25).default([]),
  selected_labels: z.array(z.string().max(300)).max(25).default([]),
  custom_response: z.string().max(8000).default(""),
  response_type: z.string().max(40).nullish(),
  source: z.string().max(100).nullish(),
  answered_by: z.string().min(1).max(200).nullish(),
  client_id: z.string().max(200).nullish(),
});

const comment = said(8000).nullish();

export const FeedbackBody = z
  .strictObject({
    rating: z.int().min(1).max(5).nullish(),
    comment,
    feedback: comment,
    subtask_id: SubtaskId.nullish(),
  })
  .refine(
    ({ rating, comment, feedback }) => (rating ?? comment ?? feedback) != null,
    "give at least one of rating, comment, feedback",
  )
  .refine(
    ({ comment, feedback }) => comment == null || feedback == null,
    "comment and feedback are one thing: give one of them",
  );

export const MessageBody = z.strictObject({ message: said(20_000), role: z.literal("user").nullish() });

export const MemoryQuery = z.strictObject({ entry_type: MemoryType.optional(), limit: number(1, 200).default(50) });

export const SearchQuery = z.strictObject({
  q: said(1000).refine(noNul, "must not hold NUL"),
  task_id: TaskId.optional(),
  limit: number(1, 100).default(20),
});

export const UndoBody = z
  .strictObject({
    scope: UndoScope,
    id: z.string().min(1).max(200).nullish().describe("Of the change or the subtask."),
    preview: z.boolean().default(false).describe("Tell what would happen, and do nothing."),
  })
  .refine(({ scope, id }) => scope === "task" || id != null, { path: ["id"], message: "is needed for this scope" });

export const ModelsQuery = z.strictObject({
  probe: z
    .union([flag, z.literal("again")])
    .default(false)
    .describe(
      'Ask each server first whether it is there, and what is not known of its models yet; "again": also what is known.',
    ),
});

export const NoQuery = z.strictObject({});
