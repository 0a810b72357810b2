/** Tool calls that come as text, and arguments that are not quite JSON. */
import { describe, expect, test } from "vitest";
import { callsInText, parseArguments } from "../../src/models/structured.ts";
import type { ToolSchema } from "../../src/ports/model.ts";

const tools: ToolSchema[] = ["read_file", "write_file"].map((name) => ({
  name,
  description: "",
  parameters: { type: "object" },
}));
const call = { id: "", name: "read_file", arguments: { path: "a" } };
const json = '{"name":"read_file","arguments":{"path":"a"}}';

describe("a reply that is a call, and nothing else", () => {
  test.each([
    ["bare", json],
    ["in a fence", `\`\`\`json\n${json}\n\`\`\``],
    ["in a list", `[${json}]`],
    ["in tags", `<tool_call>\n${json}\n</tool_call>`],
    ["in tags, a fence within", `<tool_call>\n\`\`\`\n${json}\n\`\`\`\n</tool_call>`],
    ["in tags, after a word", `I look at it first.\n<tool_call>${json}</tool_call>`],
    ["under OpenAI's names", `{"type":"function","function":${json}}`],
    ["with parameters", '{"name":"read_file","parameters":{"path":"a"}}'],
    ["with a tool member", '{"tool":"read_file","args":{"path":"a"}}'],
    ["with arguments as text", '{"name":"read_file","arguments":"{\\"path\\":\\"a\\"}"}'],
    ["with a trailing comma", '{"name":"read_file","arguments":{"path":"a"},}'],
  ])("is performed: %s", (_name, text) => {
    expect(callsInText(text, tools)).toEqual({ calls: [call], repaired: ["tool_call_from_text"] });
  });

  test("may be several", () => {
    const text = `<tool_call>${json}</tool_call>\n<tool_call>${json.replace("read", "write")}</tool_call>`;
    expect(callsInText(text, tools)?.calls.map(({ name }) => name)).toEqual(["read_file", "write_file"]);
  });
});

describe("a reply that only shows a call", () => {
  test.each([
    ["in prose", `You could run ${json} to see it.`],
    ["in a fence within prose", `Like this:\n\`\`\`json\n${json}\n\`\`\``],
    ["in tags within prose", `Write <tool_call>${json}</tool_call> and it reads the file.`],
    ["in tags at the end of a line", `The form is <tool_call>${json}</tool_call>`],
    ["in tags within a fence", `\`\`\`\n<tool_call>${json}</tool_call>\n\`\`\``],
    ["in tags after a fence", `\`\`\`\nx\n\`\`\`\n<tool_call>${json}</tool_call>`],
    ["of a tool that is not offered", '{"name":"rm_rf","arguments":{}}'],
    ["with members of its own", '{"name":"read_file","arguments":{"path":"a"},"result":"seven"}'],
    ["without arguments", '{"name":"read_file"}'],
    ["with arguments that are no object", '{"name":"read_file","arguments":[1]}'],
    ["beside a stranger", `[${json},{"name":"Ada"}]`],
    ["as an empty list", "[]"],
    ["as no JSON", "read_file(path='a')"],
  ])("is not performed: %s", (_name, text) => {
    expect(callsInText(text, tools)).toBeNull();
  });
});

describe("arguments", () => {
  test.each<[string, string | { path: string }, unknown, string[]]>([
    ["an object", { path: "a" }, { path: "a" }, []],
    ["JSON", '{"path":"a"}', { path: "a" }, []],
    ["nothing", "", {}, []],
    ["encoded twice", '"{\\"path\\":\\"a\\"}"', { path: "a" }, ["arguments_repaired"]],
    ["a trailing comma", '{"path":"a",}', { path: "a" }, ["arguments_repaired"]],
    ["a missing closer", '{"path":"a"', { path: "a" }, ["arguments_repaired"]],
    ["an empty string as a value", '{"path":""}', { path: "" }, []],
    ["cut within a string", '{"path":"a', '{"path":"a', []],
    ["a list", "[1]", "[1]", []],
  ])("as %s", (_name, args, wanted, repaired) => {
    expect(parseArguments(args, false)).toEqual({ arguments: wanted, repaired });
  });

  test.each(['{"path":"a"', ""])("of a reply that was cut are not mended: %j", (args) => {
    expect(parseArguments(args, true)).toEqual({ arguments: args, repaired: [] });
  });
});
