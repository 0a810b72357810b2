/** ask_user: a question to a person. The call waits for the answer instead of running; this makes the question presentable. */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { QuestionAsk } from "../domain/approval.ts";
import { isJsonObject, type Json, type JsonObject, parseJson } from "../lib/json.ts";
import type { Tool } from "../ports/tool.ts";
import { actionOf, defineTool, failureOf } from "./definition.ts";
import { headOf } from "./output.ts";

const chars = { question: 1200, label: 300, id: 80, slug: 48, description: 600, note: 400 };
const optionsMax = 25;
const optionNames = ["options", "choices", "responses", "candidates", "selection_options"];
const questionTypes = ["free_text", "single_choice", "multi_choice"] as const;
const urgencies = ["low", "normal", "high"] as const;

type Option = QuestionAsk["options"][number];

const parameters = z.strictObject({
  question: z.string(),
  question_type: z.string().optional().describe(questionTypes.join(" | ")),
  options: z.array(z.unknown()).optional().describe("texts, or {id, label, description}"),
  allow_custom_response: z.boolean().default(true),
  context_note: z.string().optional(),
  urgency: z.string().optional().describe(urgencies.join(" | ")),
  default_option_id: z.string().optional(),
});
type Args = z.output<typeof parameters>;

export function askUserTool(): Tool {
  return defineTool({
    name: "ask_user",
    description: "Ask the person who gave the task, only where you cannot go on without them.",
    parameters,
    example: { question: "Which database?", question_type: "single_choice", options: ["SQLite", "PostgreSQL"] },
    aliases: {
      prompt: "question",
      message: "question",
      text: "question",
      type: "question_type",
      context: "context_note",
      note: "context_note",
      default_option: "default_option_id",
    },
    normalise: withOptionList,
    effectClass: "pure",
    risk: "low",
    timeoutMs: 10_000,
    prepare: async (args) => ({
      action: actionOf("ask_user"),
      destructive: false,
      question: questionOf(args),
      run: async () => failureOf("ask_user waits for a person; it does not run"),
    }),
  });
}

/** Options come as a list, as a map of id to label, or as lines of text, under several names. */
function withOptionList(args: JsonObject): JsonObject {
  const given = optionNames.find((name) => Object.hasOwn(args, name));
  const rest = Object.fromEntries(Object.entries(args).filter(([name]) => !optionNames.includes(name)));
  if (given === undefined) return { ...rest, question: args["question"] ?? args["prompt"] ?? "" };
  return { ...rest, options: listOf(args[given] ?? null) };
}

function listOf(options: Json): Json {
  if (typeof options === "string") {
    const parsed = parseJson(options);
    if (Array.isArray(parsed) || isJsonObject(parsed)) return listOf(parsed as Json);
    return options
      .split(options.includes("\n") ? "\n" : ",")
      .map((line) => line.replace(/^\s*(?:[-*•]|\d+[.)])\s+/, ""));
  }
  if (!isJsonObject(options)) return options;
  return Object.entries(options).map(([id, label]) => (isJsonObject(label) ? { id, ...label } : { id, label }));
}

function questionOf(args: Args): Omit<QuestionAsk, "question_id"> {
  const options = withDistinctIds((args.options ?? []).flatMap(optionOf).slice(0, optionsMax));
  const wanted = args.default_option_id?.toLowerCase();
  const chosen = options.find(({ id }) => id === wanted);
  return {
    question: headOf(args.question.trim(), chars.question) || "Please provide clarification.",
    question_type:
      questionTypes.find((type) => type === args.question_type) ?? (options.length > 0 ? "single_choice" : "free_text"),
    options,
    allow_custom_response: args.allow_custom_response,
    context_note: headOf((args.context_note ?? "").trim(), chars.note),
    urgency: urgencies.find((urgency) => urgency === args.urgency) ?? "normal",
    ...(chosen === undefined ? {} : { default_option_id: chosen.id }),
  };
}

function optionOf(given: unknown): Option[] {
  const parts = isJsonObject(given) ? given : { label: given };
  const label = headOf(firstText(parts, ["label", "title", "text", "name", "value", "id"]), chars.label);
  if (label === "") return [];
  const id = headOf(firstText(parts, ["id", "key", "slug"]).toLowerCase(), chars.id) || slugOf(label);
  return [{ id, label, description: headOf(firstText(parts, ["description", "detail"]), chars.description) }];
}

function firstText(parts: object, names: readonly string[]): string {
  const texts = names.map((name) => textOf(Object.getOwnPropertyDescriptor(parts, name)?.value));
  return texts.find((text) => text !== "") ?? "";
}

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value).trim()
    : "";
}

function slugOf(label: string): string {
  const slug = label
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, chars.slug);
  return slug || `option-${createHash("sha1").update(label).digest("hex").slice(0, 8)}`;
}

function withDistinctIds(options: readonly Option[]): Option[] {
  const taken = new Set<string>();
  return options.map((option) => {
    let { id } = option;
    for (let n = 2; taken.has(id); n += 1) id = `${option.id.slice(0, chars.id - 4)}-${n}`;
    taken.add(id);
    return { ...option, id };
  });
}
