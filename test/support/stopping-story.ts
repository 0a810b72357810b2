/** Scripts whose processes try to outlive them, and a model that runs one of them. */
import type { ScriptReply } from "../../src/models/script.ts";
import { calls, ending, plan, works } from "./story.ts";

/** Ways to outlive one's parent that also do away with what a process could be known by. */
const disguised = ["env -i setsid sleep 876 &", "env -i sleep 876 &", "set -m; env -i sleep 876 &"];

/** What is left in the background by a command that has ended, still with its environment. */
const leftBehind = [
  "setsid sleep 876 >/dev/null 2>&1 &",
  "nohup sleep 876 >/dev/null 2>&1 &",
  "(setsid sh -c 'sleep 876 & sleep 876' >/dev/null 2>&1 &)",
  "(trap '' TERM HUP INT; while :; do sleep 876; done) >/dev/null 2>&1 &",
];

/** How many processes each script has running once it has made the file `started`. */
export const stayers = 6;

/** Hides processes and stays. */
export const staying = [...leftBehind, ...disguised, "trap '' TERM; touch started; while :; do sleep 876; done"].join(
  "\n",
);

/** Hides processes and ends. */
export const leaving = [...leftBehind, "touch left"].join("\n");

/** A model that runs these command lines one after the other, and then says that it is done. */
export function running(
  ...commands: readonly (string | { readonly command: string; readonly timeout_seconds: number })[]
) {
  const turns = commands.map((line) => calls("shell_execute", typeof line === "string" ? { command: line } : line));
  const replies: ScriptReply[] = [
    plan({ id: "run", description: "Run it." }),
    ...works("Run it.", ...turns, "It has run."),
    ...ending,
  ];
  return { script: { replies } };
}
