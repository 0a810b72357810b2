/** Servers that drop tools, bind no reply, or lead their model astray: a task ends well in the strongest protocol that holds there. */
import { describe, expect, test } from "vitest";
import type { ServedReply } from "../support/model-server-reply.ts";
import type { ServedRequest } from "../support/model-server-wires.ts";
import { type Client, startScenario, type Wire, type WireEvent } from "../support/scenario.ts";
import { approves, plan, rejects } from "../support/story.ts";

const goal = "The harbour opens at six: put notes/hours.txt right";
const subtask = { id: "hours", description: goal, expected_outputs: ["notes/hours.txt"] };
const steps = [
  { tool: "read_file", path: "notes/hours.txt" },
  { tool: "write_file", path: "notes/hours.txt", content: "opens at six\n```\nfence\n```\n" },
] as const;
const summary = "notes/hours.txt says six now.";

function systemOf({ messages }: ServedRequest): string {
  return messages.find(({ role }) => role === "system")?.content ?? "";
}

function lastOf({ messages }: ServedRequest): string {
  return messages.at(-1)?.content ?? "";
}

/** All but the executor, who answers as each test has it. The verifier says yes to what the change shows, and to nothing else. */
function answerOf(request: ServedRequest, executor: (request: ServedRequest) => ServedReply): ServedReply {
  const system = systemOf(request);
  if (system.startsWith("You are the planner"))
    return { text: `Here is the plan:\n\n\`\`\`json\n${JSON.stringify(plan(subtask).json)}\n\`\`\`\n` };
  // So a model is told that has to be shown the form of its replies, also where it does the work once more as the verifier.
  if (system.startsWith("You are an executor") || system.startsWith("You do one job")) return executor(request);
  if (system.startsWith("You are a verifier")) {
    const isRight = lastOf(request).includes("+opens at six") && lastOf(request).includes("notes/hours.txt");
    return { json: (isRight ? approves : rejects("It does not say six.")).json ?? null };
  }
  return system.startsWith("You are an extractor")
    ? { json: [] }
    : { json: { summary: "Done.", answer: "It says six." } };
}

function invocations(events: readonly WireEvent[], phase: string): WireEvent["data"][] {
  return events
    .filter(({ event_type, data }) => event_type === "model_invocation" && data.role === "executor")
    .filter(({ data }) => data.phase === phase)
    .map(({ data }) => data);
}

async function hands(client: Client) {
  const models =
    await client.get<{ name: string; tool_protocol: string; notes: string[]; profile: object }[]>("/models");
  return models.find(({ name }) => name === "hands");
}

describe("a server that drops tools and binds no reply to a schema", () => {
  const block = (step: object): string => `\`\`\`tool\n${JSON.stringify(step)}\n\`\`\``;
  const executor = (request: ServedRequest): ServedReply => {
    const results = lastOf(request).split("Result of ").length - 1;
    if (results === 0) return { text: `I look first.\n\n${block(steps[0])}\nResult of read_file:\nopens at noon` };
    return {
      text: lastOf(request).includes("Result of read_file") ? block(steps[1]) : block({ tool: "finish", summary }),
    };
  };

  test.each<Wire>(["openai_compatible", "ollama", "anthropic"])(
    "is spoken to in text, over the wire of %s, and the task is done and true",
    async (wire) => {
      const server = {
        capabilities: null,
        dropsTools: true,
        ignoresSchema: true,
        answer: (request: ServedRequest) => answerOf(request, executor),
      };
      await using scenario = await startScenario(server, { wire });
      const { client, place, model } = scenario;
      place.write("notes/hours.txt", "opens at seven\n```\nfence\n```\n");
      const taskId = await client.submit({ goal, workspace: place.workspace });
      expect(await client.closed(taskId)).toMatchObject({ status: "completed" });
      expect(place.read("notes/hours.txt")).toBe(steps[1].content);

      expect(model.requests.flatMap(({ tools, schema }) => [...tools, ...(schema === null ? [] : [schema])])).toEqual(
        [],
      );
      // What the model made up of a result is not shown to it again.
      expect(model.requests.some(({ prompt }) => prompt.includes("opens at noon"))).toBe(false);
      const done = invocations(await client.events(taskId), "done");
      expect(done.map(({ protocol, repaired }) => [protocol, repaired])).toEqual([
        ["text", ["tail_removed"]],
        ["text", undefined],
        ["text", undefined],
      ]);
      expect(await hands(client)).toMatchObject({
        tool_protocol: "text",
        profile: { tools: { value: "no", known_by: "probe" }, schema: { value: "no", known_by: "probe" } },
      });
      // Two models, each probed once: nobody asks again, in this life or the next.
      expect(model.probes).toHaveLength(8);
      await scenario.restart();
      expect((await hands(scenario.client))?.tool_protocol).toBe("text");
      expect(model.probes).toHaveLength(8);
    },
  );
});

