/** `loom run` and `loom watch`: over HTTP and on an engine in this process, to each of their ends. */
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { LoomError } from "../../src/lib/errors.ts";
import { approvalAsked, completed, failed, planned } from "./story.ts";
import { oneModel, PlayedLoom, serveFake, Terminal } from "./terminal.ts";

describe("loom run on a server", () => {
  test("submits, shows plain lines, ends with status, answer, files and tokens, and exits 0", async () => {
    const loom = new PlayedLoom([...planned, ...completed]);
    await using server = await serveFake(loom);
    using terminal = new Terminal({ env: { LOOM_URL: `${server.url}/` } });
    const code = await terminal.run(
      "run",
      "Add a file",
      "--context",
      "focus=src",
      "--context",
      'dirs=["a"]',
      "--approval-mode",
      "manual",
      "--approve-plan",
      "--unattended",
    );
    expect({ code, err: terminal.err }).toEqual({ code: 0, err: "" });
    expect(loom.calls[0]).toEqual([
      "submit",
      expect.objectContaining({
        goal: "Add a file",
        workspace: terminal.home,
        context: { focus: "src", dirs: ["a"] },
        approvalMode: "manual",
        approvePlan: true,
        approvers: "none",
      }),
    ]);
    expect(terminal.out).toContain(`in ${terminal.home}, on ${server.url}\n`);
    for (const line of [
      "plan 1: 1 subtask\n    a: Write a file\n",
      "▶ a\n",
      "✔ a: wrote it\n",
      "✔ completed\n",
      "completed: ",
      "The answer.\n",
      "files: ",
      "tokens: ",
    ])
      expect(terminal.out).toContain(line);
    expect(terminal.out).not.toContain("\u001B");
  });

  test("exits 1 when the task fails, and says why", async () => {
    await using server = await serveFake(new PlayedLoom([...planned, ...failed]));
    using terminal = new Terminal();
    expect(await terminal.run("run", "Do it", "--server", server.url)).toBe(1);
    expect(terminal.out).toContain("✘ failed (budget): too dear");
  });

  test("prints JSON lines and a result with --json, and nothing else", async () => {
    await using server = await serveFake(new PlayedLoom([...planned, ...completed]));
    using terminal = new Terminal({ env: { LOOM_URL: server.url } });
    expect(await terminal.run("run", "Do it", "--json")).toBe(0);
    const lines = terminal.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map((line) => line["event_type"])).toEqual([
      "task_created",
      "task_planning",
      "task_plan_ready",
      "task_executing",
      "subtask_started",
      "subtask_completed",
      "task_completed",
      "loom_result",
    ]);
    expect(lines.at(-1)).toMatchObject({ status: "completed", exit_code: 0 });
  });

  test("exits 3 with --no-wait once a person is needed, and says how to go on", async () => {
    await using server = await serveFake(new PlayedLoom([...planned, ...approvalAsked]));
    using terminal = new Terminal({ env: { LOOM_URL: server.url } });
    expect(await terminal.run("run", "Do it", "--no-wait")).toBe(3);
    expect(terminal.out).toMatch(/\? a waits for a yes or no: rm -rf build\n {4}why: deletes folders\n/);
    expect(terminal.out).toContain("It waits for a person: loom approve task_");
  });

  test("is cancelled by Ctrl-C, and exits 2", async () => {
    const loom = new PlayedLoom(planned);
    await using server = await serveFake(loom);
    using terminal = new Terminal({
      env: { LOOM_URL: server.url },
      stdout: {
        write: (text) => {
          terminal.out += text;
          if (text.includes("▶ a")) terminal.interrupt.abort();
        },
      },
    });
    expect(await terminal.run("run", "Do it")).toBe(2);
    expect(terminal.out).toContain("■ cancelled");
    expect(loom.calls.some(([member]) => member === "cancel")).toBe(true);
  });

  test("keeps its place when the connection breaks, and shows no event twice", async () => {
    const loom = new PlayedLoom(planned);
    const first = await serveFake(loom);
    const { port } = new URL(first.url);
    const { createServer, request } = await import("node:http");
    let broken = 0;
    // A door in between that drops the first stream after it has begun.
    const door = createServer((asked, answer) => {
      const passed = request(
        {
          port,
          host: "127.0.0.1",
          path: asked.url,
          method: asked.method,
          headers: { ...asked.headers, host: `127.0.0.1:${port}` },
        },
        (reply) => {
          answer.writeHead(reply.statusCode ?? 500, reply.headers);
          reply.on("data", (chunk: Buffer) => {
            answer.write(chunk);
            if (chunk.includes("subtask_started") && broken === 0) {
              broken += 1;
              answer.destroy();
              loom.append("task_00000001", ...completed);
            }
          });
          reply.on("end", () => answer.end());
          reply.on("error", () => answer.destroy());
        },
      );
      asked.pipe(passed);
    });
    await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve));
    const address = door.address();
    using terminal = new Terminal({
      env: { LOOM_URL: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}` },
    });
    const code = await terminal.run("run", "Do it");
    door.closeAllConnections();
    door.close();
    await first[Symbol.asyncDispose]();
    expect({ code, broken, started: terminal.out.split("▶ a\n").length - 1 }).toEqual({
      code: 0,
      broken: 1,
      started: 1,
    });
  });
});

describe("loom run on a server that goes down", () => {
  test("comes back to it when it is up again, at the event where it stood", async () => {
    const loom = new PlayedLoom(planned);
    const first = await serveFake(loom);
    const port = Number(new URL(first.url).port);
    using terminal = new Terminal({ env: { LOOM_URL: first.url } });
    const code = terminal.run("run", "Do it");
    await vi.waitUntil(() => terminal.out.includes("▶ a"));
    await first[Symbol.asyncDispose]();
    loom.append("task_00000001", ...completed);
    await using _second = await serveFake(loom, { port });
    expect(await code).toBe(0);
    expect(terminal.out.split("▶ a\n")).toHaveLength(2);
    expect(terminal.out).toContain("✔ completed");
  });
});

describe("loom run without a server", () => {
  test("works on an engine of its own, and closes it", async () => {
    const loom = new PlayedLoom([...planned, ...completed]);
    using terminal = new Terminal({ env: oneModel, open: async () => loom });
    expect(await terminal.run("run", "Do it", "-w", "sub")).toBe(0);
    expect(loom.calls[0]).toEqual([
      "submit",
      expect.objectContaining({ workspace: join(terminal.home, "sub"), submittedBy: "cli" }),
    ]);
    expect({ disposed: loom.disposed, out: terminal.out }).toEqual({
      disposed: 1,
      out: expect.stringContaining("✔ completed") as string,
    });
  });

  test("ends with 3 where nobody could ever answer", async () => {
    const loom = new PlayedLoom([...planned, ...approvalAsked]);
    using terminal = new Terminal({ env: oneModel, open: async () => loom });
    expect(await terminal.run("run", "Do it")).toBe(3);
    expect(terminal.out).toContain("goes on when `loom serve` runs");
    expect(loom.disposed).toBe(1);
  });

  test("keeps a record of its own when the database is taken, and says where", async () => {
    const opened: string[] = [];
    using terminal = new Terminal({
      env: { ...oneModel, LOOM_WORKSPACE__SCRATCH_DIR: "/scratch" },
      open: async (config) => {
        opened.push(config.memory.database_path);
        if (opened.length === 1) throw new LoomError("storage_locked", "locked");
        return new PlayedLoom([...planned, ...completed]);
      },
    });
    expect(await terminal.run("run", "Do it")).toBe(0);
    expect(opened).toEqual([join(terminal.home, "loom.db"), expect.stringMatching(/^\/scratch\/run-.*\.db$/)]);
    expect(terminal.err).toContain(
      `${opened[0]} is in use by a Loom that does not answer; this run keeps its record in ${opened[1]}`,
    );
  });

  test("hands on what cannot be opened for another reason", async () => {
    using terminal = new Terminal({
      env: oneModel,
      open: () => Promise.reject(new LoomError("storage_newer", "Made by a newer Loom", { hint: "Update" })),
    });
    expect(await terminal.run("run", "Do it")).toBe(78);
    expect(terminal.err).toBe("loom: Made by a newer Loom\n  Update\n");
  });

  test("does not fall back when a server was named", async () => {
    using terminal = new Terminal({ env: { LOOM_URL: "http://127.0.0.1:1" } });
    expect(await terminal.run("run", "Do it")).toBe(69);
    expect(terminal.err).toContain("No Loom server answers at http://127.0.0.1:1");
    expect(terminal.err).toContain("loom serve");
  });
});
