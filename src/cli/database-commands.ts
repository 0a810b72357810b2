/** `loom db`: how the database stands, a backup, a check, the newest schema. Needs no server, and runs beside one. */
import { resolve } from "node:path";
import type { DatabaseStatus } from "../ports/database-care.ts";
import { exits } from "./exit-codes.ts";
import { type CommonOptions, readSettings } from "./settings.ts";
import { say, type World } from "./world.ts";

export async function databaseStatus(
  world: World,
  options: CommonOptions & { readonly json?: boolean },
): Promise<number> {
  const status = await world.database.status(pathOf(world, options));
  say(world.stdout, ...(options.json === true ? [JSON.stringify(status)] : statusLines(status)));
  return exits.done;
}

export async function databaseBackup(world: World, file: string, options: CommonOptions): Promise<number> {
  const to = resolve(world.cwd, file);
  const { bytes, blobFiles } = await world.database.backup(pathOf(world, options), to);
  const beside = blobFiles === 0 ? "" : `, and ${blobFiles} blob file(s) in the folder blobs beside it`;
  say(world.stdout, `${to}: ${sizeOf(bytes)}${beside}`);
  return exits.done;
}

/** @returns failed when something is wrong */
export async function databaseCheck(world: World, options: CommonOptions): Promise<number> {
  const path = pathOf(world, options);
  const faults = await world.database.check(path);
  if (faults.length === 0) {
    say(world.stdout, `${path} is sound`);
    return exits.done;
  }
  say(world.stdout, ...faults);
  say(world.stderr, `loom: ${path} is damaged`, "  Put a backup in its place; `loom db backup` makes them");
  return exits.failed;
}

export async function databaseMigrate(world: World, options: CommonOptions): Promise<number> {
  const path = pathOf(world, options);
  const { from, to } = await world.database.migrate(path);
  say(
    world.stdout,
    from === to ? `${path} has the newest schema, ${to}` : `${path}: schema ${from} was brought to ${to}`,
  );
  return exits.done;
}

function pathOf(world: World, options: CommonOptions): string {
  const { config, warnings } = readSettings(world, options);
  say(world.stderr, ...warnings);
  return config.memory.database_path;
}

function statusLines(status: DatabaseStatus): readonly string[] {
  const { schema, content, blobFiles } = status;
  const isNewest = schema.found === schema.known;
  return [
    `database      ${status.path}`,
    `used by       ${usedBy(status)}`,
    `size          ${sizeOf(status.bytes)}, of it free ${sizeOf(status.freeBytes)}, write-ahead log ${sizeOf(status.walBytes)}`,
    `schema        ${schema.found}${isNewest ? "" : `; this Loom's is ${schema.known}: loom db migrate`}`,
    ...(content === null
      ? []
      : [
          `tasks         ${content.openTasks} open, ${content.closedTasks} closed, of these ${content.droppedLogs} without their log`,
          `events        ${content.events}`,
          `blobs         ${content.blobs} in the database`,
        ]),
    `blob files    ${blobFiles.count}, ${sizeOf(blobFiles.bytes)}`,
  ];
}

function usedBy({ inUse, stoppedUncleanly }: DatabaseStatus): string {
  if (inUse) return "a Loom that is running";
  return stoppedUncleanly ? "nobody; the last Loom did not stop in good order, the next start checks it" : "nobody";
}

function sizeOf(bytes: number): string {
  const mib = bytes / 1024 / 1024;
  return mib >= 1 ? `${mib.toFixed(1)} MiB` : `${(bytes / 1024).toFixed(1)} KiB`;
}
