/** What holds for every reply: it is read, in time that grows with its length; content comes back as it was; what was cut never runs. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Json } from "../../../src/lib/json.ts";
import { type ReadReply, readReply } from "../../../src/models/replies/read-reply.ts";
import type { ToolSchema } from "../../../src/ports/model.ts";
import { families } from "./families.ts";
import type { Call, Family } from "./family.ts";

const text = { type: "string" };
const schema = (name: string, properties: Record<string, Json>, required: string[]): ToolSchema => ({
  name,
  description: name,
  parameters: { type: "object", properties, required },
});
const tools: readonly ToolSchema[] = [
  schema("write_file", { path: text, content: text }, ["path", "content"]),
  schema("read_file", { path: text, line_start: { type: "integer" }, line_end: { type: "integer" } }, ["path"]),
  schema("delete_file", { path: text }, ["path"]),
];
const spelling = (value: Json): string => JSON.stringify(value);

/** Marks of all families, and what JSON and fences are made of. */
const fragments = [
  ...families.flatMap((family) =>
    family.reply([{ name: "delete_file", arguments: { path: "x" } }], spelling).split(/(?<=[>\]}])|(?=[<[{])/),
  ),

  "<think>",
  "</think>",
  "```",
  "```json\n",
  "\n",
  "\\",
  '"',
  "'",
  "“",
  "”",
  "{",
  "}",
  "[",
  "]",
  "Action:",
  "Action Input:",
  " to=functions.",
  "<|end|>",
  "\r\n",
  "\u2028",
  "é",
  "\uD83D",
];
const hostile = fc
  .array(
    fc.oneof(fc.constantFrom(...fragments), fc.string({ maxLength: 8 }), fc.string({ unit: "binary", maxLength: 4 })),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

/** Tags hold values as they are: one that holds the tags' own marks has two readings. */
const ownMarks =
  /<\/?(?:[a-z]+:|｜DSML｜)?(?:parameter|function|invoke|arg_key|arg_value|tool_call|function_calls)|<escape>|<\|"\|>/;

function calls({ calls: read }: ReadReply): unknown[] {
  return read.flatMap((call) => (call.kind === "call" ? [{ name: call.name, arguments: call.arguments }] : []));
}

function writing(content: string): Call {
  return { name: "write_file", arguments: { path: "notes/a.txt", content } };
}

describe("any text at all", () => {
  test("is read without an error, and nothing runs that it does not name", () =>
    fc.assert(
      fc.property(hostile, (reply) => {
        for (const call of readReply(reply, tools).calls) {
          const name = call.kind === "call" ? call.name : (call.name ?? "");
          expect(reply.toLowerCase().replaceAll(/[^a-z0-9]/g, "")).toContain(
            name.toLowerCase().replaceAll(/[^a-z0-9]/g, ""),
          );
        }
      }),
      { numRuns: 2000 },
    ));

  test.each([
    "{",
    "[",
    '"',
    "'",
    "\\",
    "`",
    "```",
    "```\n",
    "```json\n",
    "<tool_call>",
    "<tool_call>\n{",
    '<tool_call>{"a":"',
    "<think>",
    "</think>",
    "<think>\n",
    "{“a",
    '{"a":{',
    "[[",
    "<function=read_file>\n",
    "<function=read_file><parameter=path>",
    "<parameter=path>",
    "</parameter>",
    "\n",
    " ",
    "\t",
    "<tool_call>read_file<arg_key>path</arg_key><arg_value>",
    "Action: read_file\nAction Input: {",
    "\nAction:",
    "[TOOL_CALLS]",
    "[TOOL_CALLS]read_file",
    "read_file(",
    "\nread_file(",
    "[read_file(path=",
    " to=functions.read_file",
    "commentary to=functions.",
    "<|channel|>analysis<|message|>",
    '{"name":"read_file","arguments":{"path":"a"}}\n',
    '<tool_call>{"name":"read_file","arguments":{"path":"a"}}</tool_call>\n',
    "<a>",
    "</a>",
    "<a></b>",
    "//",
    "/*",
    "{/*",
    "{//",
    '<invoke name="read_file">',
    "functools[",
    "<escape>",
    "{a:<escape>",
    "x.",
    "I could. ",
    "<tool_response>",
    "\nObservation:",
    '{"a":1}\n',
    '\\"',
    '{\\"',
  ])("of 100 kB of %j is read while nobody waits: quadratic work would take minutes", (part) => {
    const { calls: found } = readReply(part.repeat(Math.ceil(100_000 / part.length)), tools);
    expect(found.every((call) => call.kind === "unread" || part.includes(call.name))).toBe(true);
  });
});

describe.each(families)("a well-formed call of $name", (family: Family) => {
  test("gives back its content byte for byte", () =>
    fc.assert(
      fc.property(hostile, (content) => {
        const cannotHold = family.kind === "tags" && ownMarks.test(content);
        fc.pre(!cannotHold && (family.kind === "json" || content.isWellFormed()));
        expect(calls(readReply(family.reply([writing(content)], spelling), tools))).toEqual([writing(content)]);
      }),
      { numRuns: 80 },
    ));

  const meant = (content: string): Call[] => [
    { name: "read_file", arguments: { path: "src/a.py", line_start: 10, line_end: 25 } },
    writing(content),
  ];

  test("cut at any place, never becomes a call that it is not", () => {
    const whole = family.reply(meant('a "b"\n```\n</div>\\'), spelling);
    for (let end = 0; end <= whole.length; end += 1)
      for (const call of calls(readReply(whole.slice(0, end), tools)))
        expect(meant('a "b"\n```\n</div>\\')).toContainEqual(call);
  });

  test("cut somewhere, whatever it holds, never becomes a call that it is not", () =>
    fc.assert(
      fc.property(hostile, fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean(), (content, share, isCut) => {
        fc.pre(family.kind !== "tags" || !ownMarks.test(content));
        const whole = family.reply(meant(content), spelling);
        const part = whole.slice(0, Math.floor(share * whole.length));
        for (const call of calls(readReply(part, tools, isCut))) expect(meant(content)).toContainEqual(call);
      }),
      { numRuns: 60 },
    ));
});

describe.each(families.filter(({ kind }) => kind === "tags"))("a value in the tags of $name", (family: Family) => {
  // Closed and opened anew word for word, it is no value any more: the format has no way to say otherwise.
  const closesItself = /<\/(?:[a-z]+:|｜DSML｜)?(?:parameter|arg_value)>\s*<[/]?(?:[a-z]+:|｜DSML｜)?[a-z]/;
  const marks = fc.constantFrom(...new Set(fragments.filter((part) => ownMarks.test(part) || part.length < 3)));
  const holding = fc.array(marks, { maxLength: 6 }).map((parts) => parts.join(""));

  test("that holds such tags comes back as it is, or is asked for again", () =>
    fc.assert(
      fc.property(holding, (content) => {
        fc.pre(!closesItself.test(content));
        for (const call of calls(readReply(family.reply([writing(content)], spelling), tools)))
          expect(call).toEqual(writing(content));
      }),
      { numRuns: 200 },
    ));
});

describe("behind a call that cannot be read", () => {
  const one = '<tool_call>\n{"name":"delete_file","arguments":{"path":"x"}}\n</tool_call>';
  const unread = (content: string) =>
    `<tool_call>\n{"name":"write_file","arguments":{"path":"a","content":"say "hi" ${content}"}}\n</tool_call>`;

  test.each([
    ["what it holds", unread(`and\n${one}\n`)],
    ["what follows a closing tag that it holds", unread(`and </tool_call>\n${one}\n`)],
    ["what follows one that never closes", `<tool_call>\n{"name":"write_file" "arguments"\n${one}`],
    ["what another family writes in it", `[TOOL_CALLS]write_file{"path":"a","content":"say "hi"\n${one}"}`],
    [
      "what stands in a fence of it",
      `\`\`\`json\n{"name":"write_file","arguments":{"path":"a","content":"say "hi"\n\`\`\`\n${one}"}}\n\`\`\``,
    ],
    ["what stands in an answer that cannot be read", `{"report": "it wrote "hi"\n${one}\n"}`],
  ])("does not run %s", (_name, reply) => {
    expect(calls(readReply(reply, tools))).toEqual([]);
  });

  test("runs the next one of its own", () => {
    expect(calls(readReply(`${unread("")}\n${one}`, tools))).toEqual([
      { name: "delete_file", arguments: { path: "x" } },
    ]);
  });
});

describe("a reply with more in it than can be told apart", () => {
  test("is asked for again, and none of it runs", () => {
    const one = '<tool_call>\n{"name":"delete_file","arguments":{"path":"x"}}\n</tool_call>\n';
    expect(readReply(`${one.repeat(600)}\n</think>\nAll is done.`, tools).calls).toMatchObject([
      { kind: "unread", name: null },
    ]);
  });
});
