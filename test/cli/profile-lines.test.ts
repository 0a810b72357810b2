/** What is known of a model, in words for people. */
import { describe, expect, test } from "vitest";
import { profileLines, weakPoints } from "../../src/cli/profile-lines.ts";
import { ModelShown } from "../../src/cli/wire.ts";
import { model } from "../support/fake-equipment.ts";

type Profile = ModelShown["profile"];

const at = "2026-11-21T10:00:00.000Z";
const profileOf = (facts: Partial<Profile>): Pick<ModelShown, "profile"> =>
  ModelShown.parse({ ...model, profile: { ...model.profile, ...facts } });
const found = (value: string | number | null, known_by: string | null) => ({
  value,
  known_by,
  at: known_by === null ? null : at,
});

describe("a profile", () => {
  test("of which nothing is known says so, and claims no source", () => {
    const nothing = found("unknown", null);
    const facts = { tools: nothing, schema: nothing, prefix_reuse: nothing, window_tokens: found(null, null) };
    expect(profileLines(profileOf({ ...facts, protocol: { ...nothing, reason: null } }))).toEqual([
      "  tools reach the prompt    not known yet",
      "  a schema binds the reply  not known yet",
      "  window                    not known yet",
      "  a prefix is reused        not known yet",
      "  so it is spoken to in     not known yet",
    ]);
    expect(weakPoints(profileOf({ ...facts, protocol: { ...nothing, reason: null } }))).toEqual([]);
  });

  test("tells what could not be found out from what was not asked, and the reason of a protocol from its source", () => {
    const lines = profileLines(
      profileOf({
        tools: found("unknown", "probe"),
        protocol: { ...found("text", "use"), reason: "3 malformed\u001B[2J replies" },
      }),
    );
    expect(lines[0]).toMatch(/cannot be told +\(probed, 2026-11-21 10:00 UTC\)/);
    expect(lines[4]).toMatch(/as text +\(3 malformed replies\)/);
  });
});

describe("weak points", () => {
  test.each<[string, Partial<Profile>, RegExp]>([
    [
      "nothing binds",
      { tools: found("no", "probe"), schema: found("no", "probe") },
      /^neither `tools` nor a JSON schema/,
    ],
    ["plans are not bound", { schema: found("no", "probe") }, /^no reply is bound to a JSON schema/],
    ["a small window", { window_tokens: found(4096, "server") }, /^its window holds 4096 tokens: /],
    [
      "a window that is smaller than it was said",
      { window_tokens: found(4096, "use") },
      /4096 tokens, as its server showed/,
    ],
    ["no prompt cache", { prefix_reuse: found("no", "probe") }, /^its server reads every prompt anew/],
    [
      "malformed calls",
      { protocol: { ...found("json_schema", "use"), reason: "3 in a row" } },
      /^its calls were malformed again and again: 3 in a row/,
    ],
  ])("are told: %s", (_name, facts, words) => {
    expect(weakPoints(profileOf(facts))).toEqual([expect.stringMatching(words)]);
  });

  test("are none where all holds", () => {
    expect(weakPoints(profileOf({}))).toEqual([]);
  });
});
