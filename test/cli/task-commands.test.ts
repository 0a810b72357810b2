/** Commands about a task on a server, over real HTTP. */
import { createServer } from "node:http";
import { describe, expect, test } from "vitest";
import { approvalAsked, completed, planned, questionAsked } from "./story.ts";
import { PlayedLoom, serveFake, Terminal } from "./terminal.ts";

async function scene(...events: Parameters<PlayedLoom["append"]>[1][]) {
  const loom = new PlayedLoom([...planned, ...events]);
  const server = await serveFake(loom);
  const { task } = await loom.submit({ goal: "Do a thing", submittedBy: "t" });
  const terminal = new Terminal({ env: { LOOM_URL: server.url } });
  return {
    loom,
    terminal,
    id: task.taskId,
    [Symbol.asyncDispose]: async () => {
      terminal[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe("loom status", () => {
  test("shows a task with its subtasks, or the latest tasks, as lines or JSON", async () => {
    await using at = await scene(...completed);
    expect(await at.terminal.run("status", at.id)).toBe(0);
    expect(at.terminal.out).toContain(`${at.id}: Do a thing\n  a  `);
    expect(await at.terminal.run("status")).toBe(0);
    expect(at.terminal.out).toMatch(new RegExp(`${at.id} {2}2026-\\S+ {2}completed {2}Do a thing`));
    at.terminal.out = "";
    expect(await at.terminal.run("status", at.id, "--json")).toBe(0);
    expect(JSON.parse(at.terminal.out)).toMatchObject({ task_id: at.id, status: "completed" });
    at.terminal.out = "";
    expect(await at.terminal.run("status", "--json")).toBe(0);
    expect(JSON.parse(at.terminal.out)).toHaveLength(1);
  });

  test("says so when there are none, and exits 64 for an id that is none", async () => {
    await using server = await serveFake(new PlayedLoom());
    using terminal = new Terminal({ env: { LOOM_URL: server.url } });
    expect(await terminal.run("status")).toBe(0);
    expect(terminal.out).toContain("No tasks yet");
    expect(await terminal.run("status", "task_nowhere")).toBe(64);
    expect(terminal.err).toContain('No task "task_nowhere"');
    expect(await terminal.run("status", "nonsense")).toBe(64);
  });
});

describe("loom cancel, pause, resume, retry, steer", () => {
  test("say what the task is now", async () => {
    await using at = await scene();
    expect(await at.terminal.run("steer", at.id, "use", "tabs", "--mode", "queue")).toBe(0);
    expect(at.loom.calls).toContainEqual([
      "steer",
      expect.objectContaining({ instruction: "use tabs", mode: "queue" }),
    ]);
    expect(await at.terminal.run("pause", at.id)).toBe(0);
    expect(await at.terminal.run("resume", at.id)).toBe(0);
    expect(await at.terminal.run("cancel", at.id, "--reason", "enough")).toBe(0);
    expect(await at.terminal.run("retry", at.id)).toBe(0);
    expect(at.terminal.out).toMatch(
      /taken.*\n.*is paused\n.*is executing\n.*is cancelled; loom undo task_.*\n.*is executing\n/,
    );
  });

  test("exit 1 where the task's state does not allow it, and 64 for an unknown mode", async () => {
    await using at = await scene(...completed);
    expect(await at.terminal.run("pause", at.id)).toBe(1);
    expect(await at.terminal.run("cancel", at.id)).toBe(0);
    expect(at.terminal.out).toContain("is completed");
    expect(await at.terminal.run("steer", at.id, "x", "--mode", "shout")).toBe(64);
  });
});

describe("loom approve", () => {
  test("decides the only one that waits, yes or no with a reason", async () => {
    await using at = await scene(...approvalAsked);
    expect(await at.terminal.run("approve", at.id, "--reject", "--reason", "too wide")).toBe(0);
    expect(at.loom.calls).toContainEqual([
      "approve",
      expect.objectContaining({ subtaskId: "a", approved: false, reason: "too wide" }),
    ]);
    expect(at.terminal.out).toContain("rejected: a (apr_a_1_1_1)");
    expect(await at.terminal.run("approve", at.id)).toBe(64);
    expect(at.terminal.err).toContain("waits for a yes or no");
  });

  test("wants to know which one when there are several, and which ones there are", async () => {
    const second = approvalAsked.map((event) => ({ ...event, approval_id: "apr_b", subtask_id: "b" }));
    await using at = await scene(...approvalAsked, ...second);
    expect(await at.terminal.run("approve", at.id)).toBe(64);
    expect(at.terminal.err).toContain("2 approvals are pending");
    expect(at.terminal.err).toContain(
      "? b: may this be done? (risk high, apr_b)\n  │ rm -rf build\n  why: deletes folders\n",
    );
    expect(await at.terminal.run("approve", at.id, "c")).toBe(64);
    expect(at.terminal.err).toContain('Nothing of "c"');
    expect(await at.terminal.run("approve", at.id, "b")).toBe(0);
    expect(await at.terminal.run("approve", at.id, "--approval", "apr_a_1_1_1")).toBe(0);
    expect(at.terminal.out).toBe("approved: b (apr_b): rm -rf build\napproved: a (apr_a_1_1_1): rm -rf build\n");
  });
});

describe("loom questions and answer", () => {
  test("list what was asked, and answer it by number, name or in words", async () => {
    await using at = await scene(...questionAsked);
    expect(await at.terminal.run("questions", at.id)).toBe(0);
    expect(at.terminal.out).toContain("qst_a_1_1_1 (pending), a asks: Which one?\n  x: The first\n");
    expect(await at.terminal.run("questions", at.id, "--json")).toBe(0);
    expect(await at.terminal.run("answer", at.id, "the", "second", "--question", "qst_a_1_1_1")).toBe(0);
    expect(at.loom.calls).toContainEqual(["answer", { selected_option_ids: ["y"], custom_response: "" }]);
    expect(await at.terminal.run("answer", at.id, "again")).toBe(64);
  });

  test("say so when nothing was asked, or more than one thing", async () => {
    await using none = await scene();
    expect(await none.terminal.run("questions", none.id)).toBe(0);
    expect(none.terminal.out).toBe("Nothing was asked.\n");
    expect(await none.terminal.run("answer", none.id, "x")).toBe(64);
    expect(none.terminal.err).toBe(
      `loom: No question is open in ${none.id}\n  loom questions ${none.id} lists what was asked and answered\n`,
    );
    await using two = await scene(
      ...questionAsked,
      ...questionAsked.map((event) => ({ ...event, question_id: "qst_2" })),
    );
    expect(await two.terminal.run("answer", two.id, "x")).toBe(64);
    expect(two.terminal.err).toContain("2 questions are open");
    expect(await two.terminal.run("answer", two.id, "x", "--question", "qst_9")).toBe(64);
    expect(two.terminal.err).toContain('No question "qst_9" is open');
  });
});

describe("loom undo", () => {
  test("puts back a task, a subtask or a change, or says what it would do", async () => {
    await using at = await scene({
      type: "files_changed",
      subtask_id: "a",
      change_id: "chg_1",
      changes: [{ path: "a.txt", before: { kind: "absent" }, after: { kind: "link", target: "b" } }],
    });
    expect(await at.terminal.run("undo", at.id, "--preview")).toBe(0);
    expect(await at.terminal.run("undo", at.id, "--subtask", "a")).toBe(0);
    expect(await at.terminal.run("undo", at.id, "--change", "chg_1")).toBe(0);
    expect(at.terminal.out).toMatch(/^1 path would be put back: a\.txt\n1 path put back: a\.txt\n/);
    expect(at.loom.calls.filter(([member]) => member === "undo").map(([, asked]) => asked)).toEqual([
      { scope: "task", preview: true },
      { scope: "subtask", preview: false },
      { scope: "change", preview: false },
    ]);
    expect(await at.terminal.run("undo", at.id, "--subtask", "a", "--change", "b")).toBe(64);
  });
});

describe("a server that is not there, or not ours", () => {
  test("is exit 69 with what to do", async () => {
    using terminal = new Terminal();
    expect(await terminal.run("status")).toBe(69);
    expect(terminal.err).toBe(
      "loom: No Loom server answers at http://127.0.0.1:1\n  Start one with `loom serve`, or say where it is with --server URL or LOOM_URL\n",
    );
  });

  test("is exit 69 when it speaks another language", async () => {
    const health = JSON.stringify({ status: "ok", version: "9", ready: true, problems: [] });
    const other = createServer((request, response) => response.end(request.url === "/health" ? health : "<html>"));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
    using terminal = new Terminal({ env: { LOOM_URL: url } });
    expect(await terminal.run("status")).toBe(69);
    expect(terminal.err).toContain("in a form that is not Loom's");
    other.closeAllConnections();
    other.close();
  });

  test("is exit 78 when it wants a key that was not given, and works with it", async () => {
    await using server = await serveFake(new PlayedLoom(), { apiKey: "a-long-enough-key" });
    using terminal = new Terminal({ env: { LOOM_URL: server.url } });
    expect(await terminal.run("status")).toBe(78);
    expect(terminal.err).toContain("wants an API key");
    for (const env of [{ LOOM_API_KEY: "a-long-enough-key" }, { LOOM_SERVER__API_KEY: "a-long-enough-key" }]) {
      using keyed = new Terminal({ env: { LOOM_URL: server.url, ...env } });
      expect(await keyed.run("status")).toBe(0);
    }
  });
});

describe("loom approvals", () => {
  test("shows what waits in full and how the others were decided, of one task or of all, as lines or JSON", async () => {
    await using at = await scene(...approvalAsked);
    expect(await at.terminal.run("approvals")).toBe(0);
    expect(at.terminal.out).toContain(
      `? a: may this be done? (risk high, apr_a_1_1_1)\n  │ rm -rf build\n  why: deletes folders\n  task: ${at.id}\n`,
    );
    expect(await at.terminal.run("approve", at.id, "--reject", "--reason", "too wide")).toBe(0);
    at.terminal.out = "";
    expect(await at.terminal.run("approvals", at.id)).toBe(0);
    expect(at.terminal.out).toMatch(/^· a \(apr_a_1_1_1\) rejected by \S+\n {2}│ rm -rf build\n$/);
    at.terminal.out = "";
    expect(await at.terminal.run("approvals", at.id, "--json")).toBe(0);
    expect(JSON.parse(at.terminal.out)).toMatchObject([{ approval_id: "apr_a_1_1_1", status: "rejected" }]);
    at.terminal.out = "";
    expect(await at.terminal.run("approvals")).toBe(0);
    expect(at.terminal.out).toBe("Nothing waits for a yes or no.\n");
  });
});
