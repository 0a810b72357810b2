/** The person at the terminal: what is asked of them a line at a time, and what they mean by what they type. */
import { createInterface } from "node:readline";
import type { QuestionShown } from "./wire.ts";
import type { World } from "./world.ts";

export interface Asking extends Disposable {
  /** @returns what was typed after it was asked, or null when the input has ended or the question was taken back */
  line(question: string, takenBack: AbortSignal): Promise<string | null>;
  /** A question was taken back while something may have been half typed: the next line may be meant for it. */
  readonly isStale: boolean;
}

/** What is typed while nothing is asked counts for nothing: nobody has seen what it would be a yes to. */
export function askAt({ stdin, stdout }: Pick<World, "stdin" | "stdout">): Asking {
  const typed = createInterface({ input: stdin, terminal: false });
  let answer: ((line: string | null) => void) | null = null;
  let isStale = false;
  let isOver = false;
  const settle = (line: string | null) => {
    const settled = answer;
    answer = null;
    isStale = false;
    settled?.(line);
  };
  typed.on("line", (line) => settle(line.trim()));
  typed.on("close", () => {
    isOver = true;
    settle(null);
  });
  return {
    line: async (question, takenBack) => {
      if (isOver || takenBack.aborted) return null;
      stdout.write(question);
      const { promise, resolve } = Promise.withResolvers<string | null>();
      answer = resolve;
      const leave = () => {
        settle(null);
        isStale = true;
      };
      takenBack.addEventListener("abort", leave, { once: true });
      try {
        return await promise;
      } finally {
        takenBack.removeEventListener("abort", leave);
      }
    },
    get isStale() {
      return isStale;
    },
    [Symbol.dispose]: () => typed.close(),
  };
}

export interface Decided {
  readonly approved: boolean;
  readonly reason?: string;
}

/** @returns what was meant; null for what is neither a yes nor a no, which is nothing to guess about */
export function decisionIn(typed: string): Decided | null {
  if (/^y(?:es)?$/i.test(typed)) return { approved: true };
  const no = /^no?(?:[\s,:;.]+(.*))?$/is.exec(typed);
  if (no === null) return null;
  const reason = no[1]?.trim() ?? "";
  return reason === "" ? { approved: false } : { approved: false, reason };
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
