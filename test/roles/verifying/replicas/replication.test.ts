/** Small work of a model that must be shown how to answer is done again, blind, and passes if it comes out the same. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Message, ModelReply } from "../../../../src/ports/model.ts";
import { type Answer, act, type Bench, call, say } from "../../../support/role-bench.ts";
import { judged, passed, type Story, told, worked } from "../../../support/role-story.ts";

const small = { protocol: "json_schema" } as const;
const shown = (answer: Answer): Answer => ({ ...(answer as Partial<ModelReply>), ...small });
const writes = (content: string, path = "hello.txt"): Answer => shown(act(call("write_file", { path, content })));
const ends = shown(say("hello.txt is there."));
const wrote = (content: string): Story => ({ work: [writes(content), ends] });
const goal = "Create the file hello.txt with the text: hi";

/** First turns: one for each replica. */
function replicasOf(bench: Bench): readonly (readonly Message[])[] {
  const firsts = bench
    .requests("verifier")
    .filter(({ messages, tools }) => tools !== undefined && messages.length === 2);
  return firsts.map(({ messages }) => messages);
}

async function judgedBy(story: Story, plays: readonly (readonly Answer[])[], job = goal) {
  const bench = told(story);
  const rest = shown(say(passed));
  bench.brief = { ...bench.brief, goal: job };
  await worked(bench, story);
  const queue = plays.flat();
  const verdict = await judged(bench, ({ request }) =>
    request.tools === undefined ? rest : (queue.shift() ?? shown(say("?"))),
  );
  return { bench, verdict, left: queue.length };
}

describe("work that was done again", () => {
  test("passes when two others came to the same, and no opinion is asked for", async () => {
    const { bench, verdict, left } = await judgedBy(wrote("hi"), [
      [writes("hi\n"), ends],
      [writes("hi"), shown(say("Done!"))],
    ]);
    using _bench = bench;
    expect(verdict).toMatchObject({ outcome: "pass", reason_code: "replicated", tier: 2, confidence: 1 });
    expect(left).toBe(0);
    expect(bench.requests("verifier").every(({ schema }) => schema === undefined)).toBe(true);
    expect(bench.text("hello.txt")).toBe("hi");
    expect(readdirSync(join(bench.root, "scratch"))).toEqual([]);
  });

  test("is told nothing of how it was done before, and does the goal where the plan is one subtask", async () => {
    const { bench } = await judgedBy(wrote("hi"), [
      [writes("hi"), ends],
      [writes("hi"), ends],
    ]);
    using _bench = bench;
    expect(replicasOf(bench)).toHaveLength(2);
    for (const { messages } of bench.requests("verifier")) {
      expect(messages[1]?.content).toContain(goal);
      expect(JSON.stringify(messages.slice(0, 2))).not.toContain("is there");
    }
  });

  test("fails when two others came to the same and not to this, and says what they came to", async () => {
    const { bench, verdict } = await judgedBy(wrote("hello there"), [
      [writes("hi"), ends],
      [writes("hi"), ends],
    ]);
    using _bench = bench;
    expect(verdict).toMatchObject({ outcome: "fail", reason_code: "not_replicated" });
    expect(verdict.feedback).toContain('hello.txt held "hi"');
    expect(verdict.feedback).toContain('hello.txt held "hello there"');
  });

  test("is left to an opinion where all came to something else, and to none that cannot judge", async () => {
    const { bench, verdict } = await judgedBy(wrote("hi"), [
      [writes("a"), ends],
      [writes("b"), ends],
      [writes("c"), ends],
    ]);
    using _bench = bench;
    expect(replicasOf(bench)).toHaveLength(3);
    expect(verdict).toMatchObject({ outcome: "inconclusive", reason_code: "verifier_indiscriminate" });
  });

  test("needs all three where a change was asked for and none was made", async () => {
    const looks = shown(act(call("read_file", { path: "a.txt" })));
    const says = shown(say("a.txt holds 42."));
    const story: Story = { files: { "a.txt": "42" }, work: [looks, says] };
    for (const [third, outcome] of [
      [[looks, says], "pass"],
      [[writes("x"), ends], "inconclusive"],
    ] as const) {
      const { bench, verdict } = await judgedBy(
        story,
        [[looks, says], [looks, says], third],
        "See to it that a.txt is right",
      );
      using _bench = bench;
      expect(verdict.outcome).toBe(outcome);
    }
  });

  test("does not pass by agreement alone: not with what the job does not say, nor with what stands elsewhere", async () => {
    const bye = [writes("bye"), ends];
    const added = await judgedBy(wrote("bye"), [bye, bye, bye]);
    using _added = added.bench;
    expect(added.verdict).toMatchObject({ outcome: "inconclusive", reason_code: "verifier_indiscriminate" });
    const looks = [shown(act(call("read_file", { path: "a.txt" }))), shown(say("42"))];
    const story: Story = { files: { "a.txt": "42", "b.txt": "7" }, work: looks };
    const elsewhere = await judgedBy(story, [looks, looks, looks], "What stands in b.txt?");
    using _elsewhere = elsewhere.bench;
    expect(elsewhere.verdict).toMatchObject({ outcome: "inconclusive" });
    expect(replicasOf(elsewhere.bench)).toEqual([]);
  });

  test.each<[string, string]>([
    ["Fix the version in a.txt: it must be 2", "inconclusive"],
    ["Replace all that a.txt holds by 2", "pass"],
  ])("does not pass by agreement on a loss that nobody asked for: %s", async (job, outcome) => {
    const overwrites = [shown(act(call("read_file", { path: "a.txt" }))), writes("2", "a.txt"), ends];
    const story: Story = { files: { "a.txt": "version 1" }, work: overwrites };
    const { bench, verdict } = await judgedBy(story, [overwrites, overwrites, overwrites], job);
    using _bench = bench;
    expect(verdict.outcome).toBe(outcome);
  });

  test("sees the files as they were before the work", async () => {
    const edits = (before: string): Answer[] => [
      shown(act(call("read_file", { path: "a.txt" }))),
      shown(act(call("edit_file", { path: "a.txt", old_str: before, new_str: "two" }))),
      ends,
    ];
    const story: Story = { files: { "a.txt": "one\n" }, work: edits("one") };
    const { bench, verdict } = await judgedBy(story, [edits("one"), edits("one")], "Put two in place of one in a.txt");
    using _bench = bench;
    expect(bench.text("a.txt")).toBe("two\n");
    expect(verdict).toMatchObject({ outcome: "pass", reason_code: "replicated" });
  });

  test("does nothing that the policy would not allow", async () => {
    const story = wrote("hi");
    using bench = told(story);
    await worked(bench, story);
    bench.judge = ({ reads }) =>
      reads.includes(".env")
        ? { decision: "deny", reason: "a secret", risk: "high" }
        : { decision: "allow", reason: "", risk: "low" };
    bench.write(".env", "KEY=secret");
    await judged(bench, ({ request }) =>
      request.tools === undefined ? shown(say(passed)) : shown(act(call("read_file", { path: ".env" }))),
    );
    expect(JSON.stringify(bench.asked.map(({ request }) => request.messages))).not.toContain("KEY=secret");
  });
});

