/** Controls: the yes of a small verifier counts only if it can say no to falsified evidence. */
import { describe, expect, test } from "vitest";
import type { Message } from "../../../src/ports/model.ts";
import { judged, passed, type Story, told, worked, wrote } from "../../support/role-story.ts";

const failed = '{"passed":false,"outcome":"fail","confidence":0.9,"feedback":"No."}';
const story: Story = { work: [wrote] };
const small = { model: "m2", protocol: "json_schema" } as const;
const asked = (messages: readonly Message[]): string => messages.findLast(({ role }) => role === "user")?.content ?? "";

describe("a verifier that has to be shown how to answer", () => {
  test("counts when it tells the work from other work and from other contents", async () => {
    using bench = told(story);
    await worked(bench, story);
    const verdict = await judged(bench, ({ request }) => ({
      ...small,
      text: asked(request.messages).includes("+hi") ? passed : failed,
    }));
    expect(verdict).toMatchObject({ outcome: "pass" });
    const [real, otherWork, otherContents] = bench.requests("verifier").map(({ messages }) => asked(messages));
    expect(real).toContain("work_shown: passed");
    expect(otherWork).toContain("+the ferry goes at noon");
    expect(otherWork).not.toContain("+hi");
    expect(otherContents).toContain("hello.txt");
    expect(otherContents).not.toContain("+hi");
    for (const control of [otherWork, otherContents]) expect(control).toContain("# Subtask a");
    expect(bench.requests("verifier")).toHaveLength(3);
  });

  test("settles nothing when it says yes to all that it is shown", async () => {
    using bench = told(story);
    await worked(bench, story);
    expect(await judged(bench, () => ({ ...small, text: passed }))).toMatchObject({
      outcome: "inconclusive",
      reason_code: "verifier_indiscriminate",
    });
  });

  test("is believed when it says no, and is not asked again", async () => {
    using bench = told(story);
    await worked(bench, story);
    expect(await judged(bench, () => ({ ...small, text: failed }))).toMatchObject({ outcome: "fail" });
    expect(bench.requests("verifier")).toHaveLength(1);
  });

  test("is not believed when its yes took two questions to be read", async () => {
    using bench = told(story);
    await worked(bench, story);
    const texts = ["Well, hm.", passed];
    expect(await judged(bench, () => ({ ...small, text: texts.shift() ?? passed }))).toMatchObject({
      outcome: "inconclusive",
      reason_code: "parse_inconclusive",
    });
  });
});

test("a verifier that takes tools as they are is asked once", async () => {
  using bench = told(story);
  await worked(bench, story);
  expect(await judged(bench, () => ({ text: passed, model: "m2" }))).toMatchObject({ outcome: "pass" });
  expect(bench.requests("verifier")).toHaveLength(1);
});
