/**
 * One task with everything in it that a crash can hurt: subtasks side by side, files written and edited, a command, an
 * approval, a retry, a check at the end, a webhook. Played once in a server that may be told to kill itself, and once more where it did.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { TaskEvent } from "../../src/domain/event.ts";
import { openDatabase } from "../../src/storage/database.ts";
import { createSqliteEventStore } from "../../src/storage/event-store.sqlite.ts";
import { tale } from "../support/engine-twin.ts";
import { type ModelServer, startModelServer } from "../support/model-server.ts";
import { type Client, createPlace } from "../support/scenario.ts";
import { type Spawned, spawnLoom } from "../support/spawned.ts";
import { calls, ending, plan, rejects, works } from "../support/story.ts";

const critique = "The draft is not enough: finish the second file.";
const story = [
  plan(
    { id: "one", description: "Write the first file." },
    { id: "two", description: "Write the second file." },
    { id: "three", description: "Clean up behind both.", depends_on: ["one", "two"] },
  ),
  ...works(
    "Write the first file.",
    calls("write_file", { path: "one.txt", content: "first\n" }),
    calls("edit_file", { path: "one.txt", old_text: "first", new_text: "the first" }),
    "one.txt is written.",
  ),
  ...works(
    "Write the second file.",
    calls("read_file", { path: "deep/two.txt" }),
    calls("write_file", { path: "deep/two.txt", content: "second\n" }),
    "two.txt is written.",
  ),
  ...works(
    "Clean up behind both.",
    calls("shell_execute", { command: "echo ran >> count.txt" }),
    calls("shell_execute", { command: "rm -rf build" }),
    calls("delete_file", { path: "old.txt" }),
    "All is clean.",
  ),
  ...ending,
];

const rejected = works(
  "Write the second file.",
  calls("write_file", { path: "deep/two.txt", content: "draft\n" }),
  "A draft is written.",
);

/** The first attempt of the second subtask is rejected, whoever asks how often: nothing here counts its plays. */
const replies = [
  { ...rejects(critique), when: ["Write the second file.", "+draft"] },
  ...story.slice(0, 1),
  ...story
    .slice(1)
    .map((reply) =>
      reply.when === "Write the second file." ? { ...reply, when: ["Write the second file.", critique] } : reply,
    ),
  ...rejected,
];

export interface Outcome {
  readonly status: string;
  /** Those that file tools make; what commands do is below. */
  readonly files: Readonly<Record<string, string>>;
  /** By subtask: kind, step and attempt of its events, in order. */
  readonly told: Readonly<Record<string, readonly string[]>>;
  /** How often the command ran that leaves a line each time. */
  readonly runs: number;
  /** Whether the command that a person approved did its work. */
  readonly cleaned: boolean;
  readonly uncertain: number;
  /** Distinct webhooks received. */
  readonly webhooks: number;
}

export interface Played {
  readonly outcome: Outcome;
  /** False when the server never came to the named point that often. */
  readonly crashed: boolean;
}

export interface Stage extends AsyncDisposable {
  play(crashAt: string | null): Promise<Played>;
}

export async function openStage(): Promise<Stage> {
  const model = await startModelServer({ script: { replies } });
  return {
    play: (crashAt) => play(model, crashAt),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
}

const goal = "Write two files and clean up.";
const patienceMs = 30_000;

async function play(model: ModelServer, crashAt: string | null): Promise<Played> {
  using place = createPlace();
  await using receiver = await startReceiver();
  place.write("old.txt", "old\n");
  place.write("build/out.txt", "built\n");
  const config = place.configure({ url: model.url });
  const start = (env: Record<string, string>): Promise<Spawned> => spawnLoom({ config, home: place.home, env });
  let loom = await start(crashAt === null ? {} : { LOOM_CRASH_AT: crashAt }).catch(() => start({}));
  let crashed = false;
  const until = performance.now() + patienceMs;
  try {
    let taskId: string | null = null;
    for (let done = false; !done; ) {
      if (performance.now() > until) throw new Error(`${crashAt ?? "undisturbed"}: not closed within ${patienceMs} ms`);
      try {
        taskId ??= await submit(loom.client, { workspace: place.workspace, callback_url: receiver.url });
        done = (await closedOrApproved(loom.client, taskId)) && (await isDelivered(loom.client, taskId));
      } catch (error) {
        if (loom.process.signalCode !== "SIGKILL" && !(await gone(loom))) throw error;
        crashed = true;
        loom = await start({});
      }
    }
    if (taskId === null) throw new Error("nothing was submitted");
    crashed ||= loom.process.signalCode === "SIGKILL";
    await loom.end("SIGKILL");
    const log = await logOf(join(place.home, "loom.db"), taskId);
    return { outcome: outcomeOf(place.workspace, log, receiver.ids.size), crashed };
  } finally {
    await loom[Symbol.asyncDispose]();
  }
}

/** A failed request may be the first sign that the server is gone. */
async function gone(loom: Spawned): Promise<boolean> {
  if (loom.process.exitCode !== null || loom.process.signalCode !== null) return true;
  return await new Promise((resolve) => {
    loom.process.once("exit", () => resolve(true));
    setTimeout(() => resolve(false), 2000).unref();
  });
}

async function submit(client: Client, body: Readonly<Record<string, unknown>>): Promise<string> {
  const answer = await fetch(`${client.url}/tasks`, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": "the-one-task" },
    body: JSON.stringify({ goal, checks: [{ name: "old is gone", run: "test ! -e old.txt" }], ...body }),
  });
  return ((await answer.json()) as { task_id: string }).task_id;
}

