/** The marks by which model families say that a call begins: one row each. What stands between them is read the same for all. */

export interface Format {
  readonly name: string;
  /** Of the mark that opens a call, or a list of them. */
  readonly open: string;
  /** What closes it, where it has a closing mark. */
  readonly close?: RegExp;
  /** Its texts are not escaped: without its closing mark nobody knows where they end. */
  readonly mustClose?: true;
}

const closeTag = (name: string): RegExp => new RegExp(`\\s*</${name}>`, "y");

/** Hermes, Qwen, Granite, Nemotron, Glaive, …: tags of many names around the same. */
const tagNames = [
  "tool_call",
  "tool_calls",
  "toolcall",
  "TOOLCALL",
  "tool_use",
  "tool",
  "tools",
  "function_call",
  "function_calls",
  "functioncall",
  "tool_code",
  "action",
  "longcat_tool_call",
  "minimax:tool_call",
  "seed:tool_call",
  "xai:function_call",
];

export const formats: readonly Format[] = [
  ...tagNames.map((name): Format => ({ name: "hermes", open: `<${name}(?:\\s[^<>]{0,80})?>`, close: closeTag(name) })),
  { name: "qwen_xml", open: "(?=<function(?:=|\\s+name\\s*=))" },
  { name: "invoke", open: "(?=<(?:[a-z]{1,12}:|｜DSML｜)?invoke\\s)" },
  { name: "dsml", open: "<｜DSML｜function_calls>", close: /\s*<\/｜DSML｜function_calls>/y },
  { name: "mistral", open: "\\[TOOL_CALLS\\]", close: /\s*\[\/TOOL_CALLS\]/y },
  { name: "llama", open: "<\\|python_tag\\|>", close: /\s*<\|e(?:om|ot)_id\|>/y },
  { name: "llama4", open: "<\\|python_start\\|>", close: /\s*<\|python_end\|>/y },
  { name: "deepseek", open: "<[|｜]tool[▁_]call[▁_]begin[|｜]>", close: /\s*<[|｜]tool[▁_]call[▁_]end[|｜]>/y },
  { name: "deepseek", open: "<[|｜]tool[▁_]calls[▁_](?:section[▁_])?begin[|｜]>" },
  { name: "lfm", open: "<\\|tool_call_start\\|>", close: /\s*<\|tool_call_end\|>/y },
  { name: "phi", open: "<\\|tool_call\\|>", close: /\s*<\|\/tool_call\|>/y },
  { name: "phi", open: "functools(?=\\s*\\[)" },
  { name: "command_r", open: "<\\|START_ACTION\\|>", close: /\s*<\|END_ACTION\|>/y },
  { name: "internlm", open: "<\\|action_start\\|>\\s*<\\|(?:plugin|interpreter)\\|>", close: /\s*<\|action_end\|>/y },
  { name: "apertus", open: "<\\|tools_prefix\\|>", close: /\s*<\|tools_suffix\|>/y },
  { name: "lm_studio", open: "\\[TOOL_REQUEST\\]", close: /\s*\[END_TOOL_REQUEST\]/y },
  { name: "function_gemma", open: "<start_function_call>", close: /\s*<end_function_call>/y, mustClose: true },
  { name: "gemma", open: "<\\|tool_call>", close: /\s*<tool_call\|>/y, mustClose: true },
  {
    name: "harmony",
    open: "(?:<\\|start\\|>)?(?:assistant)?(?:<\\|channel\\|>)?(?:commentary|analysis)?[ \\t]{0,4}to=(?=functions\\.)",
    close: /\s*<\|call\|>/y,
  },
];
