/** Work that only looked: whether it looked where the job points, and says what it saw there. */
import { describe, expect, test } from "vitest";
import type { PastCall } from "../../../../src/roles/records.ts";
import { saysWhatWasAsked } from "../../../../src/roles/verifying/replicas/looks.ts";

const files = {
  "name.txt": "Ada\n",
  "config.ini": "host = local\nport = 8123\n",
  "docs/api.md": "a",
  "docs/guide.md": "g",
};
const before = new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)]));

function looked(tool: string, path: string, output: string): PastCall {
  const record = { tool, kind: "read" as const, success: true, output, changed: [] };
  return { step: "turn-1-call-1", arguments: { path }, record };
}

const reads = (path: keyof typeof files): PastCall => looked("read_file", path, files[path]);
const lists = (path: string, ...names: readonly string[]): PastCall => looked("list_directory", path, names.join("\n"));
const failed = ({ record, ...call }: PastCall): PastCall => ({ ...call, record: { ...record, success: false } });

interface Told {
  readonly job: string;
  readonly calls: readonly PastCall[];
  readonly said: string;
}

const says = ({ job, calls, said }: Told): boolean => saysWhatWasAsked(job, { calls, finalText: said }, before);

describe("a file that the job names", () => {
  test.each(["Read name.txt", "What does `name.txt` say?", "Whose name is in (./name.txt)?", "Look into name.txt."])(
    "is to be read: %s",
    (job) => {
      expect(says({ job, calls: [reads("name.txt")], said: "Ada" })).toBe(true);
      expect(says({ job, calls: [lists(".", "name.txt")], said: "name.txt" })).toBe(false);
      expect(says({ job, calls: [failed(reads("name.txt"))], said: "Ada" })).toBe(false);
    },
  );

  test("is to be read itself, and every one of several", () => {
    const job = "Compare name.txt with docs/api.md";
    expect(says({ job, calls: [reads("name.txt")], said: "Ada" })).toBe(false);
    expect(says({ job, calls: [reads("name.txt"), reads("docs/api.md")], said: "Ada, a" })).toBe(true);
  });
});

describe("a folder that the job names", () => {
  const job = "Which files are in the folder docs?";

  test("is to be looked at, and not a file in it", () => {
    expect(says({ job, calls: [lists("docs/", "api.md", "guide.md")], said: "api.md and guide.md" })).toBe(true);
    expect(says({ job, calls: [reads("docs/api.md")], said: "a" })).toBe(false);
  });

  test("is told with every name in it", () => {
    expect(says({ job, calls: [lists("docs", "api.md", "guide.md")], said: "api.md" })).toBe(false);
    expect(says({ job, calls: [lists("docs", "more/", "  a.md")], said: "more and a.md" })).toBe(true);
  });
});

describe("a file that the job does not name", () => {
  const job = "Whose house is this?";

  test("is read only after it was found", () => {
    expect(says({ job, calls: [reads("name.txt")], said: "Ada" })).toBe(false);
    const found = looked("search_files", ".", "name.txt:1: Ada");
    expect(says({ job, calls: [found, reads("name.txt")], said: "Ada" })).toBe(true);
    expect(says({ job, calls: [reads("name.txt"), found], said: "Ada" })).toBe(false);
    const another = looked("search_files", ".", "surname.txt:1: Ada");
    expect(says({ job, calls: [another, reads("name.txt")], said: "Ada" })).toBe(false);
  });
});

describe("what is said", () => {
  const job = "What is the port in config.ini?";

  test("stands in a line that has most of the job's words", () => {
    expect(says({ job, calls: [reads("config.ini")], said: "It is 8123." })).toBe(true);
    expect(says({ job, calls: [reads("config.ini")], said: "The port is local." })).toBe(false);
    expect(says({ job, calls: [reads("config.ini")], said: "The port." })).toBe(false);
  });

  test("may stand anywhere where no line has any of them", () => {
    const asked = "What stands in config.ini?";
    expect(says({ job: asked, calls: [reads("config.ini")], said: "local" })).toBe(true);
  });
});
