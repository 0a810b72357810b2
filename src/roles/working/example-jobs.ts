/**
 * Jobs that worked examples tell of: two collections that do the same with other names, values and words, in several orders.
 * What is done alike after all of them does not come from the examples.
 */
import type { SubtaskKind } from "../../domain/plan.ts";
import type { JsonObject } from "../../lib/json.ts";

export interface ExampleStep {
  readonly tool: string;
  readonly arguments: JsonObject;
  readonly result: string;
}

export interface ExampleJob {
  readonly description: string;
  readonly kind: SubtaskKind;
  readonly steps: readonly ExampleStep[];
  readonly end: string;
  /** The end is a piece of what was read. */
  readonly isQuote?: true;
}

function reading(path: string, result: string): ExampleStep {
  return { tool: "read_file", arguments: { path }, result };
}

function listing(path: string, result: string): ExampleStep {
  return { tool: "list_directory", arguments: { path }, result };
}

function writing(path: string, content: string): ExampleStep {
  const result = `Wrote ${Buffer.byteLength(content)} bytes to ${path}`;
  return { tool: "write_file", arguments: { path, content }, result };
}

function appending(path: string, content: string): ExampleStep {
  const result = `Added ${Buffer.byteLength(content)} bytes at the end of ${path}`;
  return { tool: "append_file", arguments: { path, content }, result };
}

function editing(path: string, before: string, after: string): ExampleStep {
  const result = `Edited ${path}: 1 replacement`;
  return { tool: "edit_file", arguments: { path, old_str: before, new_str: after }, result };
}

function moving(source: string, destination: string): ExampleStep {
  return { tool: "move_file", arguments: { source, destination }, result: `Moved ${source} -> ${destination}` };
}

function deleting(path: string): ExampleStep {
  return { tool: "delete_file", arguments: { path }, result: `Deleted file: ${path}` };
}

function change(description: string, end: string, ...steps: readonly ExampleStep[]): ExampleJob {
  return { description, kind: "change", steps, end };
}

function inspect(description: string, end: string, step: ExampleStep): ExampleJob {
  return { description, kind: "inspect", steps: [step], end, isQuote: true };
}

const orders = [
  ["read", "write", "list", "rename", "edit", "delete", "append", "move"],
  ["list", "read", "rename", "write", "move", "edit", "append", "delete"],
  ["write", "rename", "append", "read", "delete", "edit", "move", "list"],
] as const;

type Collection = Readonly<Record<(typeof orders)[number][number], ExampleJob>>;

const harbour: Collection = {
  read: inspect("How many boats does boats.md name?", "boats: 14", reading("boats.md", "harbour: north\nboats: 14\n")),
  write: change(
    "Put the opening hours into notes/harbour.txt: open from six to nine",
    "notes/harbour.txt says: open from six to nine.",
    writing("notes/harbour.txt", "open from six to nine\n"),
  ),
  list: inspect("Which files are in the folder maps?", "east.png\nwest.png", listing("maps", "east.png\nwest.png")),
  rename: change("Rename crew.csv to sailors.csv", "crew.csv is sailors.csv now.", moving("crew.csv", "sailors.csv")),
  edit: change(
    "The tide is 5, not 3: put tide.toml right",
    "In tide.toml high is 5 now.",
    reading("tide.toml", "low = 1\nhigh = 3\n"),
    editing("tide.toml", "high = 3", "high = 5"),
  ),
  delete: change(
    "Remove the file signals/last-year.csv",
    "signals/last-year.csv is gone.",
    deleting("signals/last-year.csv"),
  ),
  append: change(
    "Add the line anchor to tools.txt",
    "tools.txt ends with the line anchor now.",
    appending("tools.txt", "anchor\n"),
  ),
  move: change(
    "Move plan.pdf into the folder drawings",
    "plan.pdf is in drawings now.",
    moving("plan.pdf", "drawings/plan.pdf"),
  ),
};

const music: Collection = {
  write: change(
    "Make the file music/plan.md with the words: play it twice",
    "music/plan.md says: play it twice.",
    writing("music/plan.md", "play it twice\n"),
  ),
  rename: change(
    "Rename the file take1.wav to best.wav",
    "take1.wav is best.wav now.",
    moving("take1.wav", "best.wav"),
  ),
  append: change(
    "Append the line drums to band.txt",
    "band.txt ends with drums now.",
    appending("band.txt", "drums\n"),
  ),
  read: inspect("Tell me the singer in song.txt", "singer: Mira", reading("song.txt", "title: Rain\nsinger: Mira\n")),
  delete: change("Throw away noise.tmp", "noise.tmp is gone.", deleting("noise.tmp")),
  edit: change(
    "Set the tempo in beat.ini to 90",
    "In beat.ini the tempo is 90 now.",
    reading("beat.ini", "tempo = 120\nkey = C\n"),
    editing("beat.ini", "tempo = 120", "tempo = 90"),
  ),
  move: change(
    "Move verse.txt to the folder drafts",
    "verse.txt is in drafts now.",
    moving("verse.txt", "drafts/verse.txt"),
  ),
  list: inspect("What files does the folder tapes hold?", "blue.wav\nred.wav", listing("tapes", "blue.wav\nred.wav")),
};

const [first, second, third] = orders;

/** The best measured first: of twenty small goals, the first call was right for 18, 17, 17 and 16. Other orders did worse, down to 9. */
const variants = [
  { jobs: harbour, order: first },
  { jobs: music, order: second },
  { jobs: music, order: third },
  { jobs: music, order: first },
] as const;

export const variantsOfExamples = variants.length;

/** @param variant from 0, taken round and round */
export function exampleJobs(variant: number): readonly ExampleJob[] {
  const { jobs, order } = variants[variant % variants.length] ?? variants[0];
  return order.map((name) => jobs[name]);
}
