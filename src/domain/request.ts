/** Requests: what a client or a person asks of a task. They may be refused, with a reason. */
import type { QuestionAnswer } from "./approval.ts";
import type { SteerMode, UndoScope } from "./event.ts";
import type { Brief } from "./task.ts";

export type Request =
  | { readonly type: "SubmitTask"; readonly brief: Brief }
  | {
      readonly type: "DecideApproval";
      readonly subtaskId: string;
      readonly approved: boolean;
      readonly by: string;
      readonly reason?: string;
      readonly approvalId?: string;
    }
  | {
      readonly type: "AnswerQuestion";
      readonly questionId: string;
      readonly answer: QuestionAnswer;
      readonly by: string;
    }
  | { readonly type: "SteerTask"; readonly instruction: string; readonly mode: SteerMode; readonly by: string }
  | { readonly type: "SendMessage"; readonly message: string; readonly by: string }
  | { readonly type: "PauseTask"; readonly by: string }
  | { readonly type: "ResumeTask"; readonly by: string }
  | { readonly type: "CancelTask"; readonly by: string; readonly reason?: string }
  | { readonly type: "RetryTask"; readonly by: string }
  | { readonly type: "UndoChanges"; readonly scope: UndoScope; readonly id?: string; readonly by: string }
  | {
      readonly type: "GiveFeedback";
      readonly rating?: number;
      readonly comment?: string;
      readonly subtaskId?: string;
      readonly by: string;
    };
