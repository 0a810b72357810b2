/** The configuration for one command: file and environment, and, where no model is configured, what is found around. */
import { discoverModels } from "../config/discover.ts";
import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import type { World } from "./world.ts";

/** Options that every command takes. */
export interface CommonOptions {
  readonly config?: string;
  readonly server?: string;
}

export interface Settings {
  readonly config: Config;
  readonly warnings: readonly string[];
  /** The file that was read, or null for defaults. */
  readonly source: string | null;
}

/** @throws LoomError config_invalid */
export function readSettings(world: Pick<World, "env" | "cwd" | "home">, options: CommonOptions): Settings {
  const { env, cwd, home } = world;
  return loadConfig({ env, cwd, home, ...(options.config === undefined ? {} : { path: options.config }) });
}

export interface Equipped {
  readonly config: Config;
  /** What was found and chosen when no model was configured. */
  readonly said: readonly string[];
  /** What stands in the way of a task. */
  readonly problems: readonly string[];
}

/** The configuration with models: those it names, else what is found around. */
export async function withModels(config: Config, env: World["env"]): Promise<Equipped> {
  if (Object.keys(config.models).length > 0) return { config, said: [], problems: [] };
  const { models, said } = await discoverModels(env);
  return { config: { ...config, models }, said, problems: Object.keys(models).length === 0 ? said : [] };
}
