/** Twenty small goals of one or two steps, each with a check of our own: whether the files and the answer bear it out. No model's word counts here. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseJson } from "../../src/lib/json.ts";

export interface Goal {
  readonly goal: string;
  /** Files that stand in the workspace before. */
  readonly files: Readonly<Record<string, string>>;
  /** Do files and answer bear it out? */
  readonly holds: (workspace: string, answer: string) => boolean;
}

function text(workspace: string, path: string): string {
  const file = join(workspace, path);
  return existsSync(file) ? readFileSync(file, "utf8").trim() : "";
}

const stands = (path: string, content: string) => (at: string) => text(at, path) === content;
const gone = (path: string) => (at: string) => !existsSync(join(at, path));
const moved = (from: string, to: string, content: string) => (at: string) => gone(from)(at) && stands(to, content)(at);
const said =
  (...words: readonly string[]) =>
  (_at: string, answer: string) =>
    words.every((word) => answer.includes(word));
const valueIs = (path: string, wanted: object) => (at: string) =>
  JSON.stringify(parseJson(text(at, path))) === JSON.stringify(wanted);

export const goals: readonly Goal[] = [
  { goal: "Create the file hello.txt with the text: hello", files: {}, holds: stands("hello.txt", "hello") },
  {
    goal: "Create the file notes/today.md with the text: buy milk",
    files: {},
    holds: stands("notes/today.md", "buy milk"),
  },
  { goal: "Write the word ready into status.txt", files: {}, holds: stands("status.txt", "ready") },
  {
    goal: "Make a file data/list.csv with the header name,age",
    files: {},
    holds: stands("data/list.csv", "name,age"),
  },
  {
    goal: "Append the line done to log.txt",
    files: { "log.txt": "started\n" },
    holds: stands("log.txt", "started\ndone"),
  },
  {
    goal: "Add the line third to the end of list.txt",
    files: { "list.txt": "first\nsecond\n" },
    holds: stands("list.txt", "first\nsecond\nthird"),
  },
  {
    goal: "Append the line eggs to shopping.txt",
    files: { "shopping.txt": "milk\nbread\n" },
    holds: stands("shopping.txt", "milk\nbread\neggs"),
  },
  {
    goal: "Rename the file a.txt to b.txt",
    files: { "a.txt": "alpha\n" },
    holds: moved("a.txt", "b.txt", "alpha"),
  },
  {
    goal: "Rename draft.md to final.md",
    files: { "draft.md": "text\n" },
    holds: moved("draft.md", "final.md", "text"),
  },
  {
    goal: "Move the file report.txt into the folder archive",
    files: { "report.txt": "r\n", "archive/old.txt": "o\n" },
    holds: moved("report.txt", "archive/report.txt", "r"),
  },
  {
    goal: "Which files are in this folder?",
    files: { "one.txt": "1", "two.txt": "2" },
    holds: said("one.txt", "two.txt"),
  },
  {
    goal: "List the files in the folder docs",
    files: { "docs/guide.md": "g", "docs/api.md": "a" },
    holds: said("guide.md", "api.md"),
  },
  {
    goal: "Read version.txt and say which version stands in it",
    files: { "version.txt": "4.2.1\n" },
    holds: said("4.2.1"),
  },
  {
    goal: "What is the port in config.ini?",
    files: { "config.ini": "host = local\nport = 8123\n" },
    holds: said("8123"),
  },
  { goal: "Read name.txt and tell me the name in it", files: { "name.txt": "Ada\n" }, holds: said("Ada") },
  { goal: "Delete the file old.txt", files: { "old.txt": "old" }, holds: gone("old.txt") },
  { goal: "Remove the file tmp/cache.bin", files: { "tmp/cache.bin": "c" }, holds: gone("tmp/cache.bin") },
  { goal: "Delete notes.bak", files: { "notes.bak": "n" }, holds: gone("notes.bak") },
  {
    goal: "In settings.json, set debug to true",
    files: { "settings.json": '{\n  "debug": false,\n  "level": 2\n}\n' },
    holds: valueIs("settings.json", { debug: true, level: 2 }),
  },
  {
    goal: "Fix the version in package.json: it must be 2.0.0",
    files: { "package.json": '{\n  "name": "x",\n  "version": "1.0.0"\n}\n' },
    holds: valueIs("package.json", { name: "x", version: "2.0.0" }),
  },
];
