/** What counts as a well-formed call, and what a model is told of one that is not. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { parametersSchema, parseArguments } from "../../src/tools/arguments.ts";
import { Temporary } from "../workspace/temporary.ts";
import { openBench } from "./bench.ts";

const form = {
  name: "sample",
  parameters: z.strictObject({
    path: z.string(),
    count: z.int().min(1).max(9).optional(),
    flag: z.boolean().default(true),
    list: z.array(z.strictObject({ a: z.string() })).optional(),
  }),
  example: { path: "a.txt", count: 2 },
  aliases: { file_path: "path", constructor_path: "path" },
};

describe("the arguments of a call", () => {
  test.each([
    [{ path: "a" }, { path: "a", flag: true }],
    ['{"path": "a"}', { path: "a", flag: true }],
    [{ file_path: "a" }, { path: "a", flag: true }],
    [{ filePath: "a" }, { path: "a", flag: true }],
    [{ "File-Path": "a" }, { path: "a", flag: true }],
    [
      { Path: "a", file_path: "a" },
      { path: "a", flag: true },
    ],
    [
      { path: "a", count: " 5 " },
      { path: "a", count: 5, flag: true },
    ],
    [
      { path: "a", flag: "False" },
      { path: "a", flag: false },
    ],
    [
      { path: "a", count: null },
      { path: "a", flag: true },
    ],
    [
      { path: "a", list: '[{"a": "x"}]' },
      { path: "a", flag: true, list: [{ a: "x" }] },
    ],
    [
      { path: "a", list: { a: "x" } },
      { path: "a", flag: true, list: [{ a: "x" }] },
    ],
    [
      { path: "a", list: '{"a": "x"}' },
      { path: "a", flag: true, list: [{ a: "x" }] },
    ],
    [
      { path: "a", explanation: "because" },
      { path: "a", flag: true },
    ],
    [{ path: "" }, { path: "", flag: true }],
    [{ path: "5" }, { path: "5", flag: true }],
  ])("are understood where nothing else can be meant: %j", (given, meant) => {
    expect(parseArguments(form, given)).toMatchObject({ ok: true, value: { value: meant } });
  });

  test.each([
    [{ path: "a" }, []],
    [
      { filePath: "a", count: "5", flag: null, explanation: "why" },
      ["argument_renamed", "argument_coerced", "null_dropped", "remark_dropped"],
    ],
    [{ path: "a", list: { A: "x" } }, ["argument_coerced", "argument_renamed"]],
  ])("say by which rules they were understood: %j", (given, repaired) => {
    expect(parseArguments(form, given)).toMatchObject({ ok: true, value: { repaired } });
  });

  test("are understood within lists and objects too", () => {
    const inner = {
      name: "inner",
      parameters: z.strictObject({
        words: z.array(z.string()).optional(),
        share: z.number().optional(),
        at: z.strictObject({ line: z.int(), why: z.string().optional() }).optional(),
      }),
      example: {},
      aliases: { row: "line" },
    };
    const meant = { words: ["one"], share: 0.5, at: { line: 7 } };
    expect(parseArguments(inner, { words: "one", share: "0.5", at: '{"row": "7", "why": null}' })).toMatchObject({
      ok: true,
      value: { value: meant },
    });
    expect(parseArguments(inner, { words: "one, two" })).toMatchObject({ ok: false });
    expect(parseArguments(inner, { at: { line: 7, column: 3 } })).toMatchObject({ ok: false });
  });

  test.each([
    ["not json", "the arguments are not a JSON object"],
    ["[1]", "the arguments are not a JSON object"],
    [{}, '"path": '],
    [{ path: 5 }, '"path": '],
    [{ path: "a", count: "many" }, '"count": '],
    [{ path: "a", count: 10 }, '"count": '],
    [{ path: "a", list: "[broken" }, '"list": '],
    [{ path: "a", list: [{ b: 1 }] }, '"list.0.a": '],
    [{ path: "a", encoding: "latin1" }, 'unknown argument "encoding"'],
    [{ path: "a", file_path: "b" }, '"file_path" and another argument both give "path"'],
    [{ path: "a", constructor: "b" }, 'unknown argument "constructor"'],
  ])("are refused with the right form shown: %j", (given, reason) => {
    const result = parseArguments(form, given);
    expect(result).toMatchObject({ ok: false });
    const message = result.ok ? "" : result.error;
    expect(message).toContain(`sample: ${reason}`);
    expect(message).toContain('Right form: {"path":"a.txt","count":2}');
  });
});

describe("the schemas that models are sent", () => {
  test("say what is needed and nothing that only we check", () => {
    expect(parametersSchema(form.parameters)).toEqual({
      type: "object",
      properties: {
        path: { type: "string" },
        count: { type: "integer", minimum: 1, maximum: 9 },
        flag: { type: "boolean", default: true },
        list: { type: "array", items: { type: "object", properties: { a: { type: "string" } }, required: ["a"] } },
      },
      required: ["path"],
    });
  });

  test("stay short, all together, and come in a fixed order", async () => {
    using temporary = new Temporary();
    const { tools, workspace } = await openBench(temporary, { ".git/HEAD": "" });
    const names = tools.all().map(({ schema }) => schema.name);
    expect(JSON.stringify(tools.all().map(({ schema }) => schema)).length).toBeLessThan(6000);
    expect(names).toEqual([
      "read_file",
      "list_directory",
      "glob_find",
      "search_files",
      "edit_file",
      "write_file",
      "append_file",
      "move_file",
      "delete_file",
      "shell_execute",
      "git_command",
      "web_fetch",
      "read_artifact",
      "ask_user",
    ]);
    const offered = await tools.forTask({ workspace, someoneCanAnswer: true });
    expect(offered.map(({ schema }) => schema.name)).toEqual(names);
  });

  test("leave out what a task cannot use", async () => {
    using temporary = new Temporary();
    const { tools, workspace } = await openBench(temporary);
    const offered = await tools.forTask({ workspace, someoneCanAnswer: false });
    expect(offered.map(({ schema }) => schema.name)).not.toContain("ask_user");
    expect(offered.map(({ schema }) => schema.name)).not.toContain("git_command");
    temporary.write({ ".git/HEAD": "" });
    const inRepository = await tools.forTask({ workspace, someoneCanAnswer: false });
    expect(inRepository.map(({ schema }) => schema.name)).toContain("git_command");
  });
});
