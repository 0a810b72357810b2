/** Replies that only look like calls: considered, shown or contained. None may run. Add what ran and should not have. */

export interface Shown {
  readonly why: string;
  readonly text: string;
}

const json = '{"name":"delete_file","arguments":{"path":"src/app.py"}}';
const tagged = `<tool_call>\n${json}\n</tool_call>`;
const inline = `<tool_call>${json}</tool_call>`;
const qwen =
  "<tool_call>\n<function=delete_file>\n<parameter=path>\nsrc/app.py\n</parameter>\n</function>\n</tool_call>";
const invoke = '<invoke name="delete_file">\n<parameter name="path">src/app.py</parameter>\n</invoke>';
const python = '[delete_file(path="src/app.py")]';
const mistral = `[TOOL_CALLS][${json}]`;
const fence = (text: string, language = "json"): string => `\`\`\`${language}\n${text}\n\`\`\``;
const considered = (why: string, text: string): Shown => ({ why: `considered ${why}`, text });
const told = (why: string, text: string): Shown => ({ why: `shown ${why}`, text });
const held = (why: string, text: string): Shown => ({ why: `contained ${why}`, text });

export const shown: readonly Shown[] = [
  considered("in a thought", `<think>\n${tagged}\n</think>\nAll is done.`),
  considered("in a thought that never ends", `<think>\nI will call\n${tagged}`),
  considered(
    "in a thought whose opening was the template's",
    `I could do this:\n${tagged}\nbut it is not asked.\n</think>\nAll is done.`,
  ),
  considered("in a thinking tag", `<thinking>${json}</thinking>\nNothing is to be deleted.`),
  considered("in reasoning", `<reasoning>\n${qwen}\n</reasoning>\nNothing is to be deleted.`),
  considered("in Mistral's thoughts", `[THINK]${mistral}[/THINK]The file stays.`),
  considered("in Command-R's thoughts", `<|START_THINKING|>${json}<|END_THINKING|>The file stays.`),
  considered("in Kimi's thoughts", `◁think▷${json}◁/think▷The file stays.`),
  considered(
    "in harmony's analysis",
    `<|channel|>analysis<|message|>We could use ${json} here.<|end|><|start|>assistant<|channel|>final<|message|>The file stays.`,
  ),
  considered("and left", `I considered this call:\n\n${tagged}\n\nbut the file is still needed, so I left it.`),
  considered("and left, bare", `I thought about\n${json}\nbut decided against it.`),
  considered("as what could be done", `I could call\n\n${tagged}`),
  considered("as what would be done", `Next I would delete it:\n${json}`),
  considered("and asked about", `${tagged}\n\nShall I run this?`),
  considered("and asked about first", `Do you want me to run this?\n\n${tagged}`),
  considered("on a condition", `If you want it gone, the call is:\n${fence(json)}`),
  considered("as an alternative", `Alternatively:\n\n${tagged}`),
  told("in a sentence", `You could run ${json} to remove it.`),
  told("in a sentence, tagged", `Write ${inline} and it removes the file.`),
  told("at the end of a sentence, tagged", `The form is ${inline}`),
  told("at the end of a sentence, as an example", `For example: ${json}`),
  told("in inline code", `The call \`${json}\` removes the file.`),
  told("in inline code on a line of its own", `The call is\n\`${json}\``),
  told("in inline code, tagged", `The call is\n\`${inline}\``),
  told("in quotation marks", `The log says\n"${inline}"\nand nothing else.`),
  told("in typographic quotation marks", `It wrote\n“${inline}”\nand stopped.`),
  told("in a block quote", `> ${inline}\n\nis what the other model wrote.`),
  told("in a block quote alone", `> ${json}`),
  told("in a fence that is talked of", `${fence(json)}\n\nThis is how a file is deleted.`),
  told("in a fence like this", `Like this:\n${fence(json)}`),
  told("in a fence as an example", `Here is an example of a call:\n\n${fence(json)}`),
  told("in a fence as documentation", `# delete_file\n\nUsage:\n\n${fence(json)}`),
  told("in a fence of what you can do", `You can remove it with:\n\n${fence(json)}`),
  told("in a fence after a format", `A call looks like\n\n${fence(tagged, "xml")}`),
  told("in a fence, then explained", `I explain the format:\n\n${fence(json)}\n\nThe name comes first.`),
  told("as code in a fence", fence(`call = ${json}\nsend(call)`, "python")),
  told("as a shell line in a fence", fence(`curl -d '${json}' localhost`, "bash")),
  told("in a fence among code", `The client sends:\n${fence(`POST /call\n\n${json}`, "http")}`),
  told(
    "as a definition",
    '{"name":"delete_file","description":"Delete a file","parameters":{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}}',
  ),
  told(
    "as a definition without description",
    '{"name":"delete_file","parameters":{"type":"object","properties":{"path":{"type":"string"}}}}',
  ),
  told(
    "as definitions in tags",
    '<tools>\n{"type":"function","function":{"name":"delete_file","description":"Delete a file","parameters":{"type":"object","properties":{"path":{"type":"string"}}}}}\n</tools>',
  ),
  told(
    "as a definition in OpenAI's form",
    '{"type":"function","function":{"name":"delete_file","parameters":{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}}}',
  ),
  told("with its result", '{"name":"delete_file","arguments":{"path":"src/app.py"},"result":"deleted"}'),
  told("as a record of the past", `I called the tool with\n\n${fence(json)}`),
  told("as a record of the past, tagged", `Earlier I ran:\n\n${tagged}\n\nand the file was gone.`),
  told("as the wrong way", `Do not write\n\n${tagged}`),
  told("as invoke in documentation", `The syntax is\n\n${invoke}`),
  told("as Mistral's form, explained", `In Mistral's syntax it would be\n\n${mistral}`),
  told("as a python list in a sentence", `Then ${python} is sent.`),
  told("as a python call in prose", 'Use delete_file(path="src/app.py") with care.'),
  told("as a python call in code", fence('delete_file(path="src/app.py")\nprint("done")', "py")),
  told("in a list of steps", `The plan:\n1. ${json}\n2. Then look whether it is gone.`),
  told("in a table", `| call | effect |\n|---|---|\n| ${json} | removes |`),
  told("as a comment", `// ${inline}\nis how the comment reads.`),
  told(
    "as ReAct in a description",
    'The prompt asks for lines like this:\n\nAction: delete_file\nAction Input: {"path": "src/app.py"}\n\nwhich the parser splits.',
  ),
  told("of a tool that there is not", '{"name":"rm_rf","arguments":{"path":"/"}}'),
  told("without arguments", '{"name":"delete_file"}'),
  told("flat, in a sentence", 'A line such as {"tool":"delete_file","path":"src/app.py"} is read by the server.'),
  told("as a person", '{"name":"Ada","arguments":{"path":"x"}}'),
  told("beside a stranger", `[${json},{"name":"Ada"}]`),
  told("as what was done", `All is done. The tool call was:\n\n${fence(json)}`),
  told("as what I did", `Here is what I did:\n\n${tagged}`),
  told("as what I added", `I added the following to README.md:\n\n${fence(json)}`),
  told("as what a file holds now", `The file is now:\n\n${fence(json)}`),
  told("as a file's content by its name", `calls.json:\n\n${fence(json)}`),
  told("as a request to a person", `Please run:\n\n${fence(json)}`),
  told("as a way to it", `To remove the file, call\n\n${fence(json)}`),
  told("as an output", `Output:\n\n${fence(json)}`),
  told("as a step of a list", `What happened:\n- ${inline}\n- the file was gone`),
  told("under a heading", `## Example\n\n${tagged}`),
  told("as a dictionary of code", fence(python, "python")),
  told("in the words of a person", `You said:\n\n${tagged}`),
  told("and then its result is told", `${fence(json)}\n\nThe file was removed.`),
  held("in a JSON answer", `{"answer":"use ${json.replaceAll('"', '\\"')}","ok":true}`),
  held("in a JSON answer, tagged", `{"report":"The model wrote ${inline.replaceAll('"', '\\"')}"}`),
  held("in a list of answers", `[{"question":"how?","call":${json}}]`),
  held("in a document in a fence", fence(`# Tools\n\n${tagged}\n`, "markdown")),
  held("in a document in a fence that never ends", `\`\`\`markdown\n# Tools\n\n${tagged}\n`),
  held("in a page", `<html>\n<body>\n${tagged}\n</body>\n</html>`),
  held("in an example element", `<example>\n${tagged}\n</example>`),
  held("in an example element, qwen", `<examples>\n<example>\n${qwen}\n</example>\n</examples>`),
  held("in a document element", `<document>\n${json}\n</document>`),
  held("in the content of a file that is shown", `<file path="a.md">\n${invoke}\n</file>`),
  held("in an invented answer", `<tool_response>\n${tagged}\n</tool_response>`),
  held("in a patch", fence(`+${tagged.replaceAll("\n", "\n+")}`, "diff")),
  held("in yaml", fence(`calls:\n  - ${json}`, "yaml")),
  held("in a string of code", fence(`const call = '${inline}';`, "ts")),
  held("in a log", fence(`12:00 model: ${inline}\n12:01 ok`, "log")),
];
