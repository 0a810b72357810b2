/** Calls of one turn that only read: they run side by side, and are answered in the order in which they were made. */
import { describe, expect, test } from "vitest";
import type { Tool } from "../../src/ports/tool.ts";
import { createWorker } from "../../src/roles/working/work.ts";
import { act, Bench, call, say } from "../support/role-bench.ts";
import { benchTools } from "../support/role-tools.ts";

/** read_file that ends only when `count` of them have begun, the last first; one after the other they would time out. */
function meeting(bench: Bench, count: number): { readonly tools: readonly Tool[]; readonly ended: string[] } {
  const ended: string[] = [];
  const begun: { readonly path: string; readonly go: () => void }[] = [];
  const tools = benchTools(bench.shell).map((tool): Tool => {
    if (tool.schema.name !== "read_file") return tool;
    const prepare: Tool["prepare"] = async (args, context) => {
      const prepared = await tool.prepare(args, context);
      if (!prepared.ok || typeof args === "string") return prepared;
      const path = typeof args["path"] === "string" ? args["path"] : "";
      const run = async () => {
        const met = new Promise<void>((go) => begun.push({ path, go }));
        if (begun.length === count)
          queueMicrotask(() => {
            for (const one of begun.toReversed()) one.go();
          });
        await met;
        ended.push(path);
        return { success: true, output: `text of ${path}` };
      };
      return { ok: true, value: { ...prepared.value, run } };
    };
    return { ...tool, prepare };
  });
  return { tools, ended };
}

describe("reads of one turn", () => {
  test("run side by side, and their results keep their order", async () => {
    using bench = new Bench({ a: "", b: "", c: "" });
    const { tools, ended } = meeting(bench, 3);
    bench.script = (_asked, n) =>
      n === 1 ? act(...["a", "b", "c"].map((path) => call("read_file", { path }))) : say("Done.");
    const ports = { ...bench.ports, tools: { forTask: () => Promise.resolve(tools) } };
    expect(await createWorker(ports)(bench.work())).toMatchObject({ type: "Delivered" });
    expect(ended).toEqual(["c", "b", "a"]);
    const answered = bench
      .requests()
      .at(-1)
      ?.messages.filter(({ role }) => role === "tool");
    expect(answered?.map(({ content }) => content)).toEqual(["text of a", "text of b", "text of c"]);
  });
});
