/** Small models over real HTTP: calls that leak as text are carried out, broken ones asked for again, and shown ones left alone. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ServedRequest } from "../support/model-server-wires.ts";
import { startScenario, type Wire } from "../support/scenario.ts";
import { calls, ending, plan, works } from "../support/story.ts";

const hermes =
  'I write it down.\n\n<tool_call>\n{"name": "writeFile", "arguments": {"file_path": "notes/one.txt", "content": "first line\\nsecond, with </tool_call> in it\\n",}}\n</tool_call>';
const qwen =
  '<function=write_file>\n<parameter=path>\nnotes/two.txt\n</parameter>\n<parameter=content>\nif (a < b) {\n  return \'{"name":"delete_file"}\';\n}\n\n</parameter>\n</function>\n</tool_call>';
const broken =
  '<tool_call>\n{"name": "write_file", "arguments": {"path": "notes/three.txt", "content": "say "hi" now"}}\n</tool_call>\n<tool_call>\n{"name": "read_file", "arguments": {"path": "notes/one.txt"}}\n</tool_call>';
const again =
  '<tool_call>\n{"name": "write_file", "arguments": {"path": "notes/three.txt", "content": "say \\"hi\\" now\\n"}}';
const done =
  'The three notes are written. A call such as\n\n```json\n{"name": "delete_file", "arguments": {"path": "notes/one.txt"}}\n```\n\nwould remove one again.';

describe("a model that writes its calls as text", () => {
  test.each<Wire>(["openai_compatible", "ollama", "anthropic"])(
    "finishes its task with the right files, over the wire of %s",
    async (wire) => {
      const replies = [
        plan({
          id: "notes",
          description: "Write the notes.",
          expected_outputs: ["notes/one.txt", "notes/two.txt", "notes/three.txt"],
        }),
        // Three malformed replies in a row would change the protocol.
        ...works(
          "Write the notes.",
          { text: hermes },
          { text: qwen },
          calls("list_directory", { path: "notes" }),
          { text: broken },
          { text: again },
          done,
        ),
        ...ending,
      ];
      await using scenario = await startScenario({ script: { replies } }, { wire });
      const { client, place, model } = scenario;
      const taskId = await client.submit({ goal: "Write the notes", workspace: place.workspace });
      expect(await client.closed(taskId)).toMatchObject({ status: "completed" });
      expect(place.read("notes/one.txt")).toBe("first line\nsecond, with </tool_call> in it\n");
      expect(place.read("notes/two.txt")).toBe('if (a < b) {\n  return \'{"name":"delete_file"}\';\n}\n');
      expect(place.read("notes/three.txt")).toBe('say "hi" now\n');
      expect(existsSync(join(place.workspace, "notes/one.txt"))).toBe(true);

      const events = await client.events(taskId);
      const started = events.filter(({ event_type }) => event_type === "tool_call_started");
      expect(started.map(({ data }) => [data.tool, data.repaired])).toEqual([
        ["write_file", ["tool_call_from_text", "format_hermes", "commas_removed", "name_mapped", "argument_renamed"]],
        ["write_file", ["tool_call_from_text", "format_qwen_xml"]],
        ["list_directory", undefined],
        ["write_file", ["tool_call_from_text", "format_hermes"]],
        ["read_file", ["tool_call_from_text", "format_hermes"]],
        ["write_file", ["tool_call_from_text", "format_hermes"]],
      ]);
      const [refused] = events.filter(({ event_type, data }) => event_type === "tool_call_completed" && !data.success);
      expect(refused?.data.error).toMatch(
        /a quote within a text is not escaped.*Right form of the arguments of write_file/,
      );
      const turns = events.filter(
        ({ event_type, data }) =>
          event_type === "model_invocation" && data.phase === "done" && data.role === "executor",
      );
      expect(turns.map(({ data }) => data.repaired?.[0])).toEqual([
        "tool_call_from_text",
        "tool_call_from_text",
        undefined,
        "tool_call_from_text",
        "tool_call_from_text",
        undefined,
      ]);

      const models = await client.get<{ name: string; notes: string[] }[]>("/models");
      expect(models.find(({ name }) => name === "hands")?.notes.join()).toContain(
        "4 of 5 replies with calls were malformed, 2 in a row",
      );
      // What the model is told of its own calls is the right form, without what was repaired.
      expect(JSON.stringify(model.requests.map(({ body }) => body))).not.toContain("tool_call_from_text");
    },
  );
});

describe("a model that goes round in circles", () => {
  test("is stopped long before the token limit, told so, and goes on", async () => {
    const description = "Write the note.";
    const unasked = "This turn is the one that circles.";
    const replies = [
      plan({ id: "note", description, expected_outputs: ["note.txt"] }),
      ...works(
        description,
        unasked,
        calls("write_file", { path: "note.txt", content: "one\n" }),
        "note.txt is written.",
      ),
      ...ending,
    ];
    const circling: { start: () => void } = { start: () => undefined };
    const before = async ({ messages }: ServedRequest): Promise<void> => {
      if (messages[0]?.content.startsWith("You are the planner") === true) circling.start();
    };
    await using scenario = await startScenario({ script: { replies }, before });
    const { client, place, model } = scenario;
    circling.start = () => model.fail({ kind: "circle" });
    const taskId = await client.submit({ goal: "Write the note", workspace: place.workspace });
    expect(await client.closed(taskId)).toMatchObject({ status: "completed" });
    await model.whenLeft(1);
    expect(place.read("note.txt")).toBe("one\n");

    const turns = (await client.events(taskId)).filter(
      ({ event_type, data }) => event_type === "model_invocation" && data.phase === "done" && data.role === "executor",
    );
    expect(turns.map(({ data }) => [data.finish, data.repaired])).toEqual([
      ["length", ["repetition_cut"]],
      ["tool_calls", undefined],
      ["stop", undefined],
    ]);
    expect(turns[0]?.data.usage.estimated).toBe(true);
    const next = model.requests.find(({ prompt }) => prompt.includes("said the same over and over"));
    expect(next?.messages.slice(-2).map(({ role, content }) => [role, content.slice(0, 40)])).toEqual([
      ["assistant", "before "],
      ["user", "Your last reply said the same over and o"],
    ]);
  });
});
