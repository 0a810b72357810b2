/** A small verifier is tried before it is believed, and its yes counts only if it can say no to falsified evidence. */
import { describe, expect, test } from "vitest";
import type { Message } from "../../../src/ports/model.ts";
import { createVerifier } from "../../../src/roles/verifying/verify.ts";
import { judged, passed, type Story, told, worked, wrote } from "../../support/role-story.ts";

const failed = '{"passed":false,"outcome":"fail","confidence":0.9,"feedback":"No."}';
const story: Story = { work: [wrote] };
const small = { model: "m2", protocol: "json_schema" } as const;
/** Of the cases of the trial, those that are well done. */
const wellDone = /rooms\/attic\.md|bread\.ini is 4|\+salt/;
const isTrial = (text: string): boolean => text.includes("# Subtask case-");
const asked = (messages: readonly Message[]): string => messages.findLast(({ role }) => role === "user")?.content ?? "";

function judge(messages: readonly Message[], passes: RegExp) {
  const text = asked(messages);
  return { ...small, text: (isTrial(text) ? wellDone : passes).test(text) ? passed : failed };
}

describe("a verifier that has to be shown how to answer", () => {
  test("counts when it tells the work from other work and from other contents", async () => {
    using bench = told(story);
    await worked(bench, story);
    const verdict = await judged(bench, ({ request }) => judge(request.messages, /\+hi/));
    expect(verdict).toMatchObject({ outcome: "pass" });
    const all = bench.requests("verifier").map(({ messages }) => asked(messages));
    expect(all.filter(isTrial)).toHaveLength(6);
    const [real, otherWork, otherContents, ...more] = all.filter((text) => !isTrial(text));
    expect(real).toContain("work_shown: passed");
    expect(otherWork).toContain("+the ferry goes at noon");
    expect(otherWork).not.toContain("+hi");
    expect(otherContents).toContain("hello.txt");
    expect(otherContents).not.toContain("+hi");
    for (const control of [otherWork, otherContents]) expect(control).toContain("# Subtask a");
    expect(more).toEqual([]);
  });

  test("is tried once, whatever it judges later", async () => {
    using bench = told(story);
    await worked(bench, story);
    const verifier = createVerifier(bench.ports);
    bench.script = ({ request }) => judge(request.messages, /\+hi/);
    const at = { kind: "verify", subtaskId: "a", attempt: 1, tier: 1 } as const;
    await verifier(bench.execution({ ...at, try: 1 }));
    bench.asked.length = 0;
    await verifier(bench.execution({ ...at, try: 2 }));
    expect(bench.requests("verifier").filter(({ messages }) => isTrial(asked(messages)))).toEqual([]);
  });

  test("settles nothing when it says yes to all that it is shown", async () => {
    using bench = told(story);
    await worked(bench, story);
    expect(await judged(bench, () => ({ ...small, text: passed }))).toMatchObject({
      outcome: "inconclusive",
      reason_code: "verifier_indiscriminate",
    });
  });

  test("is believed when it says no and can judge, without controls", async () => {
    using bench = told(story);
    await worked(bench, story);
    const verdict = await judged(bench, ({ request }) => judge(request.messages, /never/));
    expect(verdict).toMatchObject({ outcome: "fail" });
    expect(bench.requests("verifier")).toHaveLength(7);
  });

  test.each([
    ["yes", passed],
    ["no", failed],
  ])("settles nothing when it says %s to whatever is known of it", async (_what, text) => {
    using bench = told(story);
    await worked(bench, story);
    expect(await judged(bench, () => ({ ...small, text }))).toMatchObject({
      outcome: "inconclusive",
      reason_code: "verifier_indiscriminate",
    });
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
