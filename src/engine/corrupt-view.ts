/** The view of a task whose log cannot be folded: its last status, and that it stands still until someone looks. @see DECISIONS 34 */
import { runIdOf } from "../domain/ids.ts";
import type { TaskView } from "../domain/view.ts";
import type { TaskRow } from "../ports/event-store.ts";

const iso = (at: number): string => new Date(at).toISOString();

export function corruptView(row: TaskRow, reason: string): TaskView {
  return {
    task_id: row.taskId,
    run_id: runIdOf(row.taskId),
    goal: row.goal,
    // Rows are written from views; their status is one of these.
    status: row.status as TaskView["status"],
    workspace: row.workspace,
    approval_mode: "auto",
    approvers: "wait",
    approval_timeout_seconds: 0,
    policy: null,
    process: null,
    context: {},
    metadata: {},
    plan: null,
    progress: { total_subtasks: 0, completed: 0, failed: 0, pending: 0, running: 0, percent_complete: 0 },
    errors: [{ subtask: null, error: `log_corrupt: ${reason}` }],
    result: null,
    awaiting: [{ kind: "operator", id: row.taskId, reason: "its log cannot be read" }],
    workspace_changes: { files_created: 0, files_modified: 0, files_deleted: 0 },
    usage: { input_tokens: 0, output_tokens: 0, cached_tokens: 0, model_calls: 0, tool_calls: 0, wall_ms: 0 },
    budget: {
      cap: {},
      settled: { tokens: 0, model_calls: 0, tool_calls: 0, wall_seconds: 0 },
      reserved: { tokens: 0 },
    },
    last_seq: row.lastSeq,
    created_at: iso(row.createdAt),
    updated_at: iso(row.updatedAt),
    completed_at: null,
  };
}
