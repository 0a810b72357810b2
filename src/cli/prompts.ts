/**
 * What a task asks of the person at the terminal, one thing at a time and in its order. Somebody else may be faster: then
 * the question is taken back, and says who it was.
 */
import { LoomError } from "../lib/errors.ts";
import { approvalCard, diffOfPaths, isCut, questionCard } from "./cards.ts";
import { failureLines, ServerRefusal } from "./exit-codes.ts";
import { type Asking, chosen, type Decided, decisionIn } from "./prompt.ts";
import type { Screen } from "./screen.ts";
import type { Service } from "./service.ts";
import { oneLine, type Style } from "./style.ts";
import { type ApprovalShown, type QuestionShown, terminalEvents, type WireEvent } from "./wire.ts";

export interface PromptPorts {
  readonly service: Pick<Service, "approvals" | "approve" | "questions" | "answer" | "diff">;
  readonly taskId: string;
  readonly screen: Screen;
  readonly asking: Asking;
  readonly style: Style;
  /** Nobody is there any more: the input has ended while something waited. */
  readonly left: () => void;
}

interface Open {
  readonly kind: "approval" | "question";
  readonly id: string;
  /** Fires, with the words for it, when there is nothing to decide any more. */
  readonly takenBack: AbortController;
}

const choices: Readonly<Record<string, string>> = {
  tool: "[y]es, [n]o, or n and what to do instead",
  subtask: "[y]es, [n]o (put back and given up), or n and what is wrong (put back and tried again)",
  plan: "[y]es, [n]o (the task is cancelled), or n and what is wrong (a new plan is made)",
};

export class Prompts {
  readonly #ports: PromptPorts;
  readonly #waiting: Open[] = [];
  #current: Open | null = null;
  #running: Promise<void> = Promise.resolve();

  constructor(ports: PromptPorts) {
    this.#ports = ports;
  }

  /** Is something asked at this moment? */
  get isOpen(): boolean {
    return this.#current !== null;
  }

  /** @returns whether the event is shown as a question, now or when its turn comes */
  take(event: WireEvent): boolean {
    const asked = askedIn(event);
    if (asked !== null) {
      this.#waiting.push({ ...asked, takenBack: new AbortController() });
      if (this.#current === null) this.#running = this.#askAll();
      return true;
    }
    const isLast = terminalEvents.has(event.event_type);
    const settledId = settledIn(event);
    for (const open of [...this.#waiting, ...(this.#current === null ? [] : [this.#current])]) {
      if (isLast) open.takenBack.abort("the task is over");
      else if (open.id === settledId) open.takenBack.abort(outcomeIn(event));
    }
    return false;
  }

  /** Takes everything back: the person leaves. */
  leave(): void {
    for (const { takenBack } of this.#waiting) takenBack.abort("");
    this.#current?.takenBack.abort("left unanswered; it goes on waiting");
  }

  /** Resolves when nothing is asked any more. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #askAll(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (next.takenBack.signal.aborted) continue;
      this.#current = next;
      const resume = this.#ports.screen.hold();
      try {
        await this.#ask(next);
      } finally {
        this.#current = null;
        resume();
      }
    }
  }

  async #ask(open: Open): Promise<void> {
    const { asking, screen } = this.#ports;
    const { signal } = open.takenBack;
    if (asking.isStale && (await this.#line("  Press Enter for what is asked next. ", signal)) === null) return;
    for (;;) {
      try {
        return await (open.kind === "approval" ? this.#approval(open) : this.#question(open));
      } catch (error) {
        screen.lines(...failureLines(error));
        if (signal.aborted || isFinal(error)) return;
        if (!isFlaw(error) && (await this.#line("  Press Enter to be asked again. ", signal)) === null) return;
      }
    }
  }

  async #approval({ id, takenBack: { signal } }: Open): Promise<void> {
    const { service, screen, style, taskId } = this.#ports;
    const found = (await service.approvals(taskId)).find(({ approval_id }) => approval_id === id);
    if (found?.status !== "pending") return this.#tooLate(found?.status, found?.decided_by);
    const approval = await this.#withDiff(found);
    screen.lines(...approvalCard(approval, { style }));
    const decision = await this.#decision(approval, signal);
    if (decision === null) return;
    await service.approve(taskId, { subtaskId: approval.subtask_id, approvalId: id, ...decision });
  }

  async #decision(approval: ApprovalShown, signal: AbortSignal): Promise<Decided | null> {
    const { screen, style } = this.#ports;
    const more = isCut(approval) ? ", [d]iff to its end" : "";
    for (;;) {
      const typed = await this.#line(`  ${choices[approval.kind] ?? choices["tool"]}${more}: `, signal);
      const decision = typed === null ? null : decisionIn(typed);
      if (typed === null || decision !== null) return decision;
      if (more !== "" && /^d(?:iff)?$/i.test(typed)) screen.lines(...approvalCard(approval, { style, whole: true }));
      else if (typed !== "") screen.lines(`  "${oneLine(typed)}" is neither a yes nor a no: begin with y or n`);
    }
  }

  /** What a subtask came to is not in its row: the task's patch has it. */
  async #withDiff(approval: ApprovalShown): Promise<ApprovalShown> {
    const { action, kind } = approval;
    if (kind !== "subtask" || action.paths.length === 0) return approval;
    const diff = diffOfPaths(await this.#ports.service.diff(this.#ports.taskId), action.paths);
    return { ...approval, action: { ...action, diff } };
  }

  async #question({ id, takenBack: { signal } }: Open): Promise<void> {
    const { service, screen, style, taskId } = this.#ports;
    const question = (await service.questions(taskId)).find(({ question_id }) => question_id === id);
    if (question?.status !== "pending") return this.#tooLate(question?.status, question?.answered_by);
    screen.lines(...questionCard(question, style));
    const answer = await this.#answer(question, signal);
    if (answer !== null) await service.answer(taskId, { questionId: id, ...answer });
  }

  async #answer(question: QuestionShown, signal: AbortSignal): Promise<ReturnType<typeof chosen> | null> {
    const usual = question.options.find((option) => option.id === question.default_option_id);
    for (;;) {
      const typed = await this.#line(`  ${howToAnswer(question, usual?.label)}: `, signal);
      if (typed === null) return null;
      if (typed !== "") return chosen(question, typed);
      if (usual !== undefined) return { optionIds: [usual.id], text: "" };
    }
  }

  #tooLate(status = "decided", by = "somebody else"): void {
    this.#ports.screen.lines(`  already ${oneLine(status)} by ${oneLine(by)}`);
  }