/** @returns whether the task is closed; says yes to what it asks */
async function closedOrApproved(client: Client, taskId: string): Promise<boolean> {
  const view = await client.get<{ status: string }>(`/tasks/${taskId}?wait=1`);
  if (view.status === "waiting_approval") {
    await client.post(`/tasks/${taskId}/approve`, { subtask_id: "three", approved: true });
  }
  return ["completed", "failed", "cancelled"].includes(view.status);
}

/** The log says so last of all: nothing is left to be done then. */
async function isDelivered(client: Client, taskId: string): Promise<boolean> {
  return (await client.events(taskId)).some((event) => event.event_type === "webhook_delivered");
}

interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly ids: ReadonlySet<string>;
}

async function startReceiver(): Promise<Receiver> {
  const ids = new Set<string>();
  const server = createServer((request, response) => {
    ids.add(String(request.headers["webhook-id"]));
    request.resume().on("end", () => response.end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/done`,
    ids,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function logOf(path: string, taskId: string): Promise<TaskEvent[]> {
  using database = openDatabase(path);
  const store = createSqliteEventStore(database, { clock: { now: () => Date.now() } });
  return await store.read(taskId, { after: 0, limit: 100_000 });
}

function outcomeOf(workspace: string, log: readonly TaskEvent[], webhooks: number): Outcome {
  const last = log.findLast(({ type }) => /^task_(?:completed|failed|cancelled)$/.test(type));
  const told = Object.entries(tale(log.filter((event) => !isOfCommands(event)))).map(
    ([subtask, lines]) => [subtask, lines.map(inShort)] as const,
  );
  const count = join(workspace, "count.txt");
  return {
    status: last?.type ?? "open",
    files: filesOf(workspace),
    told: Object.fromEntries(told.filter(([subtask]) => subtask !== "")),
    runs: existsSync(count) ? readFileSync(count, "utf8").split("\n").length - 1 : 0,
    cleaned: !existsSync(join(workspace, "build")),
    uncertain: log.filter(({ type }) => type === "uncertain_effect").length,
    webhooks,
  };
}

/** What commands changed is looked at by itself: of one that is uncertain there may be nothing to tell. */
function isOfCommands(event: TaskEvent): boolean {
  return event.type === "files_changed" && event.changes.every(({ path }) => madeByCommands.test(path));
}

const madeByCommands = /^(?:count\.txt|build(?:\/.*)?)$/;

function inShort(line: string): string {
  const event = JSON.parse(line) as Readonly<Record<string, unknown>>;
  return ["type", "role", "phase", "step", "attempt"]
    .flatMap((key) => (key in event ? [String(event[key])] : []))
    .join(" ");
}

function filesOf(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = names
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/\/(?:count\.txt|build\/.*)$/.test(path));
  return Object.fromEntries(paths.sort().map((path) => [path.slice(folder.length), readFileSync(path, "utf8")]));
}

/** @returns what a disturbed run has against an undisturbed one; empty when nothing. @see ARCHITECTURE, law 5 */
export function differences(undisturbed: Outcome, disturbed: Outcome): string[] {
  const wrong: string[] = [];
  if (disturbed.status !== undisturbed.status) wrong.push(`it ended as ${disturbed.status}`);
  if (!isDeepStrictEqual(disturbed.files, undisturbed.files))
    wrong.push(`its files: ${JSON.stringify(disturbed.files)}`);
  for (const subtask of new Set([...Object.keys(undisturbed.told), ...Object.keys(disturbed.told)])) {
    const [before = [], after = []] = [undisturbed.told[subtask], disturbed.told[subtask]];
    if (isDeepStrictEqual(before, after)) continue;
    const at = after.findIndex((line, index) => line !== before[index]);
    wrong.push(
      `${subtask} tells another tale, from ${at}: ${after[at] ?? "(end)"} instead of ${before[at] ?? "(end)"}`,
    );
  }
  // A command that was started and not recorded may have run or not: it is said, and it is not run again.
  const { runs, cleaned, uncertain } = disturbed;
  if (runs > 1) wrong.push(`a command ran ${runs} times`);
  if (1 - runs + Number(!cleaned) > uncertain)
    wrong.push(`commands ran ${runs} times and ${cleaned ? "once" : "never"}, with ${uncertain} said to be uncertain`);
  if (disturbed.webhooks !== 1) wrong.push(`${disturbed.webhooks} webhooks were received`);
  return wrong;
}
