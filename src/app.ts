/**
 * The composition root: from a configuration to a running Loom, as one AsyncDisposable. The one place where things are wired;
 * long because there is no other.
 */
import { createHash } from "node:crypto";
import { isLoopback, openDoor } from "./api/binding.ts";
import { createApi } from "./api/server.ts";
import { sandboxSettings } from "./config/sandbox-settings.ts";
import type { Config } from "./config/schema.ts";
import { redactedConfig, secretsOf } from "./config/secrets.ts";
import { webhookSecret } from "./config/webhook-secret.ts";
import { microUsdOf } from "./domain/budget.ts";
import type { Rules } from "./domain/rules.ts";
import { createLoom } from "./engine/loom.ts";
import { Supervisor } from "./engine/supervisor.ts";
import { createFeed } from "./feed/feed.ts";
import { createSigner, type Sign } from "./feed/webhook-signature.ts";
import { createWebhookSender, type WebhookEvent } from "./feed/webhooks.ts";
import { createModels } from "./models/catalog.ts";
import { crashing, crashingTools, crashingWorkspaces, crashPointOf } from "./observability/crash-points.ts";
import { createLog } from "./observability/log.ts";
import { createClock, createIds, createRandom } from "./observability/runtime.ts";
import type { Audit, Keys } from "./ports/access.ts";
import type { Executors } from "./ports/executor.ts";
import type { Loom } from "./ports/loom.ts";
import type { Manifests } from "./ports/manifests.ts";
import type { Models } from "./ports/model.ts";
import type { Egress, Policy, Redaction } from "./ports/policy.ts";
import type { Clock, Log } from "./ports/runtime.ts";
import type { Sandbox } from "./ports/sandbox.ts";
import type { Tools } from "./ports/tool.ts";
import { createAnswerer } from "./roles/answer.ts";
import { createExtractor } from "./roles/extracting/extract.ts";
import { createPlanner } from "./roles/planning/plan.ts";
import { createReverter } from "./roles/undoing/revert.ts";
import { createUndoer } from "./roles/undoing/undo.ts";
import { createChecker } from "./roles/verifying/check.ts";
import { createVerifier } from "./roles/verifying/verify.ts";
import { createArtifacts } from "./roles/working/artifacts.ts";
import { createWorker } from "./roles/working/work.ts";
import { createEgress } from "./safety/egress.ts";
import { withoutNetwork } from "./safety/network-policy.ts";
import { createPolicy } from "./safety/policy.ts";
import { createRedaction } from "./safety/redact.ts";
import {
  redactingAudit,
  redactingCommands,
  redactingModels,
  redactingStore,
  redactingTools,
} from "./safety/redacting.ts";
import { openSandbox } from "./safety/sandbox/sandbox.ts";
import { lackOf } from "./safety/sandbox/standing.ts";
import { transport } from "./safety/transport.ts";
import { hasUsableKey } from "./storage/access-care.ts";
import { openStorage } from "./storage/opened-storage.ts";
import type { Storage } from "./storage/storage.ts";
import { createTools } from "./tools/catalog.ts";
import { createCommandRunner } from "./tools/command-runner.ts";
import { createChanges } from "./workspace/changes.ts";
import { TaskManifests } from "./workspace/manifest/manifests.ts";
import { createSyntax } from "./workspace/syntax.ts";
import { textDiff } from "./workspace/text-diff.ts";
import { openWorkspaces } from "./workspace/workspaces.ts";

export const version = "0.1.0";

/** How long running steps may go on when Loom goes down: with what follows, it is gone within 8 s. @see DECISIONS 12 */
const drainMs = 6000;
/** How far back in a log the outcome of a webhook is looked for. */
const lateEventsMax = 1000;

const crashingEffects = {
  plan: "plan",
  work: "work",
  verify: "verify",
  revert: "revert",
  extract: "extract",
  check: "check",
  answer: "answer",
  undo: "undo",
};

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What was found wrong before Loom was opened, one sentence each; shown by /health. */
  readonly problems: readonly string[];
  /** The configuration file: no command that a model writes may see it. */
  readonly configFile?: string | null;
}

export interface Opened extends AsyncDisposable {
  readonly keys: Keys;
  readonly audit: Audit;
  readonly loom: Loom;
  readonly log: Log;
}

/**
 * A Loom without a server: for `serve`, and for commands that need none.
 *
 * @throws LoomError storage_locked when another Loom has the database, storage_newer, config_invalid
 */