describe("work that is not done again", () => {
  test.each<[string, Story]>([
    [
      "of a model that takes tools as they are",
      { work: [act(call("write_file", { path: "a", content: "a" })), say("a")] },
    ],
    ["that ran a command", { work: [shown(act(call("shell_execute", { command: "make" }))), shown(say("made"))] }],
    ["that builds on what others found", { ...wrote("hi"), spec: { depends_on: ["b"] } }],
    ["in a folder that is too large", { ...wrote("hi"), files: { "big.bin": "x".repeat(300_000) } }],
  ])("is that %s", async (_what, story) => {
    using bench = told(story);
    await worked(bench, story);
    await judged(bench, () => say(passed));
    expect(bench.requests("verifier").every(({ tools }) => tools === undefined)).toBe(true);
  });

  test("is that which people have steered: others were not told", async () => {
    using bench = told(wrote("hi"));
    await worked(bench, wrote("hi"));
    bench.after.push({
      type: "steer_instruction",
      instruction: "Say hello instead",
      instruction_chars: 17,
      mode: "queue",
      source: "user",
    });
    await judged(bench, () => say(passed));
    expect(bench.requests("verifier").every(({ tools }) => tools === undefined)).toBe(true);
  });

  test("is that for a verifier that takes tools as they are: it is asked", async () => {
    using bench = told(wrote("hi"));
    await worked(bench, wrote("hi"));
    const verdict = await judged(bench, ({ request }) => (request.tools === undefined ? say(passed) : say("Done.")));
    expect(verdict).toMatchObject({ outcome: "pass", reason_code: "ok" });
  });
});
