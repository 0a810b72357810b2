/** The handle that front doors hold: requests go to the drivers, readings come from folded state, the log and the stores. */
import type { JsonObject } from "../lib/json.ts";
import type { Feed } from "../ports/feed.ts";
import type { Health, Loom } from "../ports/loom.ts";
import type { Tools } from "../ports/tool.ts";
import { type DeliveryPorts, deliveriesOf } from "./deliveries.ts";
import { Places } from "./places.ts";
import { type ReadingPorts, readingsOf } from "./reading.ts";
import { Repeats } from "./repeats.ts";
import { requestsOf } from "./requesting.ts";
import { missingModels, type SubmissionPorts, submit } from "./submission.ts";
import { undo } from "./undoing.ts";

export interface LoomPorts extends Omit<SubmissionPorts & DeliveryPorts, "repeats" | "places">, ReadingPorts {
  readonly feed: Feed;
  readonly tools: Tools;
  readonly version: string;
  readonly config: JsonObject;
  /** What was found wrong at the start, one sentence each. */
  readonly problems: readonly string[];
}

export function createLoom(given: LoomPorts): Loom {
  const { feed, models, store, tools } = given;
  const ports = { ...given, repeats: new Repeats(given), places: new Places(given) };
  return {
    ...readingsOf(ports),
    ...requestsOf(ports),
    ...deliveriesOf(ports),
    submit: (submission) => submit(ports, submission),
    undo: (taskId, request) => undo(ports, taskId, request),
    subscribe: (taskId, options) => feed.subscribe(taskId, options),
    subscribeAll: (options) => feed.subscribeAll(options),
    lastGlobal: () => store.lastGlobal(),
    models: () => models.list(),
    probeModels: (depth, signal) => models.probe(depth, signal),
    tools: () => tools.all().map(toolView),
    health: () => health(ports),
    config: () => ports.config,
  };
}

function toolView({
  schema,
  risk,
  effectClass,
  timeoutMs,
}: ReturnType<Tools["all"]>[number]): ReturnType<Loom["tools"]>[number] {
  return { ...schema, risk, effect_class: effectClass, timeout_seconds: timeoutMs / 1000 };
}

function health({ supervisor, models, version, ...ports }: LoomPorts): Health {
  const problems = [...ports.problems];
  const missing = missingModels(models);
  if (missing !== null)
    problems.push(`${missing}; tasks are refused. Add a [models.<name>] section to loom.toml, then restart`);
  const aside = supervisor.quarantined.size;
  if (aside > 0) problems.push(`${aside} task(s) are set aside because their logs cannot be read`);
  if (supervisor.draining) return { status: "draining", version, ready: false, problems };
  return { status: problems.length === 0 ? "ok" : "degraded", version, ready: true, problems };
}
