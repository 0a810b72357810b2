/** A program on a real pseudo terminal, by `script`: what it shows, and a person who types when it asks. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

export const hasPseudoTerminal = /util-linux/.test(spawnSync("script", ["--version"]).stdout?.toString() ?? "");

export interface Sitting {
  /** All that was on the screen, control characters included. */
  readonly screen: string;
  readonly exitCode: number | null;
}

/**
 * @param typed what is typed, each once the screen ends with its prompt; `\u0003` is Ctrl-C
 */
export async function onPseudoTerminal(
  command: readonly string[],
  options: {
    readonly cwd: string;
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly typed: readonly { readonly at: string; readonly keys: string }[];
  },
): Promise<Sitting> {
  const line = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  // Without a shell in between: one that gets the Ctrl-C too would end with a code of its own.
  const child = spawn("script", ["-qec", `exec ${line}`, "/dev/null"], {
    cwd: options.cwd,
    env: { ...options.env, SHELL: "/bin/sh", TERM: "xterm" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const waiting = [...options.typed];
  let screen = "";
  let seen = 0;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    screen += text;
    const next = waiting[0];
    const at = next === undefined ? -1 : screen.indexOf(next.at, seen);
    if (next === undefined || at === -1) return;
    waiting.shift();
    seen = at + next.at.length;
    child.stdin.write(next.keys);
  });
  const [exitCode] = (await once(child, "close")) as [number | null];
  return { screen, exitCode };
}
