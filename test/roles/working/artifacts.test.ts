/** Artifacts of a task: what a prompt shows in part is recorded whole, named where it is cut, and read by that name; of this task alone. */
import { describe, expect, test } from "vitest";
import type { TaskEvent } from "../../../src/domain/event.ts";
import { placeOf } from "../../../src/roles/working/artifact-ids.ts";
import { createArtifacts } from "../../../src/roles/working/artifacts.ts";
import { createWorker } from "../../../src/roles/working/work.ts";
import { act, Bench, call, say } from "../../support/role-bench.ts";
import { created } from "../../support/role-task.ts";

const long = (mark: string) => `${mark} begin ${"word ".repeat(6000)}${mark} end`;

function benchWithArtifacts(): Bench {
  const bench = new Bench();
  bench.window = { name: "m1", contextTokens: 8000, maxTokens: 1000, bytesPerToken: 4 };
  const { blobs, events } = bench.ports;
  const first: TaskEvent = { ...created({ goal: long("goal"), context: { team: long("team") } }), seq: 1, at: 0 };
  const { id: known } = bench.task();
  const read = (taskId: string) => Promise.resolve(taskId === known ? [first] : []);
  const steps = (taskId: string, scope: string) =>
    taskId === known ? events.steps(taskId, scope) : Promise.resolve([]);
  bench.shell.artifacts = createArtifacts({ events: { read, steps }, blobs });
  return bench;
}

const resultIn = (bench: Bench, turn: number) => bench.requests()[turn]?.messages.at(-1)?.content ?? "";

describe("a result that is too long for the window", () => {
  test("is cut where it comes in, names its artifact, and is read on by that name", async () => {
    using bench = benchWithArtifacts();
    bench.shell.answer = () => ({ exitCode: 0, output: long("out") });
    bench.script = (_asked, n) => {
      if (n === 1) return act(call("shell_execute", { command: "x" }));
      return n === 2 ? act(call("read_artifact", { id: "art_a_1_1_1" })) : say("Done.");
    };
    await createWorker(bench.ports)(bench.work());
    expect(resultIn(bench, 1)).toMatch(/^out begin[\s\S]*read_artifact \{"id":"art_a_1_1_1"\} shows it[\s\S]*out end$/);
    const { record } = { record: bench.ledger("work:a:1").rows.get("turn-2-call-1")?.ended?.result };
    expect(record).toMatchObject({ success: true, output: long("out") });
  });

  test("and was cut by its tool already is kept as a blob in the append of its end", async () => {
    using bench = benchWithArtifacts();
    bench.shell.answer = () => ({ exitCode: 1, output: "head […] tail", whole: long("all") });
    bench.script = (_asked, n) => (n === 1 ? act(call("shell_execute", { command: "x" })) : say("Done."));
    await createWorker(bench.ports)(bench.work());
    const ledger = bench.ledger("work:a:1");
    const record = ledger.rows.get("turn-1-call-1")?.ended?.result;
    expect(record).toMatchObject({ artifact: { bytes: Buffer.byteLength(long("all")) } });
    expect(JSON.stringify(record)).not.toContain("all begin");
    expect(ledger.blobs.size).toBe(1);
    expect(resultIn(bench, 1)).toBe(
      'ERROR: Exit code: 1\nhead […] tail\n[cut; read_artifact {"id":"art_a_1_1_1"} shows it]',
    );
    expect(await bench.shell.artifacts?.read(bench.task().id, "art_a_1_1_1")).toBe(
      `ERROR: Exit code: 1\n${long("all")}`,
    );
  });

  test("names no artifact to a model that has no tool to read it", async () => {
    using bench = benchWithArtifacts();
    delete bench.shell.artifacts;
    bench.shell.answer = () => ({ exitCode: 0, output: long("out") });
    bench.script = (_asked, n) => (n === 1 ? act(call("shell_execute", { command: "x" })) : say("Done."));
    await createWorker(bench.ports)(bench.work());
    expect(resultIn(bench, 1)).toContain("the middle is left out …]");
  });
});

describe("artifacts", () => {
  test("are the goal and the context too, where they are shown in part", async () => {
    using bench = benchWithArtifacts();
    bench.brief = { goal: long("goal"), context: { team: long("team") } };
    await createWorker(bench.ports)(bench.work());
    const system = bench.requests()[0]?.messages[0]?.content ?? "";
    expect(system).toMatch(/goal begin[\s\S]*read_artifact \{"id":"art_goal"\} shows it[\s\S]*team begin/);
    expect(system).toContain('read_artifact {"id":"art_context"} shows it');
    const { id } = bench.task();
    expect(await bench.shell.artifacts?.read(id, "art_goal")).toBe(long("goal"));
    expect(await bench.shell.artifacts?.read(id, "art_context")).toContain("team end");
  });

  test("of another task, and what is no id, are not found", async () => {
    using bench = benchWithArtifacts();
    bench.script = (_asked, n) => (n === 1 ? act(call("shell_execute", { command: "x" })) : say("Done."));
    await createWorker(bench.ports)(bench.work());
    const { id } = bench.task();
    const read = (taskId: string, artifact: string) => bench.shell.artifacts?.read(taskId, artifact);
    expect(await read(id, "art_a_1_1_1")).toBe("ok");
    expect(await read("task_other", "art_a_1_1_1")).toBeNull();
    expect(await read("task_other", "art_goal")).toBeNull();
    for (const wrong of [
      "",
      "art_",
      "art_a_1_1",
      "art_b_1_1_1",
      "art_a_2_1_1",
      "sha256:00",
      "../goal",
      "art_a_1_1_1 ",
      "turn-1",
      `art_${"a".repeat(500)}_1_1_1`,
    ])
      expect(await read(id, wrong)).toBeNull();
  });

  test("have ids that are read back, whatever the subtask is called", () => {
    expect(placeOf("art_my_sub.task-2_3_14_2")).toEqual({
      kind: "call",
      subtaskId: "my_sub.task-2",
      attempt: 3,
      step: "turn-14-call-2",
    });
  });
});
