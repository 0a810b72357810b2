/** `loom keys` and `loom audit`: who may use the server, and what they did. They work on the database itself, also beside a server. */
import { microUsdOf } from "../domain/budget.ts";
import { type ApiKey, type AuditRow, type KeyWish, type Scope, scopes } from "../ports/access.ts";
import { exits, UsageError } from "./exit-codes.ts";
import { type CommonOptions, readSettings } from "./settings.ts";
import { say, type World } from "./world.ts";

type Json = { readonly json?: boolean };

export interface CreateKeyOptions extends CommonOptions, Json {
  readonly name: string;
  readonly scopes: string;
  readonly rate?: string;
  readonly maxTasks?: string;
  readonly tokensPerDay?: string;
  readonly usdPerDay?: string;
}

/** Names that the log gives to who comes without such a key. */
const takenNames: ReadonlySet<string> = new Set(["api", "cli"]);
const auditRowsUsual = 100;
const auditRowsMax = 100_000;

/** The key itself is all of standard output, so that a script can take it. */
export async function createKey(world: World, options: CreateKeyOptions): Promise<number> {
  const { key, text } = await world.access.createKey(pathOf(world, options), wishOf(options));
  if (options.json === true) say(world.stdout, JSON.stringify({ ...shown(key), key: text }));
  else say(world.stdout, text);
  say(
    world.stderr,
    `${key.id} "${key.name}" may ${key.scopes.join(", ")}. The key is shown this once and kept nowhere: put it away now`,
    "  Clients send it as Authorization: Bearer … or X-API-Key: …; the loom command reads LOOM_API_KEY",
    "  From now on nobody is let in without a key, on loopback too",
  );
  return exits.done;
}

export async function listKeys(world: World, options: CommonOptions & Json): Promise<number> {
  const keys = await world.access.keys(pathOf(world, options));
  if (options.json === true) say(world.stdout, JSON.stringify(keys.map(shown)));
  else if (keys.length === 0)
    say(world.stdout, "No key was made yet: loom keys create --name NAME --scopes read,submit");
  else say(world.stdout, ...keys.flatMap(keyLines));
  return exits.done;
}

export async function revokeKey(world: World, id: string, options: CommonOptions): Promise<number> {
  const path = pathOf(world, options);
  const { name } = await world.access.revokeKey(path, id);
  say(world.stdout, `${id} "${name}" is revoked; a server that runs lets it in no more, and its tickets are over`);
  const isLast = (await world.access.keys(path)).every((key) => key.revokedAt !== null);
  if (isLast)
    say(world.stderr, "It was the last one: only [server] api_key, where it is set, is let in until you make another");
  return exits.done;
}

export async function listAudit(
  world: World,
  options: CommonOptions & Json & { readonly limit?: string },
): Promise<number> {
  const limit = wholeOf(options.limit, "--limit", auditRowsMax) ?? auditRowsUsual;
  const rows = await world.access.auditRows(pathOf(world, options), limit);
  say(world.stdout, ...rows.map(options.json === true ? rowJson : rowLine));
  return exits.done;
}

/** @returns failed when a row is not as it was written */
export async function verifyAudit(
  world: World,
  options: CommonOptions & Json & { readonly expect?: string },
): Promise<number> {
  const verdict = await world.access.verifyAudit(pathOf(world, options), headOf(options.expect));
  const { rows, head, fault } = verdict;
  if (options.json === true) say(world.stdout, JSON.stringify(verdict));
  else if (fault !== null) say(world.stdout, `row ${fault.seq} is the first that is broken: ${fault.reason}`);
  else if (head === null) say(world.stdout, "The audit log is empty");
  else
    say(
      world.stdout,
      `${rows} rows, each as it was written`,
      `head ${head.seq}:${head.hash}   (noted elsewhere, it proves this log later: loom audit verify --expect ${head.seq}:…)`,
    );
  return fault === null ? exits.done : exits.failed;
}

function pathOf(world: World, options: CommonOptions): string {
  const { config, warnings } = readSettings(world, options);
  say(world.stderr, ...warnings);
  return config.memory.database_path;
}

