/** Families that write Python, or each value in tags of its own. */
import type { Json } from "../../../src/lib/json.ts";
import { type Call, close, each, type Family } from "./family.ts";

const raw = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value));
const prefix = ["an", "tml:"].join("");

const python = ({ name, arguments: args }: Call): string =>
  `${name}(${Object.entries(args)
    .map(([key, value]) => `${key}=${pythonValue(value)}`)
    .join(", ")})`;

function pythonValue(value: Json): string {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value !== "string") return JSON.stringify(value);
  const body = JSON.stringify(value).slice(1, -1);
  return value.includes('"') && !value.includes("'") ? `'${body.replaceAll('\\"', '"')}'` : `"${body}"`;
}

const qwenFunction = ({ name, arguments: args }: Call): string =>
  `<function=${name}>\n${Object.entries(args)
    .map(([key, value]) => `<parameter=${key}>\n${raw(value)}\n${close("parameter")}\n`)
    .join("")}</function>`;

const invoke = (space: string, { name, arguments: args }: Call): string =>
  `<${space}invoke name="${name}">\n${Object.entries(args)
    .map(([key, value]) => `<${space}parameter name="${key}">${raw(value)}${close(`${space}parameter`)}\n`)
    .join("")}${close(`${space}invoke`)}`;

const gemmaValue = (quote: string, value: Json): string =>
  typeof value === "string" ? `${quote}${value}${quote}` : JSON.stringify(value);
const gemma = (quote: string, { name, arguments: args }: Call): string =>
  `call:${name}{${Object.entries(args)
    .map(([key, value]) => `${key}:${gemmaValue(quote, value)}`)
    .join(",")}}`;

export const valueFamilies: readonly Family[] = [
  { name: "llama pythonic", kind: "python", isMarked: false, reply: (calls) => `[${calls.map(python).join(", ")}]` },
  {
    name: "llama 4",
    kind: "python",
    isMarked: true,
    reply: (calls) => `<|python_start|>[${calls.map(python).join(", ")}]<|python_end|>`,
    closing: "<|python_end|>",
  },
  {
    name: "lfm2",
    kind: "python",
    isMarked: true,
    reply: (calls) => `<|tool_call_start|>[${calls.map(python).join(", ")}]<|tool_call_end|>`,
    closing: "<|tool_call_end|>",
  },
  {
    name: "gemma tool_code",
    kind: "python",
    isMarked: true,
    reply: (calls) => `\`\`\`tool_code\n${each(calls, python)}\n\`\`\``,
    closing: "\n```",
  },
  {
    name: "gemma tool_code, printed",
    kind: "python",
    isMarked: true,
    reply: (calls) => `\`\`\`tool_code\n${each(calls, (call) => `print(default_api.${python(call)})`)}\n\`\`\``,
  },
  { name: "a bare python call", kind: "python", isMarked: false, isAlone: true, reply: (calls) => each(calls, python) },
  {
    name: "qwen3-coder",
    kind: "tags",
    isMarked: true,
    reply: (calls) => each(calls, (call) => `<tool_call>\n${qwenFunction(call)}\n</tool_call>`),
    closing: "\n</tool_call>",
  },
  {
    name: "qwen3-coder, opening tag lost",
    kind: "tags",
    isMarked: true,
    reply: (calls) => each(calls, (call) => `${qwenFunction(call)}\n</tool_call>`),
  },
  { name: "qwen3-coder, bare", kind: "tags", isMarked: true, reply: (calls) => each(calls, qwenFunction) },
  {
    name: "seed-oss",
    kind: "tags",
    isMarked: true,
    reply: (calls) => each(calls, (call) => `<seed:tool_call>\n${qwenFunction(call)}\n</seed:tool_call>`),
  },
  {
    name: "claude",
    kind: "tags",
    isMarked: true,
    reply: (calls) =>
      `<${prefix}function_calls>\n${each(calls, (call) => invoke(prefix, call))}\n${close(`${prefix}function_calls`)}`,
  },
  {
    name: "invoke",
    kind: "tags",
    isMarked: true,
    reply: (calls) => `<function_calls>\n${each(calls, (call) => invoke("", call))}\n</function_calls>`,
    closing: "\n</function_calls>",
  },
  {
    name: "minimax m2",
    kind: "tags",
    isMarked: true,
    reply: (calls) => `<minimax:tool_call>\n${each(calls, (call) => invoke("", call))}\n</minimax:tool_call>`,
  },
  {
    name: "deepseek v3.2",
    kind: "tags",
    isMarked: true,
    reply: (calls) =>
      `<｜DSML｜function_calls>\n${each(
        calls,
        ({ name, arguments: args }) =>
          `<｜DSML｜invoke name="${name}">\n${Object.entries(args)
            .map(
              ([key, value]) =>
                `<｜DSML｜parameter name="${key}" string="${typeof value === "string"}">${raw(value)}</｜DSML｜parameter>\n`,
            )
            .join("")}</｜DSML｜invoke>`,
      )}\n</｜DSML｜function_calls>`,
  },
  {
    name: "glm 4.5",
    kind: "tags",
    isMarked: true,
    reply: (calls) =>
      each(
        calls,
        ({ name, arguments: args }) =>
          `<tool_call>${name}\n${Object.entries(args)
            .map(([key, value]) => `<arg_key>${key}</arg_key>\n<arg_value>${raw(value)}</arg_value>\n`)
            .join("")}</tool_call>`,
      ),
    closing: "</tool_call>",
  },
  {
    name: "function gemma",
    kind: "tags",
    isMarked: true,
    reply: (calls) => each(calls, (call) => `<start_function_call>${gemma("<escape>", call)}<end_function_call>`, ""),
  },
  {
    name: "gemma 4",
    kind: "tags",
    isMarked: true,
    reply: (calls) => each(calls, (call) => `<|tool_call>${gemma('<|"|>', call)}<tool_call|>`, ""),
  },
];
