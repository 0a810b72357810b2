/** Stories for the judges: what an executor did on the bench, and the verdict on it. */
import type { Rules } from "../../src/domain/rules.ts";
import type { Verdict } from "../../src/domain/verdict.ts";
import { createVerifier } from "../../src/roles/verifying/verify.ts";
import { createWorker } from "../../src/roles/working/work.ts";
import { type Answer, act, Bench, call, deliver, type Script, say } from "./role-bench.ts";
import { spec } from "./role-task.ts";

export const passed =
  '{"passed":true,"outcome":"pass","reason_code":"ok","severity_class":"semantic","confidence":0.9,"feedback":"","issues":[]}';

export interface Story {
  readonly files?: Readonly<Record<string, string>>;
  readonly spec?: Parameters<typeof spec>[0];
  readonly rules?: Partial<Rules>;
  /** What the executor does, turn by turn. */
  readonly work: readonly Answer[];
}

export function told(story: Story): Bench {
  const bench = new Bench(story.files);
  bench.subtasks = [spec(story.spec)];
  if (story.rules !== undefined) bench.brief = { rules: story.rules };
  return bench;
}

export async function worked(bench: Bench, { work }: Story): Promise<void> {
  await deliver(bench, createWorker(bench.ports), (_asked, n) => work[n - 1] ?? say("Done."));
  bench.asked.length = 0;
}

export async function judged(
  bench: Bench,
  review: Script = () => say(passed),
  effect: { readonly try?: number; readonly tier?: number } = {},
): Promise<Verdict> {
  bench.script = review;
  const execution = bench.execution({ kind: "verify", subtaskId: "a", attempt: 1, try: 1, tier: 1, ...effect });
  const report = await createVerifier(bench.ports)(execution);
  if (report.type !== "Judged") throw new Error(JSON.stringify(report));
  return report.verdict;
}

export async function verdictOn(story: Story, review?: Script): Promise<Verdict> {
  using bench = told(story);
  await worked(bench, story);
  return await judged(bench, review);
}

export const wrote = act(call("write_file", { path: "hello.txt", content: "hi" }));
