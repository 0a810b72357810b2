/** Chooses where a command's work is done: the server that is running, or an engine of its own. @see DECISIONS 12 */
import { join } from "node:path";
import type { Config } from "../config/schema.ts";
import { LoomError } from "../lib/errors.ts";
import { isThere, remoteService, unreachable } from "./client.ts";
import { UsageError } from "./exit-codes.ts";
import { localService } from "./local.ts";
import type { Service } from "./service.ts";
import { type CommonOptions, type Equipped, type Settings, withModels } from "./settings.ts";
import { say, type World } from "./world.ts";

/** A server on this machine answers at once or is not there. */
const nearMs = 1000;
const namedMs = 5000;

/** The server: what was named, else where the configuration puts it. */
export async function connectServer(world: World, settings: Settings, options: CommonOptions): Promise<Service> {
  const { url, named } = serverUrl(world, settings.config, options);
  if (!(await isThere(url, named ? namedMs : nearMs))) throw unreachable(url);
  return remoteService({ url, apiKey: apiKeyOf(world, settings) });
}

/** The server when it answers; when none was named and none answers, an engine in this process. */
export async function connectAny(world: World, settings: Settings, options: CommonOptions): Promise<Service> {
  const { url, named } = serverUrl(world, settings.config, options);
  if (await isThere(url, named ? namedMs : nearMs)) return remoteService({ url, apiKey: apiKeyOf(world, settings) });
  if (named) throw unreachable(url);
  const equipped = await withModels(settings.config, world.env);
  say(world.stderr, ...equipped.said);
  return localService(await openEngine(world, equipped, settings.source));
}

async function openEngine(world: World, { config, problems }: Equipped, source: string | null) {
  try {
    return await world.open(config, problems, source);
  } catch (error) {
    if (!(error instanceof LoomError) || error.code !== "storage_locked") throw error;
    const path = join(config.workspace.scratch_dir, `run-${Date.now().toString(36)}-${process.pid}.db`);
    say(
      world.stderr,
      `${config.memory.database_path} is in use by a Loom that does not answer; this run keeps its record in ${path}`,
    );
    return world.open({ ...config, memory: { ...config.memory, database_path: path } }, problems, source);
  }
}

function apiKeyOf({ env }: World, { config }: Settings): string {
  return env["LOOM_API_KEY"] ?? config.server.api_key;
}

export function serverUrl(
  { env }: Pick<World, "env">,
  config: Config,
  options: CommonOptions,
): { readonly url: string; readonly named: boolean } {
  const named = options.server ?? env["LOOM_URL"];
  if (named === undefined || named === "") return { url: configuredUrl(config), named: false };
  if (!/^https?:\/\//.test(named) || !URL.canParse(named)) {
    throw new UsageError(`"${named}" is no server's address`, "Write it like http://127.0.0.1:9000");
  }
  return { url: named.replace(/\/+$/, ""), named: true };
}

function configuredUrl({ server }: Config): string {
  const anywhere = server.host === "0.0.0.0" || server.host === "::" || server.host === "[::]";
  const host = anywhere ? "127.0.0.1" : server.host;
  return `http://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${server.port}`;
}
