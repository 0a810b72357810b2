/** What people do to a task out of turn, whatever it is at. */
import type { Request } from "../../src/domain/request.ts";
import type { Task } from "../../src/domain/task.ts";

export type Meddling = "pause" | "resume" | "steer" | "interrupt" | "message" | "cancel" | "undo" | "retry" | "approve";

const by = "meddler";
export const meddlings: Readonly<Record<Meddling, (task: Task) => Request>> = {
  pause: () => ({ type: "PauseTask", by }),
  resume: () => ({ type: "ResumeTask", by }),
  steer: () => ({ type: "SteerTask", instruction: "i", mode: "next_boundary", by }),
  interrupt: () => ({ type: "SteerTask", instruction: "i", mode: "interrupt", by }),
  message: () => ({ type: "SendMessage", message: "m", by }),
  cancel: () => ({ type: "CancelTask", by }),
  undo: (task) => ({ type: "UndoChanges", scope: "subtask", id: [...task.subtasks.keys()][0] ?? "none", by }),
  retry: () => ({ type: "RetryTask", by }),
  approve: (task) => ({
    type: "DecideApproval",
    subtaskId: [...task.subtasks.keys()].at(-1) ?? "plan",
    approved: true,
    by,
  }),
};
