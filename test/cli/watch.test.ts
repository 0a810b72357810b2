/** `loom watch`, and `loom run` with words that are wrong. */
import { describe, expect, test } from "vitest";
import { completed, planned } from "./story.ts";
import { oneModel, PlayedLoom, serveFake, Terminal } from "./terminal.ts";

describe("loom run with wrong words", () => {
  test.each([
    [["run", "  "], "The goal is empty"],
    [["run", "x", "--approval-mode", "never"], '"never" is not known'],
    [["run", "x", "--context", "nothing"], '--context "nothing" is not KEY=VALUE'],
    [["run", "x", "--server", "nowhere"], '"nowhere" is no server\'s address'],
    [["run"], "missing required argument 'goal'"],
    [["run", "x", "--nonsense"], "unknown option '--nonsense'"],
  ])("exits 64 and says what is wrong: %j", async (argv, message) => {
    using terminal = new Terminal({ env: oneModel });
    expect(await terminal.run(...argv)).toBe(64);
    expect(terminal.err).toContain(message);
  });

  test("does not work on a home folder or a root unasked", async () => {
    for (const cwd of ["/", "/home/somebody"]) {
      using terminal = new Terminal({ cwd });
      expect(await terminal.run("run", "x")).toBe(64);
      expect(terminal.err).toContain("--workspace DIR");
    }
  });
});

describe("loom watch", () => {
  test("follows a task from its start, and ends as it ends", async () => {
    const loom = new PlayedLoom([...planned, ...completed]);
    await using server = await serveFake(loom);
    const { task } = await loom.submit({ goal: "g", submittedBy: "t" });
    using terminal = new Terminal({ env: { LOOM_URL: server.url } });
    expect(await terminal.run("watch", task.taskId)).toBe(0);
    expect(terminal.out).toContain("✔ completed");
    expect(await terminal.run("watch", task.taskId, "--json")).toBe(0);
    expect(await terminal.run("watch", "task_unknown")).toBe(64);
  });

  test("leaves the task running at Ctrl-C", async () => {
    const loom = new PlayedLoom(planned);
    await using server = await serveFake(loom);
    const { task } = await loom.submit({ goal: "g", submittedBy: "t" });
    using terminal = new Terminal({
      env: { LOOM_URL: server.url },
      stdout: {
        write: (text) => {
          terminal.out += text;
          if (text.includes("▶ a")) terminal.interrupt.abort();
        },
      },
    });
    expect(await terminal.run("watch", task.taskId)).toBe(0);
    expect((await loom.view(task.taskId)).status).toBe("executing");
  });
});
