/** When an attempt steps down to a weaker protocol, what is recorded of it, and that the record decides. */
import { describe, expect, test } from "vitest";
import type { ModelReply, ToolCall } from "../../../src/ports/model.ts";
import type { Reply } from "../../../src/roles/records.ts";
import { SpokenProtocol } from "../../../src/roles/working/spoken-protocol.ts";
import { createWorker } from "../../../src/roles/working/work.ts";
import { type Answer, Bench, call, say } from "../../support/role-bench.ts";
import { Crash, RoleJournal } from "../../support/role-journal.ts";

const fine = (path = "a.txt"): ToolCall => call("read_file", { path });
const mended = (path = "a.txt"): ToolCall => ({ ...fine(path), repaired: ["tool_call_from_text"] });
const unread = (): ToolCall => ({ ...call("read_file", "{"), error: "read_file: the arguments are cut" });
const acts = (toolCalls: readonly ToolCall[], more: Partial<ModelReply> = {}): Answer => ({
  toolCalls,
  finish: "tool_calls",
  ...more,
});

function starts(bench: Bench) {
  return bench
    .ledger("work:a:1")
    .events.flatMap((event) => (event.type === "model_invocation" && event.phase === "start" ? [event] : []));
}

describe("an attempt", () => {
  const story = (answers: readonly Answer[]): Bench => {
    const bench = new Bench({ "a.txt": "A", "b.txt": "B", "c.txt": "C" });
    bench.script = (_asked, n) => answers[n - 1] ?? say("Done.");
    return bench;
  };

  test("steps down after three malformed replies in a row, in a new epoch, and says so with the turn", async () => {
    using bench = story([
      acts([mended()]),
      acts([mended("b.txt"), fine("c.txt")]),
      acts([unread()]),
      acts([fine("c.txt")]),
    ]);
    await createWorker(bench.ports)(bench.work());
    const lowered = { model: "m1", from: "native", to: "json_schema", malformed_replies: 3 };
    expect(starts(bench).map((event) => [event.epoch, event.protocol_lowered])).toEqual([
      [1, undefined],
      [1, undefined],
      [1, undefined],
      [2, lowered],
      [2, undefined],
    ]);
    expect(bench.requests().map(({ spoken }) => spoken)).toEqual([
      undefined,
      { model: "m1", protocol: "native" },
      { model: "m1", protocol: "native" },
      { model: "m1", protocol: "json_schema", malformed: 3 },
      // As the model of this bench says that it answered.
      { model: "m1", protocol: "native" },
    ]);
    // Nothing is put away: it is the same conversation, told in another way.
    const [, , third, fourth] = bench.requests();
    expect(fourth?.messages.slice(0, third?.messages.length)).toEqual(third?.messages);
  });

  test("steps down once more, and not below text", async () => {
    const by = (protocol: "json_schema" | "text") =>
      Array.from({ length: 3 }, (_, n) => acts([mended(`${n}.${protocol}`)], { protocol }));
    using bench = story([acts([mended()]), ...by("json_schema"), ...by("text"), ...by("text")]);
    await createWorker(bench.ports)(bench.work());
    expect(
      starts(bench).flatMap(({ iteration, protocol_lowered }) =>
        protocol_lowered === undefined ? [] : [[iteration, protocol_lowered.to]],
      ),
    ).toEqual([[5, "text"]]);
  });

  test.each<[string, readonly Answer[]]>([
    [
      "a call in the right form between them",
      [acts([mended()]), acts([mended("b.txt")]), acts([fine("c.txt")]), acts([mended()])],
    ],
    [
      "another model between them",
      [acts([mended()]), acts([mended("b.txt")], { model: "m9" }), acts([mended("c.txt")])],
    ],
    ["only two of them", [acts([mended()]), acts([mended("b.txt")])]],
  ])("does not, with %s", async (_name, answers) => {
    using bench = story(answers);
    await createWorker(bench.ports)(bench.work());
    expect(starts(bench).every((event) => event.protocol_lowered === undefined)).toBe(true);
  });

  test("that dies with the turn it stepped down with goes on as it began, though its model does well by then", async () => {
    using bench = story([acts([mended()]), acts([mended("b.txt")]), acts([mended("c.txt")])]);
    const journal = new RoleJournal(bench.ledger("work:a:1"));
    journal.at = (what, step) => {
      if (what === "end" && step === "turn-4") throw new Crash();
    };
    await expect(createWorker(bench.ports)(bench.work({ journal }))).rejects.toThrow(Crash);
    const asked = bench.requests().length;
    expect(await createWorker(bench.ports)(bench.work())).toMatchObject({ type: "Delivered" });
    expect(bench.requests()[asked]?.spoken).toEqual({ model: "m1", protocol: "json_schema", malformed: 3 });
  });
});

describe("a recorded turn", () => {
  test("decides how it is spoken, whatever the rule says today", () => {
    const malformed: Reply = {
      text: "",
      toolCalls: [{ id: "1", name: "read_file", arguments: {}, repaired: ["x"] }],
      finish: "tool_calls",
      model: "m",
      repaired: [],
    };
    const lowered = { model: "m", from: "native", to: "text", malformed_replies: 1 } as const;
    const protocol = new SpokenProtocol();
    expect(protocol.lowered(undefined)).toBeUndefined();
    protocol.observe(malformed);
    expect(protocol.lowered({ lowered })).toEqual(lowered);
    expect(protocol.spoken).toEqual({ spoken: { model: "m", protocol: "text", malformed: 1 } });
    for (let turn = 0; turn < 4; turn += 1) {
      protocol.observe({ ...malformed, protocol: "json_schema" });
      expect(protocol.lowered({})).toBeUndefined();
    }
  });
});
