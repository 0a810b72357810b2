/** `loom doctor`: looks at everything a run needs and says what is well, what is not, and what to do about it. */
import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Config } from "../config/schema.ts";
import { messageOf } from "../lib/errors.ts";
import { isThere } from "./client.ts";
import { connectAny, serverUrl } from "./connect.ts";
import { exits, failureLines } from "./exit-codes.ts";
import { weakPoints } from "./profile-lines.ts";
import { styleOf } from "./screen.ts";
import type { Service } from "./service.ts";
import { type CommonOptions, readSettings, type Settings } from "./settings.ts";
import { oneLine, paint, type Style } from "./style.ts";
import type { ModelShown } from "./wire.ts";
import { say, type World } from "./world.ts";

interface Check {
  readonly name: string;
  /** `note`: worth knowing, nothing is broken. */
  readonly state: "ok" | "note" | "bad";
  readonly text: string;
}

const nodeMajorMin = 24;
const freeBytesMin = 512 * 1024 * 1024;
const gibibyte = 1024 ** 3;
const serverMs = 1000;
const neededRoles = ["planner", "executor"];

/** @returns 0 when a task could run, 78 when something must be set right first */
export async function doctor(world: World, options: CommonOptions): Promise<number> {
  const style = styleOf(world);
  const settings = readSettings(world, options);
  const first = [
    nodeCheck(process.versions.node),
    ...configChecks(settings),
    databaseCheck(settings.config),
    diskCheck(settings.config),
    ...redactionChecks(world, settings.config),
  ];
  const checks = [
    ...first,
    await serverCheck(world, settings, options),
    ...(await modelChecks(world, settings, options)),
    await sandboxCheck(world, settings.config),
  ];
  say(world.stdout, ...checks.map((check) => checkLine(check, style)));
  return checks.some(({ state }) => state === "bad") ? exits.configuration : exits.done;
}

function checkLine({ name, state, text }: Check, style: Style): string {
  const mark = {
    ok: paint(style, "green", "ok  "),
    note: paint(style, "yellow", "note"),
    bad: paint(style, "red", "BAD "),
  }[state];
  return `${mark} ${name}: ${text}`;
}

export function nodeCheck(version: string): Check {
  const state = Number.parseInt(version, 10) >= nodeMajorMin ? "ok" : "bad";
  return {
    name: "node",
    state,
    text: state === "ok" ? version : `${version} is too old; install Node ${nodeMajorMin} or newer`,
  };
}

function configChecks({ source, warnings }: Settings): Check[] {
  const text = source ?? "no loom.toml here or in ~/.loom: defaults (loom.example.toml lists every key)";
  return [
    { name: "configuration", state: "ok", text },
    ...warnings.map((warning): Check => ({ name: "configuration", state: "note", text: warning })),
  ];
}

function databaseCheck({ memory }: Config): Check {
  const path = memory.database_path;
  const place = existing(path);
  try {
    accessSync(place, constants.W_OK);
    if (place !== path && !statSync(place).isDirectory()) throw new Error(`${place} is no folder`);
    return { name: "database", state: "ok", text: existsSync(path) ? path : `${path} (will be made)` };
  } catch (error) {
    return {
      name: "database",
      state: "bad",
      text: `${path} cannot be written: ${messageOf(error)}; set [memory] database_path to a place that can`,
    };
  }
}

/** The path itself, or the nearest folder above it that is there. */
function existing(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : existing(dirname(path));
}

function diskCheck({ memory }: Config): Check {
  const { bavail, bsize } = statfsSync(existing(memory.database_path));
  const free = bavail * bsize;
  const text = `${(free / gibibyte).toFixed(1)} GiB free at ${dirname(memory.database_path)}`;
  return {
    name: "disk",
    state: free < freeBytesMin ? "bad" : "ok",
    text: free < freeBytesMin ? `${text}; Loom needs half a GiB at the least` : text,
  };
}

/** @see DECISIONS 40 */
function redactionChecks(world: World, config: Config): Check[] {
  const keys = [
    ["[server] api_key", config.server.api_key],
    ...Object.entries(config.models).map(([name, model]) => [`[models.${name}] api_key`, model.api_key]),
  ];
  return keys
    .filter(([, value = ""]) => value !== "" && !world.isRedactable(value))
    .map(([name = ""]) => ({
      name: "redaction",
      state: "note",
      text: `${name} is too short or too common to be taken out of logs and events by value`,
    }));
}

async function serverCheck(world: World, { config }: Settings, options: CommonOptions): Promise<Check> {
  const { url } = serverUrl(world, config, options);
  if (await isThere(url, serverMs)) return { name: "server", state: "ok", text: `answers at ${url}` };
  return {
    name: "server",
    state: "note",
    text: `none answers at ${url}; loom run uses an engine of its own, loom serve starts one`,
  };
}

async function modelChecks(world: World, settings: Settings, options: CommonOptions): Promise<Check[]> {
  const said: string[] = [];
  const stderr = { write: (text: string) => said.push(...text.split("\n").filter((line) => line !== "")) };
  const notes = () => said.map((text): Check => ({ name: "models", state: "note", text }));
  try {
    await using service = await connectAny({ ...world, stderr }, settings, options);
    return [...notes(), ...(await probed(service))];
  } catch (error) {
    return [...notes(), { name: "models", state: "bad", text: oneLine(failureLines(error).join(" "), 600) }];
  }
}

async function probed(service: Service): Promise<Check[]> {
  const models = await service.models("first");
  const roles = new Set(models.flatMap((model) => model.roles));
  const missing = neededRoles.filter((role) => !roles.has(role));
  return [
    ...models.flatMap(modelLines),
    ...(missing.length === 0
      ? []
      : [
          {
            name: "models",
            state: "bad",
            text: `no model has the role ${missing.join(" and ")}; add it to "roles" of a [models.<name>] section`,
          } as const,
        ]),
  ];
}

const protocols: Readonly<Record<string, string>> = {
  json_schema: "; tools travel as JSON by schema",
  text: "; tools travel as text",
};

function modelLines(model: ModelShown): Check[] {
  const state = model.health === "down" ? "bad" : "ok";
  const protocol = protocols[model.tool_protocol] ?? "";
  const text = `${model.name}: ${model.model} at ${model.base_url === "" ? model.provider : model.base_url} is ${model.health}, tier ${model.tier}, for ${model.roles.join(", ")}${protocol}`;
  return [
    { name: "model", state, text },
    ...[...weakPoints(model), ...model.notes].map(
      (note): Check => ({ name: "model", state: "note", text: `${model.name}: ${oneLine(note, 400)}` }),
    ),
  ];
}

async function sandboxCheck(world: World, config: Config): Promise<Check> {
  const name = "sandbox";
  try {
    const { layer, holds, leaves, lack } = await world.sandbox(config);
    const held = holds.length === 0 ? "" : `; held off: ${holds.join(", ")}`;
    if (layer !== "none") return { name, state: "ok", text: `${layer}${held}; not held: ${leaves.join(", ")}` };
    const why = lack ?? '[sandbox] mode is "off"';
    return {
      name,
      state: "note",
      text: `none: ${why}. Commands that models write reach ${leaves.join(", ")}; what looks dangerous is asked about first${held}. Run Loom in a container or as a user of its own where that is not enough`,
    };
  } catch (error) {
    return { name, state: "bad", text: oneLine(failureLines(error).join(" "), 600) };
  }
}
