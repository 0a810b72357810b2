/** Replies as they were seen in issues of vLLM, llama.cpp, Ollama, LM Studio and agents, with our tools' names. Add what you see. */
import type { Case } from "./corpus.ts";

const read = (path: string) => ({ name: "read_file", arguments: { path } });
const seen = (damage: string, text: string, ...meant: Case["meant"]): Case => ({
  family: "seen in the field",
  damage,
  text,
  meant,
});

export const leaks: readonly Case[] = [
  seen(
    "and the model waits",
    '{"name":"read_file","arguments":{"path":"a"}}\n\nI will wait for the result.',
    read("a"),
  ),
  seen(
    "the next action",
    'My next action is:\n\n```json\n{"name":"read_file","arguments":{"path":"a"}}\n```',
    read("a"),
  ),
  seen("here is the call", 'Here is the tool call:\n\n{"name":"read_file","arguments":{"path":"a"}}', read("a")),
  seen("tool call:", 'Tool call: {"name":"read_file","arguments":{"path":"a"}}', read("a")),
  seen("a wish", 'I would like to read the file first.\n\n{"name":"read_file","arguments":{"path":"a"}}', read("a")),
  seen(
    "a file's name before it",
    'Let me read src/app.py:\n\n<tool_call>\n{"name":"read_file","arguments":{"path":"src/app.py"}}\n</tool_call>',
    read("src/app.py"),
  ),
  seen(
    "what was found before",
    'The folder was empty. The file is missing.\n\n<tool_call>\n{"name":"read_file","arguments":{"path":"a"}}\n</tool_call>',
    read("a"),
  ),
  seen(
    "in another language",
    '我先读取文件。\n\n```json\n{"name":"read_file","arguments":{"path":"a"}}\n```',
    read("a"),
  ),
  seen(
    "talk of an error",
    'The previous call failed because the path was wrong. Let me try again:\n<tool_call>\n{"name":"read_file","arguments":{"path":"a"}}\n</tool_call>',
    read("a"),
  ),
  seen(
    "qwen3-coder without its opening tag (ollama 16686)",
    "I'll use the glob_find tool to list all markdown files in the current directory.\n\n<function=glob_find>\n<parameter=pattern>\n*.md\n</parameter>\n</function>\n</tool_call>",
    { name: "glob_find", arguments: { pattern: "*.md" } },
  ),
  seen(
    "hermes without closing tags (llama.cpp 12153)",
    '<tool_call>\n{"name": "read_file", "arguments": {"path": "a"}}\n<tool_call>\n{"name": "read_file", "arguments": {"path": "b"}}\n</tool_call>',
    read("a"),
    read("b"),
  ),
  seen(
    "harmony with the recipient's channel in the name (vllm 35906)",
    '<|start|>assistant<|channel|>commentary to=functions.read_file<|constrain|>json<|message|>{"path":"a"}',
    read("a"),
  ),
  seen(
    "harmony that names its thoughts first",
    'analysisWe need to read the file first.assistantcommentary to=functions.read_file json{"path":"a"}',
    read("a"),
  ),
  seen("devstral (Rapid-MLX 1071)", '[TOOL_CALLS]read_file[ARGS]{"path": "a"}', read("a")),
  seen("gemma with its own tag", '<tool>\n{"name": "read_file", "parameters": {"path": "a"}}\n</tool>', read("a")),
  seen("glaive", '<functioncall> {"name": "read_file", "arguments": \'{"path": "a"}\'} <|endoftext|>', read("a")),
  seen(
    "a fence within the tags",
    '<tool_call>\n```json\n{"name":"read_file","arguments":{"path":"a"}}\n```\n</tool_call>',
    read("a"),
  ),
  seen(
    "the tags within a fence",
    '```xml\n<tool_call>\n{"name":"read_file","arguments":{"path":"a"}}\n</tool_call>\n```',
    read("a"),
  ),
  seen(
    "the call after code that it talks of",
    'The bug is here:\n\n```python\nx = 1\n```\n\nI will read the rest.\n\n<tool_call>\n{"name":"read_file","arguments":{"path":"a"}}\n</tool_call>',
    read("a"),
  ),
  seen(
    "the call on the line of its sentence",
    'Let me look at the file. <tool_call>{"name":"read_file","arguments":{"path":"a"}}</tool_call>',
    read("a"),
  ),
  seen("bare at the end of a sentence", 'I will read it: {"name":"read_file","arguments":{"path":"a"}}', read("a")),
  seen(
    "an invented answer behind it",
    '<tool_call>\n{"name":"read_file","arguments":{"path":"a"}}\n</tool_call>\n<tool_response>\nx = 1\n</tool_response>\n<tool_call>\n{"name":"delete_file","arguments":{"path":"a"}}\n</tool_call>',
    read("a"),
  ),
  seen(
    "an invented observation",
    'Thought: I look.\nAction: read_file\nAction Input: {"path": "a"}\nObservation: x = 1\nThought: Now I know.\nFinal Answer: it is 1',
    read("a"),
  ),
  seen(
    "a plain input",
    "Thought: I look at it.\nAction: read_file\nAction Input: src/a.py\nObservation:",
    read("src/a.py"),
  ),
  seen(
    "two formats for one call",
    '<tool_call>\n{"name":"read_file","arguments":{"path":"a"}}\n</tool_call>\n\n```json\n{"name":"read_file","arguments":{"path":"a"}}\n```',
    read("a"),
  ),
  seen(
    "two formats for two calls",
    '<tool_call>\n{"name":"read_file","arguments":{"path":"a"}}\n</tool_call>\n<function=read_file>\n<parameter=path>\nb\n</parameter>\n</function>',
    read("a"),
    read("b"),
  ),
  seen("escaped as within a text", '{\\"name\\": \\"read_file\\", \\"arguments\\": {\\"path\\": \\"a\\"}}', read("a")),
  seen("all of it as one text", '"{\\"name\\": \\"read_file\\", \\"arguments\\": {\\"path\\": \\"a\\"}}"', read("a")),
  seen(
    "openai's function object",
    '{"type": "function", "function": {"name": "read_file", "arguments": "{\\"path\\": \\"a\\"}"}}',
    read("a"),
  ),
  seen("the name as the only key", '{"read_file": {"path": "a"}}', read("a")),
  seen("name and arguments on two lines", '<tool_call>\nread_file\n{"path": "a"}\n</tool_call>', read("a")),
  seen("glm on one line", "<tool_call>read_file<arg_key>path</arg_key><arg_value>a</arg_value></tool_call>", read("a")),
  seen(
    "a parameter's closing tag forgotten",
    "<tool_call>\n<function=read_file>\n<parameter=path>\na\n<parameter=line_start>\n3\n</parameter>\n</function>\n</tool_call>",
    { name: "read_file", arguments: { path: "a", line_start: 3 } },
  ),
  seen(
    "attributes in place of =",
    '<function name="read_file">\n<parameter name="path">a</parameter>\n</function>',
    read("a"),
  ),
  seen(
    "values on lines of their own",
    '<invoke name="write_file">\n<parameter name="path">\na\n</parameter>\n<parameter name="content">\nx\ny\n</parameter>\n</invoke>',
    { name: "write_file", arguments: { path: "a", content: "x\ny" } },
  ),
  seen(
    "a call and what it says of it afterwards",
    '<tool_call>\n{"name":"read_file","arguments":{"path":"a"}}\n</tool_call>\n\nI wait for the result.',
    read("a"),
  ),
  seen("a git line", '{"name":"git_command","arguments":{"args":"status --short"}}', {
    name: "git_command",
    arguments: { args: ["status", "--short"] },
  }),
  seen("a list as a text", '{"name":"git_command","arguments":{"args":"[\\"status\\"]"}}', {
    name: "git_command",
    arguments: { args: ["status"] },
  }),
  seen(
    "name and value pairs",
    '<tool_call>{"name":"read_file","arguments":[{"name":"path","value":"a"}]}</tool_call>',
    read("a"),
  ),
  seen(
    "the whole call within its arguments",
    '<tool_call>{"name":"read_file","arguments":{"name":"read_file","arguments":{"path":"a"}}}</tool_call>',
    read("a"),
  ),
  seen("kwargs and positions", '[write_file("a.txt", content="x")]', {
    name: "write_file",
    arguments: { path: "a.txt", content: "x" },
  }),
  seen(
    "a backslash that was not escaped",
    '<tool_call>{"name":"search_files","arguments":{"pattern":"\\d+\\s*","path":"src"}}</tool_call>',
    { name: "search_files", arguments: { pattern: "\\d+\\s*", path: "src" } },
  ),
  seen(
    "an apostrophe in single quotes",
    "<tool_call>{'name': 'write_file', 'arguments': {'path': 'a', 'content': 'it's done'}}</tool_call>",
    { name: "write_file", arguments: { path: "a", content: "it's done" } },
  ),
  seen(
    "text in three quotes",
    '<tool_call>{"name":"write_file","arguments":{"path":"a","content":"""x = "1"\ny\n"""}}</tool_call>',
    { name: "write_file", arguments: { path: "a", content: 'x = "1"\ny\n' } },
  ),
  seen(
    "one bad beside a good one",
    '<tool_call>\n{"name":"read_file","arguments":{"path":"a"}}\n</tool_call>\n<tool_call>\n{"name":"read_file","arguments":{"path":"b"}}\n</tool_call>',
    read("a"),
    read("b"),
  ),
];
