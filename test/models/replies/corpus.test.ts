/** Of malformed replies, at least 97 % become the call that was meant and none another; what only looks like a call never runs. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canonicalJson } from "../../../src/lib/json.ts";
import { readReply } from "../../../src/models/replies/read-reply.ts";
import type { ToolSchema } from "../../../src/ports/model.ts";
import { type Bench, openBench } from "../../tools/bench.ts";
import { Temporary } from "../../workspace/temporary.ts";
import { type Case, corpus } from "./corpus.ts";
import type { Call } from "./family.ts";
import { shown } from "./shown.ts";

const temporary = new Temporary();
let bench: Bench;
let tools: readonly ToolSchema[];
beforeAll(async () => {
  bench = await openBench(temporary, {
    ".git/HEAD": "ref: refs/heads/main\n",
    "src/page.tsx": "x\n",
    "src/app.py": "x\n",
  });
  tools = bench.tools.all().map(({ schema }) => schema);
});
afterAll(() => temporary[Symbol.dispose]());

type Outcome = "meant" | "asked" | "other";

/** A call as its tool understands it; null where the tool asks again. */
async function understood({ name, arguments: args }: Call): Promise<string | null> {
  const tool = bench.tools.all().find(({ schema }) => schema.name === name);
  const prepared = await tool?.prepare(args, bench.context);
  return prepared?.ok === true ? canonicalJson([name, prepared.value.arguments]) : null;
}

async function outcomeOf({ text, meant }: Pick<Case, "text" | "meant">): Promise<Outcome> {
  const wanted = await Promise.all(meant.map(understood));
  const read = readReply(text, tools).calls;
  const ran = await Promise.all(read.map(async (call) => (call.kind === "call" ? await understood(call) : null)));
  if (ran.some((one) => one !== null && !wanted.includes(one))) return "other";
  return ran.length === wanted.length && ran.every((one, at) => one !== null && one === wanted[at]) ? "meant" : "asked";
}

describe("a malformed reply", () => {
  test("becomes the call that was meant, or a question; never another call", async () => {
    const outcomes = await Promise.all(corpus.map(async (one) => ({ ...one, outcome: await outcomeOf(one) })));
    const failed = outcomes.filter(({ outcome }) => outcome !== "meant");
    const table = new Map<string, { cases: number; meant: number }>();
    for (const { family, outcome } of outcomes) {
      const row = table.get(family) ?? { cases: 0, meant: 0 };
      table.set(family, { cases: row.cases + 1, meant: row.meant + (outcome === "meant" ? 1 : 0) });
    }
    const lines = [...table].map(
      ([family, { cases, meant }]) => `${String(meant).padStart(5)} of ${String(cases).padStart(4)}  ${family}`,
    );
    const recovered = outcomes.length - failed.length;
    process.stdout.write(
      `${lines.join("\n")}\n${recovered} of ${outcomes.length} recovered (${((100 * recovered) / outcomes.length).toFixed(1)} %)\n` +
        failed.map(({ family, damage, outcome }) => `${outcome}: ${family}: ${damage}\n`).join(""),
    );
    expect(outcomes.length).toBeGreaterThanOrEqual(300);
    expect(failed.filter(({ outcome }) => outcome === "other")).toEqual([]);
    expect(recovered / outcomes.length).toBeGreaterThanOrEqual(0.97);
  });
});

describe("a reply that only looks like a call", () => {
  test("is one of many", () => {
    expect(shown.length).toBeGreaterThanOrEqual(60);
  });

  test.each(shown)("does not run: $why", ({ text }) => {
    expect(readReply(text, tools).calls).toEqual([]);
  });
});
