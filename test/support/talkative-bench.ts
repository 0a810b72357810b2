/** An executor that says much and a compactor that takes notes of it: what the tests of windows and epochs begin with. */
import { createWorker } from "../../src/roles/working/work.ts";
import { type Answer, act, Bench, call, type Script, say } from "./role-bench.ts";

export const run = (bench: Bench, over = {}) => createWorker(bench.ports)(bench.work(over));
export const sizes = (bench: Bench) =>
  bench.requests().map(({ messages, tools }) => (JSON.stringify(messages).length + JSON.stringify(tools).length) / 4);
export const steps = (bench: Bench) => [...bench.ledger("work:a:1").rows.keys()];
export const noted = JSON.stringify({
  decisions: ["Use tabs."],
  open: ["Write the end."],
  done: [],
  facts: ["Port 9."],
});

/** One answer a turn of the executor; the compactor answers with `notes`. */
export function turns(bench: Bench, answer: (turn: number) => Answer, notes: Answer = say(noted)): Script {
  return ({ pick }) => (pick.role === "compactor" ? notes : answer(bench.requests().length));
}

/** Each turn brings 4 000 characters, unlike any other. */
export function talkative(count: number, notes?: Answer): Bench {
  const bench = new Bench();
  bench.window = { name: "m1", contextTokens: 8000, maxTokens: 1000, bytesPerToken: 4 };
  bench.shell.answer = (line) => ({ exitCode: 0, output: `${line}: ${"word ".repeat(800)}` });
  const answer = (n: number) => (n <= count ? act(call("shell_execute", { command: `step ${n}` })) : say("Done."));
  bench.script = turns(bench, answer, notes);
  return bench;
}
