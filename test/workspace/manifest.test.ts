/** Manifests: what a command did to the files is found, attributed, and survives the death of Loom. */
import { chmodSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { operationOf } from "../../src/domain/change.ts";
import type { CommandChanges } from "../../src/ports/manifests.ts";
import { TaskManifests } from "../../src/workspace/manifest/manifests.ts";
import { openWorkspaces } from "../../src/workspace/workspaces.ts";
import { Temporary } from "./temporary.ts";

class Place implements AsyncDisposable {
  readonly temporary = new Temporary();
  readonly root: string;
  manifests: TaskManifests;
  readonly #lives: TaskManifests[] = [];
  readonly #limits: { maxFiles: number; maxBytes: number };

  constructor(files: Readonly<Record<string, string | Uint8Array>> = {}, limits = {}) {
    this.#limits = { maxFiles: 1000, maxBytes: 10_000_000, ...limits };
    this.temporary.write({ "project/": "" });
    this.temporary.write(Object.fromEntries(Object.entries(files).map(([name, text]) => [`project/${name}`, text])));
    this.root = this.temporary.at("project");
    this.manifests = this.life();
  }

  life(): TaskManifests {
    const life = new TaskManifests({ folder: this.temporary.at("manifests"), ...this.#limits, now: () => Date.now() });
    this.#lives.push(life);
    return life;
  }

  at(marker: string, subtaskId = "a") {
    return { taskId: "task_1", root: this.root, subtaskId, marker, isUnderWay: () => true };
  }

  path(name: string): string {
    return join(this.root, name);
  }

  write(name: string, text: string | Uint8Array): void {
    this.temporary.write({ [`project/${name}`]: text });
  }

  /** A command that does `act`. */
  async run(act: () => void, marker = "m", subtaskId = "a"): Promise<CommandChanges> {
    const watch = await this.manifests.watch(this.at(marker, subtaskId));
    act();
    return await watch.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const life of this.#lives) await life[Symbol.asyncDispose]();
    this.temporary[Symbol.dispose]();
  }
}

const told = ({ changes }: CommandChanges): string[] =>
  changes.map((change) => `${operationOf(change)} ${change.path}`);
const textOf = ({ blobs }: CommandChanges, digest: string): string | undefined => {
  const found = blobs.find((blob) => blob.digest === digest);
  return found === undefined ? undefined : Buffer.from(found.bytes).toString("utf8");
};

describe("what a command did", () => {
  test("is found in files, folders, links and modes, with what stood there before", async () => {
    await using place = new Place({ "a.txt": "a", "gone/b.txt": "b", "same.txt": "s", "run.sh": "r", "d/": "" });
    symlinkSync("a.txt", place.path("link"));
    const done = await place.run(() => {
      place.write("a.txt", "A");
      rmSync(place.path("gone"), { recursive: true });
      place.write("né w\n/ü.bin", new Uint8Array([0, 255]));
      mkdirSync(place.path("empty"));
      place.write("void", "");
      chmodSync(place.path("run.sh"), 0o755);
      chmodSync(place.path("d"), 0o700);
      rmSync(place.path("link"));
      symlinkSync("same.txt", place.path("link"));
    });
    expect(told(done)).toEqual([
      "modified a.txt",
      "modified d",
      "created empty",
      "deleted gone",
      "deleted gone/b.txt",
      "modified link",
      "created né w\n",
      "created né w\n/ü.bin",
      "modified run.sh",
      "created void",
    ]);
    const stoodAt = (path: string) => done.changes.find((change) => change.path === path)?.before;
    expect(stoodAt("link")).toEqual({ kind: "link", target: "a.txt" });
    for (const [path, text] of [
      ["a.txt", "a"],
      ["gone/b.txt", "b"],
    ] as const) {
      const state = stoodAt(path);
      expect(state?.kind === "file" ? textOf(done, state.digest) : null).toBe(text);
    }
    expect(done).toMatchObject({ sharedWith: [], partial: null });
    expect((await place.run(() => undefined, "n")).changes).toEqual([]);
  });

  test("is found although size and time are as before, and although the file was young", async () => {
    await using place = new Place({ "a.txt": "1" });
    const { atime, mtime } = statSync(place.path("a.txt"));
    const done = await place.run(() => {
      writeFileSync(place.path("a.txt"), "2");
      utimesSync(place.path("a.txt"), atime, mtime);
    });
    expect(told(done)).toEqual(["modified a.txt"]);
    for (const [n, text] of ["3", "4", "5", "6"].entries()) {
      expect(told(await place.run(() => writeFileSync(place.path("a.txt"), text), `n${n}`))).toEqual([
        "modified a.txt",
      ]);
    }
  });

  test("is a rename where the same file stands elsewhere", async () => {
    await using place = new Place({ "a/x.txt": "x", "a/y.txt": "y" });
    const done = await place.run(() => {
      renameSync(place.path("a"), place.path("b"));
      writeFileSync(place.path("b/y.txt"), "changed");
    });
    expect(done.changes).toMatchObject([
      { path: "a", after: { kind: "absent" } },
      { path: "a/x.txt", moved_to: "b/x.txt" },
      { path: "a/y.txt", after: { kind: "absent" } },
      { path: "b" },
      { path: "b/x.txt", moved_from: "a/x.txt" },
      { path: "b/y.txt", before: { kind: "absent" } },
    ]);
    expect(done.changes[2]).not.toHaveProperty("moved_to");
  });

  test("leaves out .git, what people did in between, and what was done through the workspace", async () => {
    await using place = new Place({ "a.txt": "a", ".git/HEAD": "ref" });
    const workspaces = openWorkspaces({ scratchDir: place.temporary.at("scratch"), witness: place.manifests });
    const workspace = await workspaces.open(place.root);
    await place.run(() => place.write(".git/index", "x"));
    place.write("person.txt", "p");
    const watch = await place.manifests.watch(place.at("n"));
    await workspace.apply(await workspace.planWrite("new/tool.txt", Buffer.from("t")));
    await workspace.apply(await workspace.planMove("a.txt", "b.txt"));
    place.write("command.txt", "c");
    expect(told(await watch.ended())).toEqual(["created command.txt"]);
  });

  test("never follows a link", async () => {
    await using place = new Place({ "a.txt": "a" });
    place.temporary.write({ "outside/secret.txt": "s" });
    symlinkSync(place.temporary.at("outside"), place.path("out"));
    const done = await place.run(() => place.temporary.write({ "outside/secret.txt": "changed" }));
    expect(done.changes).toEqual([]);
  });
});

describe("commands that run at the same time", () => {
  test("share what was changed while both ran; after that each has its own", async () => {
    await using place = new Place();
    const a = await place.manifests.watch(place.at("ma", "a"));
    place.write("1", "");
    const b = await place.manifests.watch(place.at("mb", "b"));
    place.write("2", "");
    const first = await a.ended();
    place.write("3", "");
    const second = await b.ended();
    expect([told(first), first.sharedWith]).toEqual([["created 1", "created 2"], ["b"]]);
    expect([told(second), second.sharedWith]).toEqual([["created 3"], []]);
  });

  test("one that was not run after all shares nothing", async () => {
    await using place = new Place();
    const a = await place.manifests.watch(place.at("ma", "a"));
    await (await place.manifests.watch(place.at("mb", "b"))).dropped();
    place.write("1", "");
    expect((await a.ended()).sharedWith).toEqual([]);
  });
});

describe("after the death of Loom", () => {
  test("what an interrupted command changed is found, with what stood there before, and whom it may be of", async () => {
    await using place = new Place({ "a.txt": "a" });
    await place.run(() => place.write("b.txt", "b"), "before");
    await place.manifests.watch(place.at("ma", "a"));
    await place.manifests.watch(place.at("mb", "b"));
    place.write("a.txt", "A");
    place.write("b.txt", "B");
    place.manifests = place.life();
    const done = await place.manifests.interrupted(place.at("ma", "a"));
    expect([told(done), done.sharedWith]).toEqual([["modified a.txt", "modified b.txt"], ["b"]]);
    const texts = done.changes.map(({ before }) => (before.kind === "file" ? textOf(done, before.digest) : null));
    expect(texts).toEqual(["a", "b"]);
    expect((await place.manifests.interrupted(place.at("mb", "b"))).changes).toEqual([]);
  });

  test("what a command had done is told again, for the log may not have heard of it", async () => {
    await using place = new Place({ "a.txt": "a" });
    const done = await place.run(() => place.write("a.txt", "A"));
    place.manifests = place.life();
    expect((await place.manifests.interrupted(place.at("m"))).changes).toEqual(done.changes);
  });

  test("a command that runs again has what its first life did as well", async () => {
    await using place = new Place();
    await place.manifests.watch(place.at("m"));
    place.write("1", "");
    place.manifests = place.life();
    expect(told(await place.run(() => place.write("2", "")))).toEqual(["created 1", "created 2"]);
    place.manifests = place.life();
    expect(told(await place.run(() => place.write("3", "")))).toEqual(["created 1", "created 2", "created 3"]);
  });

  test("a line that was cut off is no line, and what follows is read again", async () => {
    await using place = new Place();
    await place.manifests.watch(place.at("m"));
    const ledger = place.temporary.at("manifests/task_1/ledger");
    writeFileSync(ledger, '{"is":"gone","pa', { flag: "a" });
    place.write("1", "");
    place.manifests = place.life();
    expect(told(await place.manifests.interrupted(place.at("m")))).toEqual(["created 1"]);
    place.manifests = place.life();
    expect(told(await place.manifests.interrupted(place.at("m")))).toEqual(["created 1"]);
  });

  test("nothing is made up where there is no record, or one of another place", async () => {
    await using place = new Place({ "a.txt": "a" });
    expect((await place.manifests.interrupted(place.at("m"))).changes).toEqual([]);
    await place.run(() => undefined, "other");
    place.manifests = place.life();
    place.temporary.write({ "elsewhere/x": "x" });
    const elsewhere = { ...place.at("m"), root: place.temporary.at("elsewhere") };
    expect((await place.manifests.interrupted(elsewhere)).changes).toEqual([]);
  });

  test("only tasks that are open are kept", async () => {
    await using place = new Place();
    await place.manifests.watch(place.at("m"));
    place.write("1", "");
    const next = place.life();
    await next.keepOnly(new Set(["task_2"]));
    place.manifests = next;
    expect((await next.interrupted(place.at("m"))).changes).toEqual([]);
  });
});

describe("beyond its bounds", () => {
  test("a folder that tools fill is left out whole, and said", async () => {
    const bulk = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`node_modules/m${n}`, "x"]));
    await using place = new Place({ "src/a.txt": "a", ...bulk }, { maxFiles: 20 });
    const done = await place.run(() => {
      place.write("node_modules/m1", "changed");
      place.write("src/a.txt", "A");
    });
    expect(told(done)).toEqual(["modified src/a.txt"]);
    expect(done.partial).toContain("node_modules: over [undo] max_files = 20");
    expect(await place.manifests.lack(place.at("m"))).toBe(done.partial);
  });

  test("what is known stays known, and what is not is never taken for new", async () => {
    const files = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`d/f${n}`, "x"]));
    await using place = new Place(files, { maxFiles: 10 });
    const first = await place.run(() => undefined);
    expect([told(first), first.partial]).toEqual([[], expect.stringContaining("d: over")]);
    const all = await place.run(() => rmSync(place.path("d"), { recursive: true }), "n");
    expect(all.changes).toHaveLength(10);
    expect(all.changes.every(({ after }) => after.kind === "absent")).toBe(true);
  });

  test("what Loom itself writes about a workspace that it lies in is left out", async () => {
    await using place = new Place({ "a.txt": "a" });
    const settings = { folder: place.path("loom/manifests"), maxFiles: 100, maxBytes: 1000, now: () => Date.now() };
    await using manifests = new TaskManifests(settings);
    const watch = await manifests.watch(place.at("m"));
    place.write("b.txt", "b");
    expect(told(await watch.ended())).toEqual(["created b.txt"]);
  });

  test("too many bytes are left out, and said", async () => {
    await using place = new Place({ "a.txt": "a", "big.bin": new Uint8Array(2000) }, { maxBytes: 1000 });
    const done = await place.run(() => place.write("big.bin", new Uint8Array(3000)));
    expect([told(done), done.partial]).toEqual([[], expect.stringContaining("max_bytes = 1000")]);
  });

  test("neither a pipe nor a folder that is gone keeps a command from running", async () => {
    await using place = new Place({ "a.txt": "a" });
    const watch = await place.manifests.watch(place.at("m"));
    rmSync(place.root, { recursive: true });
    const done = await watch.ended();
    expect([done.changes, done.partial]).toEqual([[], expect.stringContaining("could not be taken stock of")]);
    expect(await place.manifests.lack(place.at("m"))).toContain("could not be taken stock of");
  });
});