export async function openLoom(config: Config, surroundings: Surroundings): Promise<Opened> {
  const { env } = surroundings;
  await using stack = new AsyncDisposableStack();
  const secret = webhookSecret(config);
  const redaction = createRedaction([...secretsOf(config, env), ...secret.split(" ")]);
  const log = createLog({ level: config.logging.level, redaction });
  const clock = createClock();
  const { database_path: databasePath, retention_days: retentionDays } = config.memory;
  const storage = stack.use(openStorage(databasePath, { clock, log, retentionDays }));
  const { store: kept, maintenance, keys, audit, profiles } = storage;
  const crashPoint = crashPointOf(env["LOOM_CRASH_AT"]);
  const crashable = crashing(kept, { append: "append", settle: "delivery", get: "blob" }, crashPoint);
  const store = redactingStore(crashable, redaction);
  const feed = stack.use(createFeed({ store }));
  const models = stack.use(modelsOf(config, { clock, log, profiles }));
  const manifests = stack.use(manifestsOf(config, () => clock.now()));
  await manifests.keepOnly(new Set((await store.openTasks()).map(({ taskId }) => taskId)));
  const opened = openWorkspaces({ scratchDir: config.workspace.scratch_dir, witness: manifests });
  const workspaces = crashingWorkspaces(opened, crashPoint);
  const changes = createChanges({ blobs: store });
  const egress = crashing(createEgress(), { fetch: "request" }, crashPoint);
  const sandbox = stack.use(await sandboxOf(config, surroundings, { log, now: () => clock.now() }));
  const commands = redactingCommands(createCommandRunner({ sandbox, inherited: env }), redaction);
  const tools = redactingTools(crashingTools(toolsOf(config, { egress, sandbox, env, store }), crashPoint), redaction);
  const called = redactingModels(crashing(models, { call: "model" }, crashPoint), redaction);
  const policy = policyOf(config, sandbox);
  const able = executorsOf({ models: called, store, tools, workspaces, changes, commands, manifests, policy, clock });
  const executors = crashing(able, crashingEffects, crashPoint);
  const supervisor = stack.use(
    supervisorOf(config, { store, executors, clock, log, redaction, feed, commands, sandbox }),
  );
  await supervisor.recover();
  maintenance.start();
  const allowPrivateWebhooks = config.webhooks.allow_private ?? isLoopback(config.server.host);
  const sign = createSigner({ secret, ofEndpoints: config.webhooks.endpoint_secrets });
  stack.use(startWebhooks({ store, egress, clock, log, supervisor, sign, allowPrivate: allowPrivateWebhooks }));
  stack.defer(() => supervisor.drain(drainMs));
  const loom = createLoom({
    supervisor,
    store,
    feed,
    memory: store,
    outbox: store,
    models: called,
    tools,
    workspaces,
    changes,
    egress,
    redaction,
    clock,
    ids: createIds(clock),
    rules: rulesOf(config),
    approvers: config.approval.approvers,
    ledger: store,
    dailyBudget: { tokens: config.keys.tokens_per_day, microUsd: microUsdOf(config.keys.usd_per_day) },
    allowPrivateWebhooks,
    version,
    config: redactedConfig(config, (text) => redaction.text(text)),
    problems: [...surroundings.problems, ...lackOf(sandbox.standing)],
  });
  const owned = stack.move();
  return {
    loom,
    log,
    keys,
    audit: redactingAudit(audit, redaction),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export interface Served extends AsyncDisposable {
  readonly url: string;
  readonly loom: Loom;
  readonly log: Log;
}

/** Loom behind its HTTP server. Disposing it drains: no new tasks, running steps end, then the streams and the server. */
export async function serveLoom(config: Config, surroundings: Surroundings): Promise<Served> {
  const { host, port, api_key: apiKey, allowed_hosts: allowedHosts, allowed_origins: allowedOrigins } = config.server;
  if (!isLoopback(host) && apiKey === "" && !(await hasUsableKey(config.memory.database_path))) throw openDoor(host);
  await using stack = new AsyncDisposableStack();
  const opened = await openLoom(config, surroundings);
  const api = stack.use(
    createApi({
      loom: opened.loom,
      config: {
        host,
        port,
        apiKey: apiKey === "" ? null : apiKey,
        allowedHosts,
        allowedOrigins,
        bodyLimitBytes: 1_048_576,
        heartbeatMs: 3000,
      },
      log: opened.log,
      version,
      keys: opened.keys,
      audit: opened.audit,
    }),
  );
  stack.use(opened); // closed before the server: streams see the end of what was running
  const { url } = await api.listen();
  const owned = stack.move();
  return { url, loom: opened.loom, log: opened.log, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function modelsOf(config: Config, ports: Pick<Parameters<typeof createModels>[1], "clock" | "log" | "profiles">) {
  return createModels(modelConfigs(config), { ...ports, random: createRandom(), send: transport });
}

function modelConfigs(config: Config): Parameters<typeof createModels>[0] {
  return Object.entries(config.models).map(([name, model]) => {
    const {
      input_usd_per_million: input,
      cached_input_usd_per_million: cached_input,
      output_usd_per_million: output,
      ...rest
    } = model;
    const isPriced = input !== undefined && output !== undefined;
    return { name, ...rest, ...(isPriced ? { price: { input, output, cached_input } } : {}) };
  });
}

/** The sandbox for commands, tried out here. @throws LoomError config_invalid when one is required and there is none */
export async function sandboxOf(
  config: Config,
  { env, configFile = null }: Pick<Surroundings, "env" | "configFile">,
  ports: Parameters<typeof openSandbox>[1],
): Promise<Sandbox> {
  return await openSandbox({ ...sandboxSettings(config, configFile), inherited: env }, ports);
}

interface SupervisorParts extends Pick<ExecutorParts, "store" | "commands" | "clock"> {
  readonly executors: Executors;
  readonly log: Log;
  readonly redaction: Redaction;
  readonly feed: ReturnType<typeof createFeed>;
  readonly sandbox: Pick<Sandbox, "standing">;
}

function supervisorOf(config: Config, { redaction, feed, commands, sandbox, ...ports }: SupervisorParts): Supervisor {
  const { standing } = sandbox;
  return new Supervisor({
    ...ports,
    ledger: ports.store,
    redact: (value) => redaction.value(value),
    token: (taskId, token) => feed.token(taskId, token),
    lingerMs: 4,
    openTasksMax: config.execution.max_open_tasks,
    sharedWorkspaces: config.workspace.shared,
    reap: (taskId) => commands.reap(`${taskId}:`),
    // In a sandbox the kernel ends with each command what it started.
    sweep: (taskId) => (standing.layer === "none" ? commands.reap(`${taskId}:`) : Promise.resolve(0)),
  });
}

/** Beside the database, whose tasks they are of. */
function manifestsOf({ memory, undo }: Config, now: () => number): TaskManifests {
  const { max_bytes: maxBytes, max_files: maxFiles } = undo;
  return new TaskManifests({ folder: `${memory.database_path}.manifests`, maxFiles, maxBytes, now });
}

interface ToolParts extends Pick<Surroundings, "env"> {
  readonly egress: Egress;
  readonly sandbox: Sandbox;
  readonly store: Storage;
}

function toolsOf(config: Config, { egress, sandbox, env, store }: ToolParts): Tools {
  return createTools({
    artifacts: createArtifacts({ events: store, blobs: store }),
    egress,
    sandbox,
    textDiff,
    inherited: env,
    allowPrivateHosts: config.web.allow_private,
    resultChars: config["limits.runner"].tool_result_chars,
  });
}

function rulesOf(config: Config): Rules {
  const { execution, verification, approval } = config;
  return {
    max_subtask_retries: execution.max_subtask_retries,
    max_replans: execution.max_replans,
    max_loop_iterations: execution.max_loop_iterations,
    max_parallel_subtasks: execution.max_parallel_subtasks,
    max_tool_iterations: config["limits.runner"].max_tool_iterations,
    auto_approve_confidence_threshold: execution.auto_approve_confidence_threshold,
    ...verification,
    model_wait_ms: execution.model_wait_seconds * 1000,
    approval_timeout_ms: approval.timeout_seconds * 1000,
    on_timeout: approval.on_timeout,
    on_uncertain: execution.on_uncertain,
  };
}

interface ExecutorParts {
  readonly models: Models;
  readonly store: Storage;
  readonly tools: Tools;
  readonly workspaces: ReturnType<typeof openWorkspaces>;
  readonly changes: ReturnType<typeof createChanges>;
  readonly commands: ReturnType<typeof createCommandRunner>;
  readonly manifests: Manifests;
  readonly policy: Policy;
  readonly clock: Clock;
}

/** Where a sandbox holds the network off, whoever needs it must be allowed to. */
function policyOf(config: Config, { standing }: Sandbox): Policy {
  const policy = createPolicy(config.policy);
  return standing.layer === "none" || config.sandbox.network ? policy : withoutNetwork(policy);
}

function executorsOf(parts: ExecutorParts): Executors {
  const shared = {
    ...parts,
    events: parts.store,
    blobs: parts.store,
    memory: parts.store,
    syntax: createSyntax(),
    digest: (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`,
  };
  return {
    plan: createPlanner(shared),
    work: createWorker(shared),
    verify: createVerifier(shared),
    revert: createReverter(shared),
    extract: createExtractor(shared),
    check: createChecker(shared),
    answer: createAnswerer(shared),
    undo: createUndoer(shared),
  };
}

interface WebhookParts {
  readonly store: Storage;
  readonly egress: Egress;
  readonly clock: Clock;
  readonly log: Log;
  readonly supervisor: Supervisor;
  readonly allowPrivate: boolean;
  readonly sign: Sign;
}

function startWebhooks({ supervisor, ...parts }: WebhookParts): AsyncDisposable {
  const { store } = parts;
  const sender = createWebhookSender({
    ...parts,
    outbox: store,
    random: createRandom(),
    settle: async (taskId, event) => (await supervisor.driver(taskId)).report({ type: "WebhookSettled", event }),
    isTold: (taskId, event) => isLogged(store, taskId, event),
  });
  sender.start();
  return sender;
}

/** Looked for among the latest: nothing much happens to a task after its end. */
async function isLogged(store: Storage, taskId: string, { type, ...event }: WebhookEvent): Promise<boolean> {
  const last = (await store.row(taskId))?.lastSeq ?? 0;
  const found = await store.read(taskId, { after: Math.max(0, last - lateEventsMax), limit: lateEventsMax });
  return found.some(
    (known) => known.type === type && known.delivery_id === event.delivery_id && known.attempts === event.attempts,
  );
}