function wishOf({ name, scopes: list, rate, maxTasks, tokensPerDay, usdPerDay }: CreateKeyOptions): KeyWish {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(name) || takenNames.has(name.toLowerCase())) {
    const hint = "1 to 64 letters, digits, dots, dashes and underscores; not api or cli, which the log uses itself";
    throw new UsageError(`"${name}" cannot be a key's name`, hint);
  }
  return {
    name,
    scopes: scopesOf(list),
    ratePerMinute: wholeOf(rate?.replace(/\/(min|minute|m)$/, ""), "--rate", 1_000_000) ?? null,
    tasksMax: wholeOf(maxTasks, "--max-tasks", 1_000_000) ?? null,
    tokensPerDay: wholeOf(tokensPerDay, "--tokens-per-day", 1e15) ?? null,
    microUsdPerDay: microUsdIn(usdPerDay, "--usd-per-day"),
  };
}

function scopesOf(list: string): readonly Scope[] {
  const words = list.split(",").map((word) => word.trim());
  const unknown = words.find((word) => !scopes.some((scope) => scope === word));
  if (unknown !== undefined)
    throw new UsageError(`"${unknown}" is no scope`, `Scopes are ${scopes.join(", ")}, with commas between`);
  return scopes.filter((scope) => words.includes(scope));
}

function wholeOf(text: string | undefined, option: string, max: number): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= max) return number;
  throw new UsageError(`${option} is "${text}"`, `It takes a whole number, 1 to ${max}`);
}

/** Dollars with up to six decimals. */
function microUsdIn(text: string | undefined, option: string): number | null {
  if (text === undefined) return null;
  const micro = /^\d{1,9}(?:\.\d{1,6})?$/.test(text) ? microUsdOf(Number(text)) : 0;
  if (micro >= 1) return micro;
  throw new UsageError(`${option} is "${text}"`, "It takes US dollars, like 5 or 0.25");
}

function headOf(text: string | undefined): { readonly seq: number; readonly hash: string } | undefined {
  if (text === undefined) return undefined;
  const { seq, hash } = /^(?<seq>\d{1,15}):(?<hash>[0-9a-f]{64})$/.exec(text)?.groups ?? {};
  if (seq !== undefined && hash !== undefined) return { seq: Number(seq), hash };
  throw new UsageError(`"${text}" is no head of an audit log`, "Write it as `loom audit verify` shows it: 17:4f0c…");
}

function shown(key: ApiKey) {
  const { id, name, scopes: granted, ratePerMinute, tasksMax, createdAt, lastUsedAt, revokedAt } = key;
  const { tokensPerDay, microUsdPerDay } = key;
  return {
    id,
    name,
    scopes: granted,
    rate_per_minute: ratePerMinute,
    max_tasks: tasksMax,
    tokens_per_day: tokensPerDay,
    usd_per_day: microUsdPerDay === null ? null : microUsdPerDay / 1e6,
    created_at: iso(createdAt),
    last_used_at: lastUsedAt === null ? null : iso(lastUsedAt),
    revoked_at: revokedAt === null ? null : iso(revokedAt),
  };
}

function keyLines(key: ApiKey): readonly string[] {
  const { id, name, scopes: granted, createdAt, lastUsedAt, revokedAt } = key;
  const limits = [
    ...(key.ratePerMinute === null ? [] : [`${key.ratePerMinute} requests/min`]),
    ...(key.tasksMax === null ? [] : [`${key.tasksMax} open tasks`]),
    ...(key.tokensPerDay === null ? [] : [`${key.tokensPerDay} tokens/day`]),
    ...(key.microUsdPerDay === null ? [] : [`$${key.microUsdPerDay / 1e6}/day`]),
  ];
  const life = [
    `created ${iso(createdAt)}`,
    lastUsedAt === null ? "never used" : `last used ${iso(lastUsedAt)}`,
    ...(revokedAt === null ? [] : [`REVOKED ${iso(revokedAt)}`]),
  ];
  return [`${id}  ${name}  ${[granted.join(","), ...limits].join(", ")}`, `    ${life.join(", ")}`];
}

function rowJson({ seq, at, keyId, ...row }: AuditRow): string {
  return JSON.stringify({ seq, at: iso(at), key_id: keyId, ...row });
}

function rowLine({ seq, at, actor, keyId, remote, action, subject, outcome }: AuditRow): string {
  const who = keyId === null ? actor : `${actor} (${keyId})`;
  return `${seq}  ${iso(at)}  ${who} from ${remote}  ${action}${subject === null ? "" : ` ${subject}`}  ${outcome}`;
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
