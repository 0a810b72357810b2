/** `loom run` and `loom watch`: a goal to its end before one's eyes, on a server or on an engine of its own. */
import { homedir } from "node:os";
import { parse, resolve } from "node:path";
import { ApprovalMode } from "../domain/rules.ts";
import { type JsonObject, parseJson } from "../lib/json.ts";
import { connectAny, connectServer } from "./connect.ts";
import { exits, UsageError } from "./exit-codes.ts";
import { follow, type Outcome } from "./follow.ts";
import { type NarrowingOptions, narrowingOf } from "./narrowing.ts";
import { type Asking, askAt } from "./prompt.ts";
import { jsonScreen, liveScreen, plainScreen, type Screen, styleOf } from "./screen.ts";
import { given, type Order, type Service } from "./service.ts";
import { type CommonOptions, readSettings } from "./settings.ts";
import { finalLines } from "./views.ts";
import { say, type World } from "./world.ts";

export interface RunOptions extends CommonOptions, NarrowingOptions {
  readonly workspace?: string;
  /** False with --no-wait. */
  readonly wait: boolean;
  readonly json?: boolean;
  readonly approvalMode?: string;
  readonly approvePlan?: boolean;
  readonly context?: readonly string[];
}

export async function run(world: World, goal: string, options: RunOptions): Promise<number> {
  const order = orderOf(world, goal, options);
  const settings = readSettings(world, options);
  say(world.stderr, ...settings.warnings);
  await using service = await connectAny(world, settings, options);
  const taskId = await service.submit(order);
  using screen = screenFor(world, options);
  if (options.json !== true)
    screen.lines(`${taskId} in ${order.workspace}${service.url === null ? "" : `, on ${service.url}`}`);
  using asking = options.wait && options.json !== true && world.isTerminal ? askAt(world) : null;
  const outcome = await follow({
    service,
    taskId,
    screen,
    asking,
    style: styleOf(world),
    // With no terminal and no server nobody could ever answer.
    leaveWhenAwaiting: !options.wait || (service.url === null && asking === null),
    onInterrupt: "cancel",
    signal: world.signal,
  });
  screen[Symbol.dispose]();
  return end(world, { outcome, json: options.json === true, service });
}

export async function watch(
  world: World,
  taskId: string,
  options: CommonOptions & { readonly json?: boolean },
): Promise<number> {
  await using service = await connectServer(world, readSettings(world, options), options);
  using screen = screenFor(world, options);
  const asking: Asking | null = null;
  const outcome = await follow({
    service,
    taskId,
    screen,
    asking,
    style: styleOf(world),
    leaveWhenAwaiting: false,
    onInterrupt: "leave",
    signal: world.signal,
  });
  screen[Symbol.dispose]();
  return end(world, { outcome, json: options.json === true, service });
}

function end(
  world: World,
  { outcome, json, service }: { readonly outcome: Outcome; readonly json: boolean; readonly service: Service },
): number {
  const { task, exitCode } = outcome;
  if (json)
    say(
      world.stdout,
      JSON.stringify({
        event_type: "loom_result",
        task_id: task.task_id,
        status: task.status,
        exit_code: exitCode,
        view: task,
      }),
    );
  else
    say(
      world.stdout,
      ...finalLines(task, styleOf(world)),
      ...(exitCode === exits.awaiting ? awaitingLines(task.task_id, service) : []),
    );
  return exitCode;
}

function awaitingLines(taskId: string, { url }: Service): readonly string[] {
  const how = `loom approve ${taskId}, loom questions ${taskId}, loom watch ${taskId}`;
  return [
    url === null
      ? `It waits for a person, and goes on when \`loom serve\` runs: then ${how}`
      : `It waits for a person: ${how}`,
  ];
}

function screenFor(world: World, options: { readonly json?: boolean }): Screen {
  if (options.json === true) return jsonScreen(world);
  return world.isTerminal ? liveScreen(world, Date.now) : plainScreen(world);
}

function orderOf(world: World, goal: string, options: RunOptions): Order {
  if (goal.trim() === "")
    throw new UsageError("The goal is empty", 'Say what is to be achieved: loom run "Add tests for the parser"');
  const mode = options.approvalMode === undefined ? undefined : ApprovalMode.safeParse(options.approvalMode).data;
  if (options.approvalMode !== undefined && mode === undefined) {
    throw new UsageError(
      `--approval-mode "${options.approvalMode}" is not known`,
      `Use one of ${ApprovalMode.options.join(", ")}`,
    );
  }
  return {
    goal,
    workspace: workspaceOf(world, options.workspace),
    context: contextOf(options.context ?? []),
    ...given({ approvalMode: mode }),
    approvePlan: options.approvePlan === true,
    ...narrowingOf(world.cwd, options),
  };
}

/** The folder that was named, else the one we stand in, unless that is a home or a root: too much to let loose on by omission. */
function workspaceOf({ cwd, home }: World, named: string | undefined): string {
  if (named !== undefined) return resolve(cwd, named);
  if (cwd === home || cwd === homedir() || cwd === parse(cwd).root) {
    throw new UsageError(
      `${cwd} is no workspace to work in unasked`,
      "Go to the project's folder, or name one with --workspace DIR",
    );
  }
  return cwd;
}

/** `key=value`; a value that is JSON is taken as JSON. */
function contextOf(pairs: readonly string[]): JsonObject {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf("=");
      if (equals < 1)
        throw new UsageError(
          `--context "${pair}" is not KEY=VALUE`,
          'Write it like --context focus=src/auth or --context dirs=\'["src","test"]\'',
        );
      const text = pair.slice(equals + 1);
      return [pair.slice(0, equals), (parseJson(text) ?? text) as JsonObject[string]];
    }),
  );
}
