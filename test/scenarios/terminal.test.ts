/** `loom run` on a real terminal, against a real server: a person reads, types, and is asked for nothing through a pipe. */
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { startModelServer } from "../support/model-server.ts";
import { hasPseudoTerminal, onPseudoTerminal } from "../support/pseudo-terminal.ts";
import { createPlace } from "../support/scenario.ts";
import { spawnLoom } from "../support/spawned.ts";
import { calls, ending, plan, works } from "../support/story.ts";

const binary = fileURLToPath(new URL("../../bin/loom.mjs", import.meta.url));

const story = [
  plan({ id: "port", description: "Write the port." }),
  ...works(
    "Write the port.",
    { tool_calls: [{ name: "ask_user", arguments: { question: "Which port?", options: ["8080", "9000"] } }] },
    calls("read_file", { path: "conf/port.txt" }),
    calls("write_file", { path: "conf/port.txt", content: "port = 9000\n" }),
    calls("shell_execute", { command: "rm -rf build" }),
    "It is written.",
  ),
  ...ending,
];

async function sitting(typed: readonly { readonly at: string; readonly keys: string }[]) {
  await using stack = new AsyncDisposableStack();
  const place = stack.use(createPlace());
  const model = stack.use(await startModelServer({ script: { replies: story } }));
  const config = place.configure({ url: model.url });
  const loom = stack.use(await spawnLoom({ config, home: place.home }));
  place.write("conf/port.txt", "port = 1\n");
  place.write("build/old", "");
  const policy = '{"ask":[{"tool":"write_file","path":"conf/**","reason":"looked at"}]}';
  const command = [process.execPath, binary, "run", "Write the port down", "--policy", policy, "--server"];
  const { screen, exitCode } = await onPseudoTerminal([...command, loom.client.url, "--config", config], {
    cwd: place.workspace,
    env: { ...process.env, HOME: place.home, NO_COLOR: "1" },
    typed,
  });
  const [task] = await loom.client.get<{ task_id: string }[]>("/tasks");
  const view = await loom.client.get(`/tasks/${task?.task_id}`);
  const approvals = await loom.client.get(`/tasks/${task?.task_id}/approvals`);
  return { screen: screen.replaceAll("\r\n", "\n"), exitCode, view, approvals, port: place.read("conf/port.txt") };
}

describe.skipIf(!hasPseudoTerminal)("loom run on a terminal", () => {
  test("asks a person, shows what they judge by, and does as they say", async () => {
    const at = await sitting([
      { at: "an answer in words: ", keys: "2\n" },
      { at: "or n and what to do instead: ", keys: "y\n" },
      { at: "or n and what to do instead: ", keys: "n, keep it\n" },
    ]);
    expect(at.exitCode).toBe(0);
    expect(at.screen).toContain("  │ Which port?\n  1. 8080\n  2. 9000\n");
    expect(at.screen).toContain("  paths: conf/port.txt\n  │ diff --git a/conf/port.txt b/conf/port.txt\n");
    expect(at.screen).toContain("  │ -port = 1\n  │ +port = 9000\n");
    expect(at.screen).toContain("  │ rm -rf build\n  why: ");
    expect(at.screen).toContain("port: rejected by api: keep it");
    expect(at.port).toBe("port = 9000\n");
    expect(at.view).toMatchObject({ status: "completed", policy: { ask: [{ tool: "write_file" }] } });
    expect(at.approvals).toMatchObject([
      { status: "approved", action: { tool: "write_file", diff: expect.stringContaining("+port = 9000") } },
      { status: "rejected", action: { tool: "shell_execute", command: "rm -rf build" }, reason: "keep it" },
    ]);
  }, 30_000);

  test("leaves the task to wait at Ctrl-C, with exit code 3", async () => {
    const at = await sitting([{ at: "an answer in words: ", keys: "\u0003" }]);
    expect(at.exitCode).toBe(3);
    expect(at.screen).toContain("left unanswered; it goes on waiting");
    expect(at.view).toMatchObject({ status: "waiting_approval", awaiting: [{ kind: "question" }] });
  }, 30_000);
});
