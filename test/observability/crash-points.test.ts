/** Crash points: nothing is wrapped unless one is named, and the named one is met the named time. */
import { describe, expect, test } from "vitest";
import type { LoomError } from "../../src/lib/errors.ts";
import { crashing, crashingTools, crashingWorkspaces, crashPointOf } from "../../src/observability/crash-points.ts";
import type { PreparedCall, Tool, ToolContext, Tools } from "../../src/ports/tool.ts";
import type { Workspace, Workspaces } from "../../src/ports/workspace.ts";

class Counter {
  readonly #step = 2;
  total = 0;
  add(times: number): Promise<number> {
    this.total += this.#step * times;
    return Promise.resolve(this.total);
  }
}

describe("the setting", () => {
  test("that is absent or empty names nothing, and leaves everything as it is", () => {
    for (const setting of [undefined, ""]) expect(crashPointOf(setting)).toBeNull();
    const target = new Counter();
    expect(crashing(target, { add: "add" }, null)).toBe(target);
    const tools = { all: () => [], forTask: async () => [] };
    expect(crashingTools(tools, null)).toBe(tools);
    const workspaces = {} as Workspaces;
    expect(crashingWorkspaces(workspaces, null)).toBe(workspaces);
  });

  test.each(["append", "append.before", "append.before:0", ":3", "append.before:x", "Append:1"])(
    "%j is refused with the right form",
    (setting) => {
      let refusal: LoomError | null = null;
      try {
        crashPointOf(setting);
      } catch (error) {
        refusal = error as LoomError;
      }
      expect(refusal?.code).toBe("config_invalid");
      expect(refusal?.hint).toContain("append.before:7");
      expect(refusal?.message).toContain(setting);
    },
  );
});

describe("a named point", () => {
  test("crashes the named time it is come to, and never before", async () => {
    const met: string[] = [];
    const at = crashPointOf("add.after:2", () => void met.push("crash"));
    const counter = crashing(new Counter(), { add: "add" }, at);
    expect(await counter.add(1)).toBe(2);
    expect(met).toEqual([]);
    expect(await counter.add(2)).toBe(6);
    expect(met).toEqual(["crash"]);
    await counter.add(1);
    expect(met).toEqual(["crash"]);
    expect(counter.total).toBe(8);
  });

  test("stands before and after what tools do and what is applied to files", async () => {
    const met: string[] = [];
    const run = async (): Promise<{ success: boolean; output: string }> => {
      met.push("ran");
      return { success: true, output: "" };
    };
    const call = { action: {}, destructive: false, run } as unknown as PreparedCall;
    const tool = {
      prepare: async (args: unknown) => (args === "bad" ? { ok: false, error: "no" } : { ok: true, value: call }),
    } as unknown as Tool;
    const tools: Tools = { all: () => [tool], forTask: async () => [tool] };
    const wrapped = crashingTools(tools, (name) => void met.push(name));
    const [first] = wrapped.all();
    const [same] = await wrapped.forTask({ workspace: {} as Workspace, someoneCanAnswer: true });
    expect(first).toBe(same);
    expect(await first?.prepare("bad", {} as ToolContext)).toEqual({ ok: false, error: "no" });
    const prepared = await first?.prepare({}, {} as ToolContext);
    if (prepared?.ok !== true) throw new Error("It was not prepared");
    await prepared.value.run(new AbortController().signal);

    const folder = { root: "/w", apply: async () => void met.push("applied") } as unknown as Workspace;
    const workspaces = crashingWorkspaces(
      {
        open: async () => folder,
        createScratch: async (name) => `/s/${name}`,
        createCopy: async (files) => Object.assign(folder, { files, [Symbol.asyncDispose]: async () => {} }),
      },
      (name) => void met.push(name),
    );
    const opened = await workspaces.open("/w");
    expect(opened.root).toBe("/w");
    await opened.apply({ changes: [], blobs: [] });
    expect(await workspaces.createScratch("x")).toBe("/s/x");
    expect(await workspaces.createCopy(new Map())).toBe(folder);
    const pairs = ["tool.before", "ran", "tool.after", "change.before", "applied", "change.after"];
    expect(met).toEqual([...pairs, "scratch.before", "scratch.after", "copy.before", "copy.after"]);
  });
});