  /** @returns null when the question was taken back, which is said, or nobody is there any more */
  async #line(question: string, takenBack: AbortSignal): Promise<string | null> {
    const typed = await this.#ports.asking.line(question, takenBack);
    if (typed !== null) return typed;
    const words = takenBack.aborted ? String(takenBack.reason) : "left unanswered; it goes on waiting";
    this.#ports.screen.lines("", ...(words === "" ? [] : [`  ${words}`]));
    if (!takenBack.aborted) this.#ports.left();
    return null;
  }
}

function howToAnswer({ allow_custom_response: custom, options, question_type: type }: QuestionShown, usual?: string) {
  if (options.length === 0) return "Your answer";
  const numbers = type === "multi_choice" ? "Numbers, with commas between" : "A number";
  const words = custom ? ", or an answer in words" : "";
  return `${numbers}${words}${usual === undefined ? "" : ` (Enter: ${oneLine(usual)})`}`;
}

function askedIn({ event_type: type, data }: WireEvent): Pick<Open, "kind" | "id"> | null {
  const { approval_id: approvalId, question_id: questionId } = data;
  if (type === "approval_requested" && typeof approvalId === "string") return { kind: "approval", id: approvalId };
  if (type === "ask_user_requested" && typeof questionId === "string") return { kind: "question", id: questionId };
  return null;
}

function settledIn({ event_type: type, data }: WireEvent): unknown {
  if (type === "approval_received" || type === "approval_expired") return data["approval_id"];
  return type === "ask_user_answered" ? data["question_id"] : undefined;
}

function outcomeIn({ event_type: type, data }: WireEvent): string {
  if (type === "approval_expired" || data["by"] === "timeout") return "nobody answered in time";
  const verb = type === "ask_user_answered" ? "answered" : data["approved"] === true ? "approved" : "rejected";
  return `already ${verb} by ${oneLine(String(data["by"]))}`;
}

/** The answer was not one that can be given; another is. */
function isFlaw(error: unknown): boolean {
  return statusOf(error) === 422;
}

/** Decided by someone else, or gone: asking again leads nowhere. */
function isFinal(error: unknown): boolean {
  return [404, 409].includes(statusOf(error));
}

function statusOf(error: unknown): number {
  return error instanceof ServerRefusal || error instanceof LoomError ? error.status : 0;
}
