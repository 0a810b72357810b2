/** Asks the person at the terminal: for a yes or no to an approval, for the answer to a question. */
import { createInterface } from "node:readline";
import type { Service } from "./service.ts";
import { oneLine } from "./style.ts";
import type { QuestionShown, WireEvent } from "./wire.ts";
import type { World } from "./world.ts";

export interface Asking extends Disposable {
  /** @returns what was typed, or null when the input has ended or the signal fired */
  line(question: string): Promise<string | null>;
}

export function askAt(world: World, signal: AbortSignal): Asking {
  const typed = createInterface({ input: world.stdin, terminal: false });
  const lines = typed[Symbol.asyncIterator]();
  const stopped = new Promise<null>((resolve) => {
    if (signal.aborted) resolve(null);
    else signal.addEventListener("abort", () => resolve(null), { once: true });
  });
  return {
    line: async (question) => {
      world.stdout.write(question);
      const next = await Promise.race([lines.next(), stopped]);
      return next === null || next.done === true ? null : next.value.trim();
    },
    [Symbol.dispose]: () => typed.close(),
  };
}

/** @returns whether it was answered; false leaves it pending */
export async function decideApproval(service: Service, asking: Asking, event: WireEvent): Promise<boolean> {
  const approvalId = event.data["approval_id"];
  const subtaskId = event.subtask_id;
  if (typeof approvalId !== "string" || subtaskId === undefined) return false;
  for (;;) {
    const typed = await asking.line("  Approve? [y]es, [n]o, or no with a reason: ");
    if (typed === null) return false;
    if (typed === "") continue;
    const approved = /^y(es)?$/i.test(typed);
    const reason = approved || /^no?$/i.test(typed) ? undefined : typed.replace(/^no?[,:]?\s+/i, "");
    await service.approve(event.task_id, {
      subtaskId,
      approvalId,
      approved,
      ...(reason === undefined ? {} : { reason }),
    });
    return true;
  }
}

export async function answerQuestion(service: Service, asking: Asking, event: WireEvent): Promise<boolean> {
  const questionId = event.data["question_id"];
  const question = (await service.questions(event.task_id)).find((known) => known.question_id === questionId);
  if (question?.status !== "pending") return false;
  const options = question.options.map(({ label }, index) => `  ${index + 1}. ${oneLine(label)}\n`).join("");
  const hint = question.options.length === 0 ? "Answer: " : "Number, or an answer in words: ";
  for (;;) {
    const typed = await asking.line(`${options}  ${hint}`);
    if (typed === null) return false;
    if (typed === "") continue;
    await service.answer(event.task_id, { questionId: question.question_id, ...chosen(question, typed) });
    return true;
  }
}

/** Numbers, ids and labels of options choose; anything else is an answer of one's own. */
export function chosen(
  { options }: Pick<QuestionShown, "options">,
  typed: string,
): { readonly optionIds: readonly string[]; readonly text: string } {
  const words = options.length === 0 ? [] : typed.split(/\s*,\s*/);
  const picked = words.map(
    (word) =>
      options[Number(word) - 1] ??
      options.find(({ id, label }) => id === word || label.toLowerCase() === word.toLowerCase()),
  );
  const known = picked.flatMap((option) => option ?? []);
  return known.length > 0 && known.length === words.length
    ? { optionIds: known.map(({ id }) => id), text: "" }
    : { optionIds: [], text: typed };
}
