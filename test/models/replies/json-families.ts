/** Families whose arguments are JSON, as their chat templates have them and as servers leak them. */
import type { JsonObject } from "../../../src/lib/json.ts";
import { type Call, close, each, type Family } from "./family.ts";

const sep = "<｜tool▁sep｜>";
const object = ({ name, arguments: args }: Call): JsonObject => ({ name, arguments: args });
const parameters = ({ name, arguments: args }: Call): JsonObject => ({ name, parameters: args });

const tagged = (name: string, tag: string, of: (call: Call) => JsonObject): Family => ({
  name,
  kind: "json",
  isMarked: true,
  reply: (calls, json) => each(calls, (call) => `<${tag}>\n${json(of(call))}\n${close(tag)}`),
  closing: `\n${close(tag)}`,
});

export const jsonFamilies: readonly Family[] = [
  tagged("hermes (Qwen 2.5 and 3, Hermes)", "tool_call", object),
  tagged("hermes, parameters", "tool_call", parameters),
  tagged("gemma3-tools <tool>", "tool", parameters),
  tagged("qwen2.5-coder <tools>", "tools", object),
  tagged("function_call", "function_call", object),
  {
    name: "hermes, no closing tags between",
    kind: "json",
    isMarked: true,
    reply: (calls, json) => `${each(calls, (call) => `<tool_call>\n${json(object(call))}`)}\n</tool_call>`,
  },
  {
    name: "nemotron",
    kind: "json",
    isMarked: true,
    reply: (calls, json) => `<TOOLCALL>${json(calls.map(object))}</TOOLCALL>`,
    closing: "</TOOLCALL>",
  },
  {
    name: "granite",
    kind: "json",
    isMarked: true,
    reply: (calls, json) => `<|tool_call|>${json(calls.map(object))}`,
  },
  {
    name: "llama 3.x",
    kind: "json",
    isMarked: false,
    reply: (calls, json) => each(calls, (call) => json(parameters(call)), "; "),
  },
  {
    name: "llama 3.1 python_tag",
    kind: "json",
    isMarked: true,
    reply: (calls, json) => `<|python_tag|>${each(calls, (call) => json(parameters(call)), "; ")}<|eom_id|>`,
    closing: "<|eom_id|>",
  },
  {
    name: "llama 3.1 <function=name>",
    kind: "json",
    isMarked: true,
    reply: (calls, json) => each(calls, ({ name, arguments: args }) => `<function=${name}>${json(args)}</function>`),
    closing: "</function>",
  },
  {
    name: "mistral list",
    kind: "json",
    isMarked: true,
    reply: (calls, json) => `[TOOL_CALLS]${json(calls.map(object))}`,
  },
  {
    name: "mistral list, spaced",
    kind: "json",
    isMarked: true,
    reply: (calls, json) => `[TOOL_CALLS] ${json(calls.map(object))}[/TOOL_CALLS]`,
    closing: "[/TOOL_CALLS]",
  },
  {
    name: "mistral name and arguments",
    kind: "json",
    isMarked: true,
    reply: (calls, json) => each(calls, ({ name, arguments: args }) => `[TOOL_CALLS]${name}${json(args)}`, ""),
  },
  {
    name: "devstral [ARGS]",
    kind: "json",
    isMarked: true,
    reply: (calls, json) => each(calls, ({ name, arguments: args }) => `[TOOL_CALLS]${name}[ARGS]${json(args)}`, ""),
  },
  {
    name: "mistral [CALL_ID]",
    kind: "json",
    isMarked: true,
    reply: (calls, json) =>
      each(
        calls,
        ({ name, arguments: args }, at) => `[TOOL_CALLS]${name}[CALL_ID]a1B2c3D4${at}[ARGS]${json(args)}`,
        "",
      ),
  },
  {
    name: "deepseek v3 and r1",
    kind: "json",
    isMarked: true,
    reply: (calls, json) =>
      `<｜tool▁calls▁begin｜>${each(calls, ({ name, arguments: args }) => `<｜tool▁call▁begin｜>function${sep}${name}\n\`\`\`json\n${json(args)}\n\`\`\`<｜tool▁call▁end｜>`)}<｜tool▁calls▁end｜><｜end▁of▁sentence｜>`,
    closing: "<｜tool▁calls▁end｜><｜end▁of▁sentence｜>",
  },
  {
    name: "deepseek v3.1",
    kind: "json",
    isMarked: true,
    reply: (calls, json) =>
      `<｜tool▁calls▁begin｜>${each(calls, ({ name, arguments: args }) => `<｜tool▁call▁begin｜>${name}${sep}${json(args)}<｜tool▁call▁end｜>`, "")}<｜tool▁calls▁end｜>`,
    closing: "<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
  },
  {
    name: "deepseek in ascii",
    kind: "json",
    isMarked: true,
    reply: (calls, json) =>
      `<|tool_calls_begin|>${each(calls, ({ name, arguments: args }) => `<|tool_call_begin|>${name}<|tool_sep|>${json(args)}<|tool_call_end|>`, "")}<|tool_calls_end|>`,
  },
  {
    name: "kimi k2",
    kind: "json",
    isMarked: true,
    reply: (calls, json) =>
      `<|tool_calls_section_begin|>${each(calls, ({ name, arguments: args }, at) => `<|tool_call_begin|>functions.${name}:${at}<|tool_call_argument_begin|>${json(args)}<|tool_call_end|>`, "")}<|tool_calls_section_end|>`,
    closing: "<|tool_call_end|><|tool_calls_section_end|>",
  },
  {
    name: "harmony (gpt-oss)",
    kind: "json",
    isMarked: true,
    reply: (calls, json) =>
      each(
        calls,
        ({ name, arguments: args }) =>
          `<|channel|>analysis<|message|>We should call ${name}.<|end|><|start|>assistant<|channel|>commentary to=functions.${name} <|constrain|>json<|message|>${json(args)}<|call|>`,
        "",
      ),
    closing: "<|call|>",
  },
  {
    name: "harmony, recipient first",
    kind: "json",
    isMarked: true,
    reply: (calls, json) =>
      each(
        calls,
        ({ name, arguments: args }) =>
          `<|start|>assistant to=functions.${name}<|channel|>commentary json<|message|>${json(args)}<|call|>`,
        "",
      ),
  },
  {
    name: "harmony, marks lost",
    kind: "json",
    isMarked: true,
    reply: (calls, json) =>
      each(calls, ({ name, arguments: args }) => `assistantcommentary to=functions.${name} json${json(args)}`),
  },
  {
    name: "phi functools",
    kind: "json",
    isMarked: true,
    reply: (calls, json) => `functools${json(calls.map(object))}`,
  },
  {
    name: "phi-4-mini",
    kind: "json",
    isMarked: true,
    reply: (calls, json) => `<|tool_call|>${json(calls.map(object))}<|/tool_call|>`,
    closing: "<|/tool_call|>",
  },
  {
    name: "command-r",
    kind: "json",
    isMarked: true,
    reply: (calls, json) =>
      `Action: \`\`\`json\n${json(calls.map(({ name, arguments: args }) => ({ tool_name: name, parameters: args })))}\n\`\`\``,
    closing: "\n```",
  },
  {
    name: "command-r7b and a",
    kind: "json",
    isMarked: true,
    reply: (calls, json) =>
      `<|START_ACTION|>${json(calls.map(({ name, arguments: args }, at) => ({ tool_call_id: `${at}`, tool_name: name, parameters: args })))}<|END_ACTION|>`,
    closing: "<|END_ACTION|>",
  },
  {
    name: "internlm",
    kind: "json",
    isMarked: true,
    reply: (calls, json) =>
      each(calls, (call) => `<|action_start|><|plugin|>\n${json(parameters(call))}<|action_end|>`),
  },
  {
    name: "apertus",
    kind: "json",
    isMarked: true,
    reply: (calls, json) =>
      `<|tools_prefix|>${json(calls.map(({ name, arguments: args }) => ({ [name]: args })))}<|tools_suffix|>`,
    closing: "<|tools_suffix|>",
  },
  {
    name: "lm studio's default",
    kind: "json",
    isMarked: true,
    reply: (calls, json) => each(calls, (call) => `[TOOL_REQUEST]${json(object(call))}[END_TOOL_REQUEST]`),
    closing: "[END_TOOL_REQUEST]",
  },
  {
    name: "react",
    kind: "json",
    isMarked: true,
    reply: (calls, json) =>
      each(
        calls,
        ({ name, arguments: args }) =>
          `Thought: I should use ${name} now.\nAction: ${name}\nAction Input: ${json(args)}`,
      ),
  },
  {
    name: "react in one object",
    kind: "json",
    isMarked: true,
    reply: (calls, json) =>
      each(
        calls,
        ({ name, arguments: args }) => `Action:\n\`\`\`\n${json({ action: name, action_input: args })}\n\`\`\``,
      ),
  },
  { name: "bare", kind: "json", isMarked: false, reply: (calls, json) => each(calls, (call) => json(object(call))) },
  { name: "bare list", kind: "json", isMarked: false, reply: (calls, json) => json(calls.map(object)) },
  {
    name: "openai's own",
    kind: "json",
    isMarked: false,
    reply: (calls, json) =>
      json({
        tool_calls: calls.map((call, at) => ({ id: `call_${at}`, type: "function", function: object(call) })),
      }),
  },
  {
    name: "multi_tool_use",
    kind: "json",
    isMarked: false,
    reply: (calls, json) =>
      json({
        tool_uses: calls.map(({ name, arguments: args }) => ({
          recipient_name: `functions.${name}`,
          parameters: args,
        })),
      }),
  },
  {
    name: "fenced",
    kind: "json",
    isMarked: false,
    reply: (calls, json) => each(calls, (call) => `\`\`\`json\n${json(object(call))}\n\`\`\``),
    closing: "\n```",
  },
  {
    name: "fenced as tool_call",
    kind: "json",
    isMarked: true,
    reply: (calls, json) => each(calls, (call) => `\`\`\`tool_call\n${json(object(call))}\n\`\`\``),
    closing: "\n```",
  },
  {
    name: "flat",
    kind: "json",
    isMarked: false,
    reply: (calls, json) => each(calls, ({ name, arguments: args }) => json({ tool: name, ...args })),
  },
];
