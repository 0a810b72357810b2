/**
 * Who may come in: the keys, and, for whoever shows none, the names under which a browser may have found us (a page that
 * rebinds its DNS name to 127.0.0.1 still sends its own Host and Origin). Knows nothing of routes.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { LoomError } from "../lib/errors.ts";
import type { ApiKey, Keys } from "../ports/access.ts";
import { type Caller, owner } from "./caller.ts";

export interface AccessRules {
  readonly host: string;
  readonly apiKey: string | null;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
}

const loopbackNames: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];
const wildcardHosts: ReadonlySet<string> = new Set(["0.0.0.0", "::", "[::]"]);
const hostPattern = /^(?<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/;
const keyPattern = /^loom_(?<place>[0-9a-f]{10})_[\w-]{43}$/;
const addressPattern = /^(?:\[[0-9a-f:.]+\]|\d{1,3}(?:\.\d{1,3}){3})$/;

export class Access {
  readonly #keys: Keys;
  readonly #keyDigest: Buffer | null;
  readonly #names: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;
  readonly #anyAddress: boolean;

  /** @param keys those that were made, beside the configured one */
  constructor(rules: AccessRules, keys: Keys) {
    this.#keys = keys;
    this.#keyDigest = rules.apiKey === null ? null : digestOf(rules.apiKey);
    const bound = rules.host.includes(":") && !rules.host.startsWith("[") ? `[${rules.host}]` : rules.host;
    this.#names = new Set([...loopbackNames, bound, ...rules.allowedHosts].map((name) => name.toLowerCase()));
    this.#origins = new Set(rules.allowedOrigins.map((origin) => origin.toLowerCase().replace(/\/$/, "")));
    // A page cannot be rebound to an address, so a server that listens on all of them may be called by any.
    this.#anyAddress = wildcardHosts.has(rules.host);
  }

  /**
   * @param guest who shows something else that stands for a key; asked last
   * @throws LoomError forbidden for a foreign Host or Origin; unauthorized without a key where there are any
   */
  admit(headers: IncomingHttpHeaders, guest: () => Caller | null = () => null): Caller {
    const shown = keyOf(headers);
    const holder = shown === undefined ? null : this.#holderOf(shown);
    if (holder?.revokedAt === null) return callerWith(holder);
    if (shown !== undefined && this.#isConfigured(shown)) return owner;
    this.admitPreflight(headers);
    if (this.#keyDigest === null && this.isWelcome(owner)) return owner;
    const caller = guest();
    if (caller !== null) return caller;
    const problem = holder === null ? "The API key is not this server's." : `The API key "${holder.name}" was revoked.`;
    throw new LoomError("unauthorized", shown === undefined ? "This server wants an API key." : problem, {
      hint: "Send the key as `Authorization: Bearer …` or `X-API-Key: …` (the loom command reads LOOM_API_KEY); `loom keys create`, on the server's machine, makes one.",
    });
  }

  /** Would this caller be let in now? Asked again while a stream goes on. */
  isWelcome({ keyId }: Caller): boolean {
    if (keyId === null) return this.#keyDigest !== null || !this.#keys.any();
    return this.#keys.find(keyId)?.key.revokedAt === null;
  }

  /** A browser asks first, and shows no key when it does. @throws LoomError forbidden */
  admitPreflight({ host, origin }: IncomingHttpHeaders): void {
    this.#checkHost(host);
    this.#checkOrigin(origin, host);
  }

  /** @returns the origin whose pages may read our answers, or undefined */
  sharedWith(origin: string | undefined): string | undefined {
    return origin !== undefined && this.#origins.has(origin.toLowerCase()) ? origin : undefined;
  }

  #isConfigured(shown: string): boolean {
    return this.#keyDigest !== null && timingSafeEqual(digestOf(shown), this.#keyDigest);
  }

  /** Found by its id, which is no secret, and compared whole. */
  #holderOf(shown: string): ApiKey | null {
    const place = keyPattern.exec(shown)?.groups?.["place"];
    const found = place === undefined ? null : this.#keys.find(`key_${place}`);
    return found !== null && timingSafeEqual(digestOf(shown), found.digest) ? found.key : null;
  }

  #checkHost(host: string | undefined): void {
    const whole = (host ?? "").toLowerCase();
    const name = hostPattern.exec(whole)?.groups?.["name"];
    if (name !== undefined && (this.#names.has(name) || this.#names.has(whole))) return;
    if (name !== undefined && this.#anyAddress && addressPattern.test(name)) return;
    throw new LoomError("forbidden", `Host "${host ?? ""}" is not a name of this server.`, {
      hint: "Call it as localhost, or add the name to [server] allowed_hosts.",
    });
  }

  #checkOrigin(origin: string | undefined, host: string | undefined): void {
    if (origin === undefined || this.sharedWith(origin) !== undefined) return;
    if (URL.canParse(origin) && new URL(origin).host === host?.toLowerCase()) return;
    throw new LoomError("forbidden", `Origin "${origin}" may not use this server.`, {
      hint: "Add the origin to [server] allowed_origins.",
    });
  }
}

export function callerWith({ id: keyId, name, scopes, ...limits }: ApiKey): Caller {
  const { ratePerMinute, tasksMax, tokensPerDay, microUsdPerDay } = limits;
  return { name, keyId, scopes, ratePerMinute, tasksMax, tokensPerDay, microUsdPerDay };
}

function keyOf(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^bearer +(?<key>\S+) *$/i.exec(headers.authorization ?? "")?.groups?.["key"];
  const plain = headers["x-api-key"];
  return bearer ?? (typeof plain === "string" ? plain : undefined);
}

function digestOf(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}
