/** Law 1 on a real file and real processes: nothing acknowledged is lost, whatever is killed and when. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { answered, batch, delivery, key, notes, startedAt, step } from "../contracts/batches.ts";
import { blobsAfter } from "./growing-log.ts";
import { openFile, temporaryFolder } from "./temporary.ts";

const script = fileURLToPath(new URL("./appending-process.ts", import.meta.url));
const everything = { after: 0, limit: 1_000_000 };

/** Lets a process append until it told `count` times, kills it at that moment, and says what it told last. */
async function appendUntilKilled(path: string, taskId: string, count: number): Promise<number> {
  const child = spawn(process.execPath, [script, path, taskId], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  let told = 0;
  let last = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    told += 1;
    last = Number(line);
    if (told === count) child.kill("SIGKILL");
  }
  await closed;
  expect(child.signalCode).toBe("SIGKILL");
  return last;
}

describe("a store whose process is killed while it appends", () => {
  test("keeps what it acknowledged, without a gap, and goes on from there", async () => {
    using folder = temporaryFolder(tmpdir());
    const path = join(folder.path, "loom.db");
    let acknowledged = 0;
    for (const count of [1, 7, 60, 23]) {
      acknowledged = await appendUntilKilled(path, "task_a", count);
      using file = openFile(path);
      const log = await file.storage.read("task_a", everything);
      expect(log.length).toBeGreaterThanOrEqual(acknowledged);
      expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
      expect((await file.storage.row("task_a"))?.lastSeq).toBe(log.length);
      expect((await file.storage.readAll(everything)).map(({ g }) => g)).toEqual(log.map((_, index) => index + 1));
      const steps = await file.storage.steps("task_a", "work:a:1");
      const written = steps.flatMap(({ step }) => blobsAfter(Number(step.slice("turn-".length))));
      const kept = await Promise.all(written.map(({ digest }) => file.storage.get(digest)));
      expect(kept).not.toContain(null);
    }
    expect(acknowledged).toBeGreaterThan(100);
  });
});

describe("a store that is opened again", () => {
  test("goes on with the numbers of before, per task and over all", async () => {
    using folder = temporaryFolder(tmpdir());
    const path = join(folder.path, "loom.db");
    {
      using file = openFile(path);
      await file.storage.append(batch({ taskId: "task_a", events: notes(600) }));
    }
    using file = openFile(path);
    expect(await file.storage.append(batch({ taskId: "task_a", events: notes(1) }))).toEqual({
      kind: "conflict",
      seq: 600,
    });
    await file.storage.append(batch({ taskId: "task_a", after: 600, events: notes(1) }));
    expect(await file.storage.read("task_a", everything)).toHaveLength(601);
    expect(await file.storage.lastGlobal()).toBe(601);
  });

  test("still owes its webhooks, and knows its steps, keys and memory", async () => {
    using folder = temporaryFolder(tmpdir());
    const path = join(folder.path, "loom.db");
    const said = { type: "conversation_message", role: "user", message: "remember me", source: "api" } as const;
    const parts = {
      steps: [step("turn-1", { ended: { result: 1 } })],
      outbox: [delivery("msg_1")],
      idempotency: key("k"),
    };
    {
      using file = openFile(path);
      await file.storage.append(batch({ taskId: "task_a", events: [said], ...parts }));
      await file.storage.settle("msg_1", answered(500, { dueAt: startedAt + 5 }));
    }
    using file = openFile(path);
    expect(await file.storage.due(startedAt + 5, 10)).toMatchObject([
      { deliveryId: "msg_1", attempts: 1, lastError: "answered 500" },
    ]);
    expect(await file.storage.steps("task_a", "work:a:1")).toEqual(parts.steps);
    expect(await file.storage.idempotency("k")).toEqual(parts.idempotency);
    expect(await file.storage.search("remember", { limit: 10 })).toHaveLength(1);
  });
});