describe("a model that writes malformed calls again and again", () => {
  const leak = '<tool_call>\n{"name": "readFile", "arguments": {"path": "notes/hours.txt",}}\n</tool_call>';
  const reads = ["notes/hours.txt", "notes", "notes/other.txt"];
  /** Given tools it leaks its own syntax; bound by a schema it does what is to be done. */
  const executor = (request: ServedRequest): ServedReply => {
    const results = request.messages.filter(({ role }) => role === "tool").length;
    if (request.tools.length > 0) return { text: leak.replace("notes/hours.txt", reads[results] ?? "x") };
    if (lastOf(request).startsWith("Result of write_file")) return { json: { tool: "finish", summary } };
    return { json: lastOf(request).startsWith("Result of read_file") ? steps[1] : steps[0] };
  };

  test("is spoken to in a weaker protocol from a new epoch on; who reads the stream sees it, and the profile tells", async () => {
    const answer = (request: ServedRequest): ServedReply => answerOf(request, executor);
    await using scenario = await startScenario({ capabilities: ["completion", "tools"], answer });
    const { client, place, model } = scenario;
    place.write("notes/hours.txt", "opens at seven\n");
    const taskId = await client.submit({ goal, workspace: place.workspace });
    expect(await client.closed(taskId)).toMatchObject({ status: "completed" });

    const events = await client.events(taskId);
    const lowered = { model: "hands", from: "native", to: "json_schema", malformed_replies: 3 };
    const starts = invocations(events, "start");
    expect(starts.map(({ epoch, protocol_lowered }) => [epoch, protocol_lowered])).toEqual([
      [1, undefined],
      [1, undefined],
      [1, undefined],
      [2, lowered],
      [2, undefined],
    ]);
    expect(invocations(events, "done").map(({ protocol }) => protocol)).toEqual([
      undefined,
      undefined,
      undefined,
      "json_schema",
      "json_schema",
    ]);
    const last = model.requests.filter((request) => systemOf(request).startsWith("You do one job")).at(-1);
    // What was done before stands in the new form, and in the right one.
    expect(last?.prompt).toContain('{"tool":"read_file","path":"notes/hours.txt"}');

    const profile = {
      protocol: { value: "json_schema", known_by: "use" },
      tools: { value: "yes", known_by: "server" },
    };
    expect(await hands(client)).toMatchObject({ tool_protocol: "json_schema", profile });
    await scenario.restart();
    expect(await hands(scenario.client)).toMatchObject({ tool_protocol: "json_schema", profile });
    place.write("notes/hours.txt", "opens at seven\n");
    const next = await scenario.client.submit({ goal, workspace: place.workspace });
    expect(await scenario.client.closed(next)).toMatchObject({ status: "completed" });
    expect(invocations(await scenario.client.events(next), "done").map(({ protocol }) => protocol)).toEqual([
      "json_schema",
      "json_schema",
      "json_schema",
    ]);
  });
});
