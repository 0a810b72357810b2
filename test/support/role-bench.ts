/** A bench for the roles: scripted models, tools over a real workspace, a journal that can die, and executions to run them in. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type EffectKind, type EffectOf, type EffectWork, journalScopeOf, keyOf } from "../../src/domain/effect.ts";
import type { Event } from "../../src/domain/event.ts";
import type { TaskPolicy } from "../../src/domain/policy-rules.ts";
import type { Report } from "../../src/domain/report.ts";
import type { Task } from "../../src/domain/task.ts";
import { readJson } from "../../src/models/json-reading.ts";
import type { StepRow } from "../../src/ports/event-store.ts";
import type { Execution } from "../../src/ports/executor.ts";
import type { MemoryRow } from "../../src/ports/memory.ts";
import type { ModelPick, ModelReply, ModelRequest, ModelWindow, ToolCall } from "../../src/ports/model.ts";
import type { Judgement, Policy } from "../../src/ports/policy.ts";
import type { Action } from "../../src/ports/tool.ts";
import type { Workspaces } from "../../src/ports/workspace.ts";
import { createChanges } from "../../src/workspace/changes.ts";
import { TaskManifests } from "../../src/workspace/manifest/manifests.ts";
import { createSyntax } from "../../src/workspace/syntax.ts";
import { openWorkspaces } from "../../src/workspace/workspaces.ts";
import { RoleJournal, RoleLedger } from "./role-journal.ts";
import { type Brief, created, planned, spec, started, taskOf } from "./role-task.ts";
import { benchTools, type Shell } from "./role-tools.ts";

export type Answer = Partial<ModelReply> | Error;
export interface Asked {
  readonly pick: ModelPick;
  readonly request: ModelRequest;
  readonly signal: AbortSignal;
}
export type Script = (asked: Asked, n: number) => Answer | Promise<Answer>;

export function say(text: string): Answer {
  return { text };
}

let calls = 0;
export function call(name: string, args: ToolCall["arguments"]): ToolCall {
  calls += 1;
  return { id: `c${calls}`, name, arguments: args };
}

export function act(...toolCalls: readonly ToolCall[]): Answer {
  return { text: "", toolCalls, finish: "tool_calls" };
}

export class Bench implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), "loom-role-"));
  readonly asked: Asked[] = [];
  readonly shell: Shell = { lines: [], answer: () => ({ exitCode: 0, output: "ok" }) };
  readonly memories: MemoryRow[] = [];
  readonly manifests = new TaskManifests({
    folder: join(this.root, "manifests"),
    maxFiles: 1000,
    maxBytes: 10_000_000,
    now: () => Date.now(),
  });
  readonly workspaces: Workspaces = openWorkspaces({ scratchDir: join(this.root, "scratch"), witness: this.manifests });
  script: Script = () => say("Done.");
  window: ModelWindow = { name: "m1", contextTokens: 100_000, maxTokens: 4000, bytesPerToken: 4 };
  judge: (action: Action, task?: TaskPolicy) => Judgement = () => ({ decision: "allow", reason: "", risk: "low" });
  /** Are its models such that must be shown how to answer? */
  showsExamples = false;
  ledgers = new Map<string, RoleLedger>();
  /** Events of the task after the plan; the attempt's start comes behind them. */
  before: Event[] = [];
  brief: Brief = {};
  subtasks = [spec()];
  /** What came in while the attempt ran. */
  after: Event[] = [];
  tokens: string[] = [];
  now = 0;

  constructor(files: Readonly<Record<string, string>> = {}) {
    for (const [path, text] of Object.entries(files)) this.write(path, text);
    mkdirSync(join(this.root, "w"), { recursive: true });
  }

  write(path: string, text: string): void {
    const at = join(this.root, "w", path);
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, text);
  }

  text(path: string): string {
    return readFileSync(join(this.root, "w", path), "utf8");
  }

  get ports() {
    const blobs = { get: (digest: string) => Promise.resolve(this.#blob(digest)) };
    const policy: Policy = { judge: (action, task) => this.judge(action, task) };
    return {
      models: {
        call: (
          pick: ModelPick,
          request: ModelRequest,
          options: { readonly signal: AbortSignal; readonly onToken?: (text: string) => void },
        ) => this.#call({ pick, request, signal: options.signal }, options.onToken),
        first: () => this.window,
        window: () => Promise.resolve(this.window),
        terms: () => ({ maxTokens: this.window.maxTokens, price: null, showsExamples: this.showsExamples }),
        readJson,
      },
      tools: { forTask: () => Promise.resolve(benchTools(this.shell)) },
      workspaces: this.workspaces,
      manifests: this.manifests,
      policy,
      memory: { list: () => Promise.resolve(this.memories) },
      clock: { now: () => (this.now += 1) },
      digest: (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`,
      events: {
        steps: (_task: string, scope: string) => Promise.resolve([...this.ledger(scope).rows.values()] as StepRow[]),
      },
      blobs,
      changes: createChanges({ blobs }),
      syntax: createSyntax(),
      commands: {
        run: (command: string) => {
          this.shell.lines.push(command);
          return Promise.resolve({ timedOut: false, ...this.shell.answer(command) });
        },
      },
    };
  }

  ledger(scope: string): RoleLedger {
    const known = this.ledgers.get(scope) ?? new RoleLedger();
    this.ledgers.set(scope, known);
    return known;
  }

  task(): Task {
    return taskOf([...this.eventsBefore(), ...this.after]);
  }

  eventsBefore(): Event[] {
    const brief = { workspace: join(this.root, "w"), ...this.brief };
    return [created(brief), ...planned(this.subtasks), ...this.before, started()];
  }

  /** @param over a journal that stands for this life of the process */
  execution<K extends EffectKind>(
    work: Extract<EffectWork, { readonly kind: K }>,
    over: Partial<Execution<K>> = {},
  ): Execution<K> {
    const scope = journalScopeOf(work);
    const attempt = this.eventsBefore().length;
    const effect = { ...work, key: keyOf(work), mode: "run" } as unknown as EffectOf<K>;
    return {
      effect,
      task: this.task(),
      current: () => this.task(),
      journal: new RoleJournal(this.ledger(scope), scope),
      inbox: {
        instructions: () => this.task().instructions.filter(({ seq, mode }) => seq > attempt && mode !== "queue"),
        interrupted: () => new AbortController().signal,
      },
      stop: { aborted: new AbortController().signal, yielding: new AbortController().signal },
      token: (text) => this.tokens.push(text),
      ...over,
    };
  }

  work(over: Partial<Execution<"work">> = {}): Execution<"work"> {
    return this.execution({ kind: "work", subtaskId: "a", attempt: 1, leg: 1, tier: 1 }, over);
  }

  /** Requests of one role, as the models got them. */
  requests(role = "executor"): ModelRequest[] {
    return this.asked.filter(({ pick }) => pick.role === role).map(({ request }) => request);
  }

  async #call(asked: Asked, onToken?: (text: string) => void): Promise<ModelReply> {
    asked.signal.throwIfAborted();
    this.asked.push(structuredCloneOf(asked));
    const answer = await this.script(asked, this.asked.length);
    asked.signal.throwIfAborted();
    if (answer instanceof Error) throw answer;
    if (answer.text !== undefined) onToken?.(answer.text);
    return {
      text: "",
      toolCalls: [],
      finish: "stop",
      usage: { input_tokens: 0, output_tokens: 0, estimated: true },
      model: asked.pick.role === "verifier" ? "m2" : "m1",
      repaired: [],
      ...answer,
    };
  }

  #blob(digest: string): Uint8Array | null {
    for (const ledger of this.ledgers.values()) {
      const bytes = ledger.blobs.get(digest);
      if (bytes !== undefined) return bytes;
    }
    return null;
  }

  [Symbol.dispose](): void {
    void this.manifests[Symbol.asyncDispose]();
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** What was sent, as it was when it was sent. */
function structuredCloneOf({ pick, request, signal }: Asked): Asked {
  return { pick, request: structuredClone(request), signal };
}

/** Runs the attempt, and lets the task know what the engine would have recorded of it. */
export async function deliver(
  bench: Bench,
  worker: (execution: Execution<"work">) => Promise<Report>,
  script: Script,
): Promise<Report> {
  bench.script = script;
  const report = await worker(bench.work());
  const changed = bench.ledger("work:a:1").events.filter((event) => event.type === "files_changed");
  bench.after.push(...changed);
  if (report.type === "Delivered") {
    bench.after.push({
      type: "subtask_delivered",
      subtask_id: "a",
      attempt: 1,
      summary: report.summary,
      digest: report.digest,
    });
  }
  return report;
}
