import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { differences, type Outcome, openStage, type Stage } from "../crash-matrix/scene.ts";

describe("a server that is killed at a crash point and started again", () => {
  let stage: Stage;
  let undisturbed: Outcome;
  beforeAll(async () => {
    stage = await openStage();
    undisturbed = (await stage.play(null)).outcome;
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  test("is compared with a run that came to its end", () => {
    expect(undisturbed).toMatchObject({
      status: "task_completed",
      files: { "/one.txt": "the first\n", "/deep/two.txt": "second\n" },
      runs: 1,
      uncertain: 0,
      webhooks: 1,
    });
    expect(undisturbed.told["two"]?.filter((line) => line.startsWith("verification_failed"))).toHaveLength(1);
  });

  // A sample; `npm run crash-matrix` plays them all.
  test.each([
    "append.before:1",
    "append.after:20",
    "model.after:5",
    "change.after:2",
    "tool.after:6",
    "request.after:1",
  ])("%s: the same end, and nothing twice", async (point) => {
    const { outcome, crashed } = await stage.play(point);
    expect(crashed).toBe(true);
    expect(differences(undisturbed, outcome)).toEqual([]);
  });
});
