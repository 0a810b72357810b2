/**
 * What a model that speaks JSON by schema is told: its tools, compactly, and worked examples. Small models copy what they see,
 * so the examples hold real values of another job, never placeholders. The same for the same tools, word for word.
 */
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import type { ToolSchema } from "../ports/model.ts";

const examplesMax = 3;
const descriptionMax = 160;

/** @param isShown worked examples stand elsewhere in the request */
export function toolGuide(tools: readonly ToolSchema[], isShown: boolean): string {
  const told = [
    "# Tools",
    'Each of your replies is one JSON object and nothing else. To use a tool: {"tool": its name, then its arguments}. The result comes back as the next message. Use one tool a reply; take paths, names and text from the task, not from the examples.',
    'When the work is done and you have seen that it is: {"tool": "finish", "summary": what was done and found}.',
    "",
    ...toolLines(tools),
  ];
  return [...told, ...(isShown ? [] : exampleLines(tools))].join("\n");
}

function exampleLines(tools: readonly ToolSchema[]): readonly string[] {
  return [
    "",
    "# Examples from another job",
    ...workedExamples(tools, (call) => JSON.stringify(call)),
    `Then, with the results seen: ${JSON.stringify({ tool: "finish", summary: "The harbour opens at six; notes/harbour.txt says so now." })}`,
  ];
}

/** Each tool with its arguments, on a line of its own. */
export function toolLines(tools: readonly ToolSchema[]): string[] {
  return tools.map(line);
}

function line({ name, description, parameters }: ToolSchema): string {
  const properties = propertiesOf(parameters);
  const required = requiredOf(parameters);
  const args = Object.entries(properties).map(
    ([key, schema]) => `${key}${required.includes(key) ? "" : "?"}: ${typeOf(schema)}`,
  );
  return `- ${name}(${args.join(", ")}): ${firstSentence(description)}`;
}

/** The jobs that the best known tools do, told as a person would. */
const jobs: readonly (readonly [RegExp, string])[] = [
  [/^write_file$/, "Put the opening hours into notes/harbour.txt."],
  [/^read_file$/, "What does notes/harbour.txt say?"],
  [/^shell_execute$/, "Which files are in notes?"],
  [/^edit_file$/, "The harbour opens at six, not at seven: put notes/harbour.txt right."],
  [/^list_directory$/, "Which files are in notes?"],
];

/** @param write how a call is written */
export function workedExamples(tools: readonly ToolSchema[], write: (call: JsonObject) => string): string[] {
  const known = jobs.flatMap(([pattern, job]) =>
    tools.filter(({ name }) => pattern.test(name)).map((tool) => ({ tool, job })),
  );
  const others = tools
    .filter((tool) => known.every((one) => one.tool !== tool))
    .map((tool) => ({ tool, job: firstSentence(tool.description) }));
  return [...known, ...others]
    .slice(0, examplesMax)
    .map(
      ({ tool, job }) => `Job: ${job}\nYour reply: ${write({ tool: tool.name, ...sampleArguments(tool.parameters) })}`,
    );
}

/** A call of another job, as it should look. */
export function sampleArguments(parameters: JsonObject): JsonObject {
  const required = requiredOf(parameters);
  const wanted = Object.entries(propertiesOf(parameters)).filter(([key]) => required.includes(key));
  return Object.fromEntries(wanted.map(([key, schema]) => [key, sample(key, schema)]));
}

const sampleWords: readonly (readonly [RegExp, string])[] = [
  [/command/, "ls notes"],
  [/url/, "https://harbour.example.org/hours"],
  [/dest|target/, "notes/harbour-2.txt"],
  [/path|file/, "notes/harbour.txt"],
  [/dir|folder/, "notes"],
  [/old/, "opens at seven"],
  [/new/, "opens at six"],
  [/content|text/, "The harbour opens at six.\n"],
  [/pattern|regex|query/, "harbour"],
];

function sample(key: string, schema: Json): Json {
  if (!isJsonObject(schema)) return "harbour";
  const { enum: choices, type } = schema;
  if (Array.isArray(choices)) return (choices[0] as Json | undefined) ?? null;
  if (type === "integer" || type === "number") return 3;
  if (type === "boolean") return true;
  if (type === "array") return [sample(key, schema["items"] ?? { type: "string" })];
  if (type === "object") return sampleArguments(schema);
  return sampleWords.find(([pattern]) => pattern.test(key))?.[1] ?? "harbour";
}

function typeOf(schema: Json): string {
  if (!isJsonObject(schema)) return "any";
  const { enum: choices, type } = schema;
  if (Array.isArray(choices)) return choices.map((choice) => JSON.stringify(choice)).join("|");
  return typeof type === "string" ? type : Array.isArray(type) ? type.join("|") : "any";
}

function firstSentence(text: string): string {
  const sentence = /^[\s\S]*?[.!?](?=\s|$)/.exec(text)?.[0] ?? text;
  const flat = sentence.replaceAll(/\s+/g, " ").trim();
  return flat.length > descriptionMax ? `${flat.slice(0, descriptionMax)}…` : flat;
}

function propertiesOf({ properties }: JsonObject): JsonObject {
  return isJsonObject(properties) ? properties : {};
}

function requiredOf({ required }: JsonObject): string[] {
  return Array.isArray(required) ? required.filter((name) => typeof name === "string") : [];
}
