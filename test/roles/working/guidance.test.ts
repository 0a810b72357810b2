/** What a small model is bound to, by the kind of its job and by what it has done. */
import { describe, expect, test } from "vitest";
import type { SubtaskKind } from "../../../src/domain/plan.ts";
import type { ModelTerms } from "../../../src/ports/model.ts";
import { Guidance } from "../../../src/roles/working/guidance.ts";

const tool = (name: string, effectClass: "pure" | "workspace") => ({
  effectClass,
  schema: { name, description: "", parameters: {} },
});
const tools = [tool("read_file", "pure"), tool("write_file", "workspace")];
const terms = { showsExamples: true } as ModelTerms;
const empty = { list: async () => [] };
const found = { tool: "read_file", success: true, output: "port = 1\n" };

function guidanceFor(kind: SubtaskKind, { job = "What is the port?", hasMaterial = false } = {}): Guidance {
  return new Guidance({ tools, windowTokens: 8192, variant: 0, plain: "Do it.", kind, job, hasMaterial });
}

async function parts(guidance: Guidance, ofModel: ModelTerms | null = terms, stuck: readonly string[] = []) {
  return await guidance.parts(empty, ofModel, stuck);
}

describe("a job that is to find something", () => {
  test("changes no file", async () => {
    expect((await parts(guidanceFor("inspect"), terms, ["read_file"])).barred).toEqual(["write_file", "read_file"]);
    expect((await parts(guidanceFor("answer"))).barred).toEqual(["write_file"]);
    expect((await parts(guidanceFor("change"))).barred).toEqual([]);
  });

  test("ends with a piece of what was read, once something was", async () => {
    const guidance = guidanceFor("inspect");
    expect((await parts(guidance)).quotable).toBeUndefined();
    guidance.saw([{ ...found, success: false }]);
    expect((await parts(guidance)).quotable).toBeUndefined();
    guidance.saw([found]);
    expect((await parts(guidance)).quotable).toEqual(["port = 1"]);
  });

  test.each<[string, Guidance, ModelTerms | null]>([
    ["that changes something", guidanceFor("change"), terms],
    ["that asks for words of one's own", guidanceFor("inspect", { job: "Explain the port" }), terms],
    ["of a model that takes tools as they are", guidanceFor("inspect"), { ...terms, showsExamples: false }],
    ["of a model that is not known", guidanceFor("inspect"), null],
  ])("is free to say what it found in a job %s", async (_what, guidance, ofModel) => {
    guidance.saw([found]);
    expect((await parts(guidance, ofModel)).quotable).toBeUndefined();
  });
});

describe("a job", () => {
  test("begins with a call, unless it is an answer to what others found", async () => {
    for (const kind of ["change", "inspect", "answer"] as const)
      expect((await parts(guidanceFor(kind))).mustCall).toBe(true);
    expect((await parts(guidanceFor("answer", { hasMaterial: true }))).mustCall).toBe(false);
    expect((await parts(guidanceFor("change", { hasMaterial: true }))).mustCall).toBe(true);
  });

  test("may end once a call succeeded", async () => {
    const guidance = guidanceFor("change");
    guidance.saw([{ ...found, success: false }]);
    expect((await parts(guidance)).mustCall).toBe(true);
    guidance.saw([found]);
    expect((await parts(guidance)).mustCall).toBe(false);
  });

  test("keeps the results of the last calls, however many there were", () => {
    const guidance = guidanceFor("inspect");
    for (let nth = 0; nth < 100; nth += 1) guidance.saw([{ ...found, output: `${nth}` }]);
    expect(guidance.shown.map(({ output }) => output)).toEqual(
      Array.from({ length: 16 }, (_, index) => `${84 + index}`),
    );
  });
});
