/** Twelve small goals, each with a check of our own: whether the files bear the goal out. No model's word counts here. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Goal {
  readonly goal: string;
  /** Files that stand in the workspace before. */
  readonly files: Readonly<Record<string, string>>;
  /** Do the files bear it out? */
  readonly holds: (workspace: string, answer: string) => boolean;
}

function text(workspace: string, path: string): string {
  const file = join(workspace, path);
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

export const goals: readonly Goal[] = [
  {
    goal: "Create the file hello.txt with the text: hello",
    files: {},
    holds: (at) => /hello/i.test(text(at, "hello.txt")),
  },
  {
    goal: "Create the file notes/today.md with the text: buy milk",
    files: {},
    holds: (at) => /milk/i.test(text(at, "notes/today.md")),
  },
  { goal: "Delete the file old.txt", files: { "old.txt": "old" }, holds: (at) => !existsSync(join(at, "old.txt")) },
  {
    goal: "Rename the file a.txt to b.txt",
    files: { "a.txt": "alpha\n" },
    holds: (at) => text(at, "b.txt") === "alpha\n" && !existsSync(join(at, "a.txt")),
  },
  {
    goal: "Replace the word red by blue in color.txt",
    files: { "color.txt": "the sky is red\n" },
    holds: (at) => text(at, "color.txt").includes("blue") && !text(at, "color.txt").includes("red"),
  },
  { goal: "Create an empty file named .keep", files: {}, holds: (at) => existsSync(join(at, ".keep")) },
  {
    goal: "Write the numbers 1, 2 and 3 into numbers.txt, one a line",
    files: {},
    holds: (at) => /^1\s*\n\s*2\s*\n\s*3\s*$/.test(text(at, "numbers.txt")),
  },
  {
    goal: "Read version.txt and say which version stands in it",
    files: { "version.txt": "4.2.1\n" },
    holds: (_at, answer) => answer.includes("4.2.1"),
  },
  {
    goal: "Copy the text of source.txt into copy.txt",
    files: { "source.txt": "copy me\n" },
    holds: (at) => text(at, "copy.txt").includes("copy me"),
  },
  {
    goal: "Make the folder data and put a file data/list.csv with the header name,age into it",
    files: {},
    holds: (at) => text(at, "data/list.csv").includes("name,age"),
  },
  {
    goal: "Which files are in this folder?",
    files: { "one.txt": "1", "two.txt": "2" },
    holds: (_at, answer) => answer.includes("one.txt") && answer.includes("two.txt"),
  },
  {
    goal: "Append the line done to log.txt",
    files: { "log.txt": "started\n" },
    holds: (at) => /started[\s\S]*done/.test(text(at, "log.txt")),
  },
];
