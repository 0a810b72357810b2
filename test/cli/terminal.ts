/** A world for the command line to run in: a terminal that is recorded, an own home, and a Loom that a test plays on. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { createApi } from "../../src/api/server.ts";
import { cli } from "../../src/cli/cli.ts";
import type { World } from "../../src/cli/world.ts";
import type { Event } from "../../src/domain/event.ts";
import type { Loom } from "../../src/ports/loom.ts";
import type { Log } from "../../src/ports/runtime.ts";
import { createAccessCare } from "../../src/storage/access-care.ts";
import { createDatabaseCare } from "../../src/storage/care.ts";
import { FakeAccess } from "../support/fake-access.ts";
import { FakeLoom } from "../support/fake-loom.ts";

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** Plays a script on each task that is submitted: events up to a pause, and what follows each answer. */
export class PlayedLoom extends FakeLoom {
  disposed = 0;
  readonly #script: readonly (readonly Event[])[];
  #at = 0;

  constructor(...script: readonly (readonly Event[])[]) {
    super();
    this.#script = script;
  }

  override async submit(submission: Parameters<Loom["submit"]>[0]): ReturnType<Loom["submit"]> {
    const answer = await super.submit(submission);
    this.#play(answer.task.taskId);
    return answer;
  }

  override async approve(taskId: string, request: Parameters<Loom["approve"]>[1]): ReturnType<Loom["approve"]> {
    const answer = await super.approve(taskId, request);
    this.#play(taskId);
    return answer;
  }

  override async answer(taskId: string, request: Parameters<Loom["answer"]>[1]): ReturnType<Loom["answer"]> {
    const answer = await super.answer(taskId, request);
    this.#play(taskId);
    return answer;
  }

  #play(taskId: string): void {
    this.append(taskId, ...(this.#script[this.#at] ?? []));
    this.#at += 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disposed += 1;
  }
}

export async function serveFake(
  loom: Loom,
  { apiKey = null, port = 0 }: { readonly apiKey?: string | null; readonly port?: number } = {},
) {
  const { keys, audit } = new FakeAccess();
  const api = createApi({
    loom,
    keys,
    audit,
    config: {
      host: "127.0.0.1",
      port,
      apiKey,
      allowedHosts: [],
      allowedOrigins: [],
      bodyLimitBytes: 1 << 20,
      heartbeatMs: 3000,
    },
    log: silent,
    version: "1.2.3",
    accessLog: false,
  });
  const { url } = await api.listen();
  return { url, [Symbol.asyncDispose]: () => api[Symbol.asyncDispose]() };
}

export class Terminal implements Disposable {
  readonly home = mkdtempSync(join(tmpdir(), "loom-cli-"));
  readonly stdin = new PassThrough();
  readonly interrupt = new AbortController();
  out = "";
  err = "";
  /** What the person types, a line each time something is asked of them. */
  readonly answers: string[] = [];
  readonly #changes: Partial<World>;
  readonly #watched = new Set<{ readonly shown: string; readonly act: () => void; readonly from: number }>();

  /** @param changes what is other than in an empty world where no server answers and nothing can be opened */
  constructor(changes: Partial<World> = {}) {
    this.#changes = changes;
  }

  get world(): World {
    const refuse = () => Promise.reject(new Error("not opened in this test"));
    return {
      open: refuse,
      serve: refuse,
      database: createDatabaseCare(),
      access: createAccessCare(),
      demo: async () => 0,
      sandbox: async () => ({ layer: "none", holds: [], leaves: ["everything"], lack: "this is a test" }),
      isRedactable: (secret) => secret.length >= 8,
      stdout: { write: (text) => this.#shown(text) },
      stderr: { write: (text) => (this.err += text) },
      stdin: this.stdin,
      cwd: this.home,
      home: "/home/somebody",
      version: "1.2.3",
      isTerminal: false,
      signal: this.interrupt.signal,
      ...this.#changes,
      // Port 1 is nobody's: a run without a named server finds none.
      env: { LOOM_SERVER__PORT: "1", LOOM_MEMORY__DATABASE_PATH: join(this.home, "loom.db"), ...this.#changes.env },
    };
  }

  run(...argv: readonly string[]): Promise<number> {
    return cli(argv, this.world);
  }

  /** Does something, once, as soon as a text is on the screen. */
  watch(shown: string, act: () => void): void {
    this.#watched.add({ shown, act, from: this.out.length });
  }

  #shown(text: string): void {
    this.out += text;
    for (const watched of this.#watched) {
      if (!this.out.slice(watched.from).includes(watched.shown)) continue;
      this.#watched.delete(watched);
      setImmediate(watched.act);
    }
    // What ends in a blank, without a new line, waits for one that is typed.
    if (!/^ {2}\S.*[:.] $/.test(text)) return;
    const answer = this.answers.shift();
    if (answer !== undefined) setImmediate(() => this.stdin.write(`${answer}\n`));
  }

  [Symbol.dispose](): void {
    this.stdin.destroy();
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** A model, so that nothing is looked for on this machine. */
export const oneModel = {
  LOOM_MODELS__EXECUTOR__PROVIDER: "scripted",
  LOOM_MODELS__EXECUTOR__ROLES: '["planner","executor"]',
};
