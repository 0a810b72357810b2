/** Commands about one task on the server: status, cancel, approve, answer, steer, pause, undo … */
import { SteerMode } from "../domain/event.ts";
import { approvalLines } from "./cards.ts";
import { connectServer } from "./connect.ts";
import { exits, UsageError } from "./exit-codes.ts";
import { chosen } from "./prompt.ts";
import { styleOf } from "./screen.ts";
import { given, type Service } from "./service.ts";
import { type CommonOptions, readSettings } from "./settings.ts";
import { oneLine, visible } from "./style.ts";
import { listLines, questionLines, taskLines, undoLines } from "./views.ts";
import { say, type World } from "./world.ts";

type Json = { readonly json?: boolean };

/** Connects, does its work, and ends with 0 unless something is thrown. */
async function onServer(
  world: World,
  options: CommonOptions,
  work: (service: Service) => Promise<void>,
): Promise<number> {
  await using service = await connectServer(world, readSettings(world, options), options);
  await work(service);
  return exits.done;
}

export function status(world: World, taskId: string | undefined, options: CommonOptions & Json): Promise<number> {
  return onServer(world, options, async (service) => {
    if (taskId === undefined) {
      const tasks = await service.list();
      say(world.stdout, ...(options.json === true ? [JSON.stringify(tasks)] : listLines(tasks, styleOf(world))));
      return;
    }
    const task = await service.view(taskId);
    say(world.stdout, ...(options.json === true ? [JSON.stringify(task)] : taskLines(task, styleOf(world))));
  });
}

export function cancel(
  world: World,
  taskId: string,
  options: CommonOptions & { readonly reason?: string },
): Promise<number> {
  return onServer(world, options, async (service) => {
    const now = await service.cancel(taskId, options.reason);
    say(
      world.stdout,
      now === "cancelled" ? `${taskId} is cancelled; loom undo ${taskId} puts its files back` : `${taskId} is ${now}`,
    );
  });
}

export function change(
  world: World,
  taskId: string,
  options: CommonOptions & { readonly to: "pause" | "resume" | "retry" },
): Promise<number> {
  return onServer(world, options, async (service) =>
    say(world.stdout, `${taskId} is ${await service.change(taskId, options.to)}`),
  );
}

export function steer(
  world: World,
  request: { readonly taskId: string; readonly instruction: string },
  options: CommonOptions & { readonly mode?: string },
): Promise<number> {
  const mode = SteerMode.safeParse(options.mode ?? "next_boundary");
  if (!mode.success)
    throw new UsageError(`--mode "${options.mode}" is not known`, `Use one of ${SteerMode.options.join(", ")}`);
  return onServer(world, options, async (service) => {
    await service.steer(request.taskId, request.instruction, mode.data);
    say(world.stdout, `taken; loom watch ${request.taskId} shows when it is read`);
  });
}

/** @param taskId without one: what waits in every task */
export function approvals(world: World, taskId: string | undefined, options: CommonOptions & Json): Promise<number> {
  return onServer(world, options, async (service) => {
    const rows = await service.approvals(taskId);
    say(world.stdout, ...(options.json === true ? [JSON.stringify(rows)] : approvalLines(rows, styleOf(world))));
  });
}

export interface ApproveOptions extends CommonOptions {
  readonly reject?: boolean;
  readonly reason?: string;
  readonly approval?: string;
}

/** Decides the one approval that is meant: of this subtask, of this id, or the only one there is. */
export function approve(
  world: World,
  request: { readonly taskId: string; readonly subtaskId: string | undefined },
  options: ApproveOptions,
): Promise<number> {
  return onServer(world, options, async (service) => {
    const { taskId, subtaskId } = request;
    const pending = (await service.approvals(taskId)).filter((approval) => approval.status === "pending");
    const meant = pending.filter(
      (approval) =>
        (subtaskId ?? approval.subtask_id) === approval.subtask_id &&
        (options.approval ?? approval.approval_id) === approval.approval_id,
    );
    const [only, ...others] = meant;
    if (only === undefined) {
      if (pending.length > 0) say(world.stderr, ...approvalLines(pending, styleOf(world)));
      throw new UsageError(
        `Nothing of ${subtaskId === undefined ? taskId : `"${subtaskId}" in ${taskId}`} waits for a yes or no`,
        pending.length === 0 ? `loom status ${taskId} says what it waits for` : "Pending are those above",
      );
    }
    if (others.length > 0) {
      say(world.stderr, ...approvalLines(meant, styleOf(world)));
      throw new UsageError(
        `${meant.length} approvals are pending in ${taskId}`,
        "Name the subtask, or the approval with --approval ID",
      );
    }
    await service.approve(taskId, {
      subtaskId: only.subtask_id,
      approvalId: only.approval_id,
      approved: options.reject !== true,
      ...given({ reason: options.reason }),
    });
    const what = `${only.subtask_id} (${only.approval_id}): ${oneLine(visible(only.summary), 400)}`;
    say(world.stdout, `${options.reject === true ? "rejected" : "approved"}: ${what}`);
  });
}

export function questions(world: World, taskId: string, options: CommonOptions & Json): Promise<number> {
  return onServer(world, options, async (service) => {
    const asked = await service.questions(taskId);
    say(world.stdout, ...(options.json === true ? [JSON.stringify(asked)] : questionLines(asked)));
  });
}

export function answer(
  world: World,
  request: { readonly taskId: string; readonly text: string },
  options: CommonOptions & { readonly question?: string },
): Promise<number> {
  return onServer(world, options, async (service) => {
    const pending = (await service.questions(request.taskId)).filter((question) => question.status === "pending");
    const meant = pending.filter(({ question_id }) => (options.question ?? question_id) === question_id);
    const [only, ...others] = meant;
    if (only === undefined || others.length > 0) {
      if (pending.length === 0)
        throw new UsageError(
          `No question is open in ${request.taskId}`,
          `loom questions ${request.taskId} lists what was asked and answered`,
        );
      say(world.stderr, ...questionLines(pending));
      throw new UsageError(
        only === undefined
          ? `No question "${options.question}" is open in ${request.taskId}`
          : `${meant.length} questions are open in ${request.taskId}`,
        "Name one of those above with --question ID",
      );
    }
    await service.answer(request.taskId, { questionId: only.question_id, ...chosen(only, request.text) });
    say(world.stdout, `answered: ${only.question_id}`);
  });
}

export interface UndoOptions extends CommonOptions {
  readonly subtask?: string;
  readonly change?: string;
  readonly preview?: boolean;
}

export function undo(world: World, taskId: string, options: UndoOptions): Promise<number> {
  if (options.subtask !== undefined && options.change !== undefined)
    throw new UsageError(
      "--subtask and --change are both given",
      "Undo one of them at a time, or the whole task with neither",
    );
  const id = options.subtask ?? options.change;
  const scope = options.subtask !== undefined ? "subtask" : options.change !== undefined ? "change" : "task";
  return onServer(world, options, async (service) => {
    const preview = options.preview === true;
    say(world.stdout, ...undoLines(await service.undo(taskId, { scope, preview, ...given({ id }) }), preview));
  });
}
