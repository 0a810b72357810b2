/** The words of `loom keys` and `loom audit`: which there are and what they take. */
import type { Command } from "commander";
import { type CreateKeyOptions, createKey, listAudit, listKeys, revokeKey, verifyAudit } from "./access-commands.ts";
import type { CommonOptions } from "./settings.ts";
import type { World } from "./world.ts";

export interface Place {
  readonly world: World;
  readonly finish: (code: Promise<number>) => Promise<void>;
  /** Adds the options of commands that work without a server. */
  readonly inPlace: (command: Command) => Command;
}

export function accessCommands(program: Command, place: Place): void {
  keyCommands(program, place);
  auditCommands(program, place);
}

function keyCommands(program: Command, { world, finish, inPlace }: Place): void {
  const keys = program.command("keys").description("who may use the server").helpCommand(false);
  inPlace(keys.command("create").description("make a key; it is printed once"))
    .requiredOption("--name <name>", "whose it is; stands in the log of what is done with it")
    .requiredOption("--scopes <list>", "read, submit, approve, admin, with commas between")
    .option("--rate <n/min>", "requests a minute (default: any number)")
    .option("--max-tasks <n>", "tasks open at a time (default: any number)")
    .option("--tokens-per-day <n>", "tokens its tasks may use in a day of UTC (default: as [keys] says)")
    .option("--usd-per-day <dollars>", "money its tasks may use in a day of UTC (default: as [keys] says)")
    .option("--json", "print JSON")
    .action((options: CreateKeyOptions) => finish(createKey(world, options)));
  inPlace(keys.command("list").description("all that were made, and when each was used last"))
    .option("--json", "print JSON")
    .action((options: CommonOptions & { readonly json?: boolean }) => finish(listKeys(world, options)));
  inPlace(
    keys.command("revoke").argument("<id>", "as `loom keys list` shows it").description("end a key for good"),
  ).action((id: string, options: CommonOptions) => finish(revokeKey(world, id, options)));
}

function auditCommands(program: Command, { world, finish, inPlace }: Place): void {
  const audit = program.command("audit").description("who did what over the API, and with keys").helpCommand(false);
  inPlace(audit.command("list").description("the latest rows, oldest first"))
    .option("--limit <n>", "how many (default: 100)")
    .option("--json", "print JSON lines")
    .action((options: Parameters<typeof listAudit>[1]) => finish(listAudit(world, options)));
  inPlace(audit.command("verify").description("is every row as it was written? exit code 1 when not"))
    .option("--expect <seq:hash>", "a head that was noted before: proves that nothing was cut off or written anew")
    .option("--json", "print JSON")
    .action((options: Parameters<typeof verifyAudit>[1]) => finish(verifyAudit(world, options)));
}
