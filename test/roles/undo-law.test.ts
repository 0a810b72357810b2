/** Law 8 for all tools, shell included: undo gives the tree of before back, but for what people touched, which is named and kept. */
import {
  appendFileSync,
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { UndoScope } from "../../src/domain/event.ts";
import type { Report } from "../../src/domain/report.ts";
import type { ToolCall } from "../../src/ports/model.ts";
import { createUndoer } from "../../src/roles/undoing/undo.ts";
import { createWorker } from "../../src/roles/working/work.ts";
import { createEgress } from "../../src/safety/egress.ts";
import { unconfined } from "../../src/safety/sandbox/sandbox.ts";
import { createTools } from "../../src/tools/catalog.ts";
import { textDiff } from "../../src/workspace/text-diff.ts";
import { act, Bench, call, deliver, say } from "../support/role-bench.ts";
import { snapshot } from "../workspace/temporary.ts";

const lines = (mark: string) => Array.from({ length: 9 }, (_, n) => `${mark} line ${n}\n`).join("");
const names = ["a.txt", "b.txt", "d", "d/e.txt", "d/sub/f.txt", "ünï/ç d.txt", "bin.dat", "new/deep/g.txt"];
const anyName = fc.constantFrom(...names);
const quoted = (path: string) => `'${path}'`;

const anyCommand = fc
  .record({
    kind: fc.constantFrom(
      "write",
      "append",
      "edit",
      "remove",
      "move",
      "link",
      "chmod",
      "mkdir",
      "empty",
      "binary",
      "copy",
      "swap",
      "fail",
    ),
    p: anyName,
    q: anyName,
    n: fc.nat(99),
  })
  .map(({ kind, p, q, n }) => {
    const [a, b] = [quoted(p), quoted(q)];
    const parent = (path: string) => `mkdir -p ${quoted(dirname(path))} 2>/dev/null`;
    const commands: Readonly<Record<typeof kind, string>> = {
      write: `${parent(p)}; printf 'command ${n}\\nline\\n' > ${a}`,
      append: `echo 'appended ${n}' >> ${a}`,
      edit: `sed -i 's/line 4/edited ${n}/' ${a}`,
      remove: `rm -rf ${a}`,
      move: `${parent(q)}; mv ${a} ${b}`,
      link: `ln -sfn ${b} ${a}`,
      chmod: `chmod ${["600", "755", "700", "444"][n % 4]} ${a}`,
      mkdir: `mkdir -p ${a}`,
      empty: `${parent(p)}; : > ${a}`,
      binary: `${parent(p)}; printf '\\000\\377${n}' > ${a}`,
      copy: `cp -a ${a} ${b}`,
      swap: `mv ${a} swapped; mv ${b} ${a}; mv swapped ${b}`,
      fail: `echo ${n} > left.txt; rm -f ${a}; exit 3`,
    };
    return call("shell_execute", { command: `${commands[kind]} # ${n}` });
  });

const anyToolCall: fc.Arbitrary<ToolCall> = fc.oneof(
  { weight: 3, arbitrary: anyCommand },
  fc
    .tuple(anyName, fc.nat(99))
    .map(([path, n]) => call("write_file", { path, content: n % 5 === 0 ? "" : lines(`tool ${n}`) })),
  fc
    .tuple(anyName, fc.nat(99))
    .map(([path, n]) => call("edit_file", { path, old_str: "line 2", new_str: `tool ${n}` })),
  anyName.map((path) => call("delete_file", { path })),
  fc.tuple(anyName, anyName).map(([source, destination]) => call("move_file", { source, destination })),
);

const anyEdit = fc.record({
  kind: fc.constantFrom("overwrite", "top", "bottom", "remove", "chmod", "own"),
  path: anyName,
});
type Edit = typeof anyEdit extends fc.Arbitrary<infer E> ? E : never;

/** A command removes what a person wrote in a folder that the task made: both come back, or neither can. */
const removed: { call: ToolCall; edits: Edit[] }[] = [
  { call: call("write_file", { path: "new/deep/g.txt", content: "" }), edits: [] },
  {
    call: call("write_file", { path: "b2.txt", content: "b" }),
    edits: [{ kind: "overwrite", path: "new/deep/g.txt" }],
  },
  { call: call("shell_execute", { command: "rm new/deep/g.txt" }), edits: [] },
];

/** A person at work in the same folder. */
class Person {
  readonly #root: string;
  readonly touched = new Set<string>();
  #marks = 0;

  constructor(root: string) {
    this.#root = root;
  }

  edit({ kind, path }: Edit): void {
    try {
      const place = this.#place(kind === "own" ? `${path}-own.txt` : path);
      if (kind === "own") mkdirSync(dirname(place), { recursive: true });
      const standing = lstatSync(place, { throwIfNoEntry: false });
      if (kind !== "own" && standing?.isFile() !== true) return;
      this.#marks += 1;
      const mark = `person-${this.#marks}-\n`;
      if (kind === "remove") rmSync(place);
      else if (kind === "chmod") chmodSync(place, 0o640);
      else if (kind === "top") writeFileSync(place, Buffer.concat([Buffer.from(mark), readFileSync(place)]));
      else if (kind === "bottom") appendFileSync(place, mark);
      else writeFileSync(place, mark);
      for (let at = place; at !== this.#root; at = dirname(at)) this.touched.add(at.slice(this.#root.length + 1));
    } catch {
      // There is a file, or a link that leads nowhere, where they looked for a folder: they do without.
    }
  }

  /** As the file system knows it: what lies behind a link is another path. */
  #place(path: string): string {
    const wanted = join(this.#root, path);
    return join(
      lstatSync(dirname(wanted), { throwIfNoEntry: false }) === undefined
        ? dirname(wanted)
        : realpathSync(dirname(wanted)),
      basename(wanted),
    );
  }
}

interface Play {
  readonly tree: () => Record<string, string>;
  readonly person: Person;
  readonly undo: (scope: UndoScope, id?: string) => Promise<Extract<Report, { type: "UndoDone" }>>;
}

async function play(
  bench: Bench,
  moves: readonly { readonly call: ToolCall; readonly edits: readonly Edit[] }[],
): Promise<Play> {
  const root = realpathSync(join(bench.root, "w"));
  const person = new Person(root);
  const { PATH } = process.env;
  const inherited = { PATH, HOME: bench.root, TMPDIR: bench.root };
  const artifacts = { read: () => Promise.resolve(null) };
  const tools = createTools({ egress: createEgress(), textDiff, inherited, sandbox: unconfined(), artifacts });
  const ports = { ...bench.ports, tools };
  await deliver(bench, createWorker(ports), (_asked, n) => {
    for (const edit of moves[n - 2]?.edits ?? []) person.edit(edit);
    const move = moves[n - 1];
    return move === undefined ? say("Done.") : act(call("read_file", { path: "a.txt" }), move.call);
  });
  let k = 0;
  return {
    tree: () => snapshot(root),
    person,
    undo: async (scope, id) => {
      k += 1;
      const report = await createUndoer(ports)(
        bench.execution({ kind: "undo", k, scope, ...(id === undefined ? {} : { id }) }),
      );
      if (report.type !== "UndoDone") throw new Error(JSON.stringify(report));
      const { changes, outcome, undoneIds } = report;
      bench.after.push({ type: "undo_applied", k, ...outcome, changes: [...changes], undone_ids: [...undoneIds] });
      return report;
    },
  };
}

function startingTree(bench: Bench): void {
  bench.write("a.txt", lines("first"));
  bench.write("b.txt", lines("second"));
  bench.write("d/e.txt", "e\r\nline 2\r\nline 4");
  bench.write("d/sub/f.txt", "");
  bench.write("ünï/ç d.txt", lines("ünï"));
  bench.write("bin.dat", "\0\x01line 4");
  const root = join(bench.root, "w");
  mkdirSync(join(root, "empty"));
  chmodSync(join(root, "b.txt"), 0o755);
  symlinkSync("d/e.txt", join(root, "link"));
}

const marksIn = (tree: Record<string, string>): string[] =>
  Object.values(tree).flatMap((entry) =>
    entry.startsWith("file")
      ? (Buffer.from(entry.split(" ")[2] ?? "", "base64")
          .toString()
          .match(/person-\d+-/g) ?? [])
      : [],
  );

const differing = (a: Record<string, string>, b: Record<string, string>): string[] =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((path) => a[path] !== b[path]);

const isRelated = (path: string, touched: ReadonlySet<string>): boolean =>
  [...touched].some((other) => other === path || other.startsWith(`${path}/`) || path.startsWith(`${other}/`));

describe("whatever tools and commands did", () => {
  test("undo of the task restores every byte, name, mode, link and empty folder; undo of that undo gives it back", {
    timeout: 120_000,
  }, async () => {
    const anyMoves = fc.array(
      anyToolCall.map((toolCall) => ({ call: toolCall, edits: [] })),
      { minLength: 1, maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(anyMoves, async (moves) => {
        using bench = new Bench();
        startingTree(bench);
        const before = snapshot(join(bench.root, "w"));
        const { tree, undo } = await play(bench, moves);
        const after = tree();
        const first = await undo("task");
        expect(first.outcome.conflicts).toEqual([]);
        expect(tree()).toEqual(before);
        expect((await undo("task")).outcome.restored).toEqual([]);
        bench.after.pop();
        if (first.changes.length === 0) return;
        const id = `chg_undo_${bench.task().lastSeq}`;
        expect((await undo("change", id)).outcome.conflicts).toEqual([]);
        expect(tree()).toEqual(after);
      }),
      { numRuns: 60 },
    );
  });

  test("undo keeps what people wrote, and names it where it had to leave something", { timeout: 120_000 }, async () => {
    // A copy that the task made of what a person wrote is the task's: which of the two a text is, its words do not say.
    const anyCall = anyToolCall.filter(({ arguments: args }) => !JSON.stringify(args).includes("cp -a"));
    const anyMoves = fc.array(fc.record({ call: anyCall, edits: fc.array(anyEdit, { maxLength: 2 }) }), {
      minLength: 1,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(anyMoves, async (moves) => {
        using bench = new Bench();
        startingTree(bench);
        const before = snapshot(join(bench.root, "w"));
        const { person, tree, undo } = await play(bench, moves);
        const after = tree();
        const { outcome, changes } = await undo("task");
        const named = new Set(outcome.conflicts.map(({ path }) => path));
        const undone = tree();
        const unexplained = differing(before, undone).filter(
          (path) => !named.has(path) && !isRelated(path, person.touched),
        );
        expect(unexplained).toEqual([]);
        const together = outcome.conflicts.filter(({ reason }) => reason.includes("moved together"));
        const explained = new Set([...person.touched, ...together.map(({ path }) => path)]);
        const strange = outcome.conflicts.filter(({ path }) => !isRelated(path, explained));
        expect(strange).toEqual([]);
        const theirs = Object.entries(after).filter(([path]) => isRelated(path, person.touched));
        expect(marksIn(undone)).toEqual(expect.arrayContaining(marksIn(Object.fromEntries(theirs))));
        expect(await undo("task")).toMatchObject({ outcome: { restored: [] }, changes: [] });
        bench.after.pop();
        if (changes.length === 0) return;
        expect((await undo("change", `chg_undo_${bench.task().lastSeq}`)).outcome.conflicts).toEqual([]);
        expect(tree()).toEqual(after);
      }),
      { numRuns: 60, examples: [[removed]] },
    );
  });
});
