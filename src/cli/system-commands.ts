/** Commands about Loom itself: serve, models, tools, config, webhooks, demo. */
import { redactedConfig } from "../config/secrets.ts";
import { webhookSecret } from "../config/webhook-secret.ts";
import { connectAny } from "./connect.ts";
import { exits, UsageError } from "./exit-codes.ts";
import type { Service } from "./service.ts";
import { type CommonOptions, readSettings, withModels } from "./settings.ts";
import { modelLines, toolLines } from "./views.ts";
import { say, type World } from "./world.ts";

type Json = { readonly json?: boolean };

export interface ServeOptions extends CommonOptions {
  readonly host?: string;
  readonly port?: string;
}

/** Runs until Ctrl-C or SIGTERM, then lets running work come to a step boundary. */
export async function serve(world: World, options: ServeOptions): Promise<number> {
  const { config: loaded, warnings, source } = readSettings(world, options);
  const { config: found, said, problems } = await withModels(loaded, world.env);
  const config = {
    ...found,
    server: {
      ...found.server,
      host: options.host ?? found.server.host,
      port: portOf(options.port) ?? found.server.port,
    },
  };
  say(
    world.stderr,
    ...warnings,
    ...said,
    source === null ? "configuration: defaults, no loom.toml was found" : `configuration: ${source}`,
  );
  await using server = await world.serve(config, [...warnings, ...problems], source);
  say(world.stdout, `Loom ${world.version} listens on ${server.url} (API: ${server.url}/docs)`);
  if (!world.signal.aborted)
    await new Promise<void>((resolve) => world.signal.addEventListener("abort", () => resolve(), { once: true }));
  say(world.stderr, "going down: running steps are ended and recorded");
  return exits.done;
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new UsageError(`--port "${text}" is no port`, "Give a number from 0 to 65535; 0 takes any free one");
}

export async function models(
  world: World,
  options: CommonOptions & Json & { readonly probe?: boolean },
): Promise<number> {
  return shown(world, options, async (service) => {
    const found = await service.models(options.probe === true ? "again" : null);
    return options.json === true ? [JSON.stringify(found)] : modelLines(found);
  });
}

export async function tools(world: World, options: CommonOptions & Json): Promise<number> {
  return shown(world, options, async (service) => {
    const found = await service.tools();
    return options.json === true ? [JSON.stringify(found)] : toolLines(found);
  });
}

async function shown(
  world: World,
  options: CommonOptions,
  lines: (service: Service) => Promise<readonly string[]>,
): Promise<number> {
  const settings = readSettings(world, options);
  await using service = await connectAny(world, settings, options);
  say(world.stdout, ...(await lines(service)));
  return exits.done;
}

/** The configuration in force, secrets replaced, as JSON; where it comes from goes to standard error. */
export async function config(world: World, options: CommonOptions): Promise<number> {
  const settings = readSettings(world, options);
  say(
    world.stderr,
    settings.source === null ? "defaults, no loom.toml was found" : settings.source,
    ...settings.warnings,
  );
  say(world.stdout, JSON.stringify(redactedConfig(settings.config), null, 2));
  return exits.done;
}

/** What receivers verify webhooks with: as configured, or the one that Loom made, or makes now. */
export async function showWebhookSecret(world: World, options: CommonOptions): Promise<number> {
  say(world.stdout, webhookSecret(readSettings(world, options).config));
  return exits.done;
}
