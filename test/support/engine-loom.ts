/** A whole handle over the engine's bench: real workspaces, changes, redaction and feed; models, tools and egress as the test sets them. */

import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nothing } from "../../src/domain/budget.ts";
import { defaultRules } from "../../src/domain/rules.ts";
import { selectedChanges } from "../../src/domain/selection.ts";
import { changesOf } from "../../src/domain/task.ts";
import { createLoom, type LoomPorts } from "../../src/engine/loom.ts";
import type { SupervisorPorts } from "../../src/engine/supervisor.ts";
import { createFeed } from "../../src/feed/feed.ts";
import type { Loom, Submission } from "../../src/ports/loom.ts";
import type { ModelInfo, Models, Role } from "../../src/ports/model.ts";
import type { Tool } from "../../src/ports/tool.ts";
import type { ChangeMade, Workspace } from "../../src/ports/workspace.ts";
import { createRedaction } from "../../src/safety/redact.ts";
import { createChanges } from "../../src/workspace/changes.ts";
import { openWorkspaces } from "../../src/workspace/workspaces.ts";
import { Bench } from "./engine-bench.ts";
import { proposed, spec, taskIdOf } from "./engine-samples.ts";
import { model as fakeModel } from "./fake-equipment.ts";

export const model: ModelInfo = {
  name: "m",
  provider: "scripted",
  model: "m",
  base_url: "",
  tier: 1,
  roles: ["planner", "executor"],
  max_tokens: 100,
  temperature: 0,
  context_tokens: null,
  tool_protocol: "native",
  health: "up",
  price: null,
  profile: fakeModel.profile,
  notes: [],
};

const tool: Tool = {
  schema: { name: "look", description: "Looks", parameters: {} },
  effectClass: "pure",
  risk: "low",
  timeoutMs: 2000,
  prepare: () => Promise.reject(new Error("Nobody looks here")),
};

export class LoomRoom implements AsyncDisposable {
  readonly bench = new Bench();
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "loom-engine-")));
  readonly workspaces = openWorkspaces({ scratchDir: join(this.folder, "scratch") });
  readonly changes = createChanges({ blobs: this.bench.store.inner });
  readonly supervisor;
  readonly loom: Loom;
  /** Roles that no model serves. */
  missing: Role[] = [];
  /** Why callbacks are refused; null when they are not. */
  refusal: string | null = null;
  readonly #feed = createFeed({ store: this.bench.store });
  #tasks = 0;

  constructor(over: Partial<LoomPorts> = {}, supervision: Partial<SupervisorPorts> = {}) {
    this.supervisor = this.bench.supervisor(supervision);
    this.loom = createLoom({ ...this.#ports(), ...over });
  }

  async submit(over: Partial<Submission> = {}): Promise<string> {
    const { task } = await this.loom.submit({ goal: "Write it down", submittedBy: "tester", ...over });
    await this.bench.store.quiet();
    return task.taskId;
  }

  /** A task whose subtask a has begun. */
  async working(over: Partial<Submission> = {}): Promise<string> {
    const taskId = await this.submit(over);
    this.bench.desk.run("plan:1:1").end(proposed("plan:1:1", [spec("a")]));
    await this.bench.store.quiet();
    return taskId;
  }

  /** Subtask a writes a file, as a step. */
  async write(taskId: string, path: string, text: string): Promise<void> {
    await this.#change(taskId, path, (workspace) => workspace.planWrite(path, new TextEncoder().encode(text)));
  }

  async move(taskId: string, source: string, destination: string): Promise<void> {
    await this.#change(taskId, destination, (workspace) => workspace.planMove(source, destination));
  }

  async #change(taskId: string, path: string, plan: (workspace: Workspace) => Promise<ChangeMade>): Promise<void> {
    const { brief } = await this.supervisor.task(taskId);
    const workspace = await this.workspaces.open(brief.workspace);
    const change = await plan(workspace);
    const { journal } = this.bench.desk.run("work:a:1:1").execution;
    const at = { subtask_id: "a", tool: "write", step: path, attempt: 1 };
    await journal.step(
      {
        step: path,
        effectClass: "workspace",
        event: { type: "tool_call_started", ...at, args: {}, effect_class: "workspace" },
        started: { path },
        blobs: change.blobs,
      },
      async () => {
        await workspace.apply(change);
        const changes = [...change.changes];
        return {
          result: "written",
          events: [{ type: "files_changed", subtask_id: "a", change_id: `chg_${path}`, changes }],
        };
      },
    );
    await this.bench.store.quiet();
  }

  /** Undo runs by itself, on the real files. */
  playUndo(): void {
    this.bench.desk.plays("undo", async ({ effect, current }) => {
      if (effect.kind !== "undo") throw new Error(`${effect.key} is no undo`);
      const task = current();
      const workspace = await this.workspaces.open(task.brief.workspace);
      const request = { selected: selectedChanges(task, effect), all: changesOf(task), preview: false };
      const { outcome, changes, undoneIds } = await this.changes.undo(workspace, request);
      return { type: "UndoDone", key: effect.key, outcome, changes, undoneIds };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.supervisor.drain(0);
    await this.#feed[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #ports(): LoomPorts {
    const { store, clock } = this.bench;
    return {
      supervisor: this.supervisor,
      store,
      clock,
      feed: this.#feed,
      outbox: this.bench.store.inner,
      memory: store.inner,
      models: this.#models(),
      tools: { all: () => [tool], forTask: () => Promise.resolve([tool]) },
      workspaces: this.workspaces,
      changes: this.changes,
      egress: {
        check: () => Promise.resolve(this.refusal),
        fetch: () => Promise.reject(new Error("Nobody fetches here")),
      },
      redaction: createRedaction(["hunter22-secret"]),
      ids: { next: () => taskIdOf(++this.#tasks) },
      rules: defaultRules,
      approvers: "wait",
      ledger: this.bench.store.inner,
      dailyBudget: nothing,
      allowPrivateWebhooks: false,
      version: "0.0.1",
      config: { server: { port: 1 } },
      problems: [],
    };
  }

  #models(): Models {
    return {
      call: () => Promise.reject(new Error("Nobody calls a model here")),
      first: () => null,
      window: () => Promise.resolve(null),
      terms: () => null,
      missingRoles: () => this.missing,
      list: () => [model],
      readJson: () => null,
      probe: () => Promise.resolve([{ ...model, health: "down" }]),
    };
  }
}
