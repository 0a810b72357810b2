/**
 * Who may come in: the API key, and, for whoever shows none, the names under which a browser may have found us (a page that
 * rebinds its DNS name to 127.0.0.1 still sends its own Host and Origin). Knows nothing of routes but whether one is open.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { LoomError } from "../lib/errors.ts";

export interface AccessRules {
  readonly host: string;
  readonly apiKey: string | null;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
}

const loopbackNames: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];
const wildcardHosts: ReadonlySet<string> = new Set(["0.0.0.0", "::", "[::]"]);
const hostPattern = /^(?<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/;
const addressPattern = /^(?:\[[0-9a-f:.]+\]|\d{1,3}(?:\.\d{1,3}){3})$/;

export class Access {
  readonly #keyDigest: Buffer | null;
  readonly #names: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;
  readonly #anyAddress: boolean;

  constructor(rules: AccessRules) {
    this.#keyDigest = rules.apiKey === null ? null : digestOf(rules.apiKey);
    const bound = rules.host.includes(":") && !rules.host.startsWith("[") ? `[${rules.host}]` : rules.host;
    this.#names = new Set([...loopbackNames, bound, ...rules.allowedHosts].map((name) => name.toLowerCase()));
    this.#origins = new Set(rules.allowedOrigins.map((origin) => origin.toLowerCase().replace(/\/$/, "")));
    // A page cannot be rebound to an address, so a server that listens on all of them may be called by any.
    this.#anyAddress = wildcardHosts.has(rules.host);
  }

  /**
   * @param hasTicket whether the request shows something else that stands for the key; asked last
   * @throws LoomError forbidden for a foreign Host or Origin; unauthorized without the key that is configured
   */
  admit(headers: IncomingHttpHeaders, hasTicket: () => boolean = () => false): void {
    if (this.#hasValidKey(headers)) return;
    this.admitPreflight(headers);
    if (this.#keyDigest === null || hasTicket()) return;
    throw new LoomError(
      "unauthorized",
      keyOf(headers) === undefined ? "This server wants an API key." : "The API key is not this server's.",
      {
        hint: "Send the key as `Authorization: Bearer …` or `X-API-Key: …`.",
      },
    );
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

  #hasValidKey(headers: IncomingHttpHeaders): boolean {
    const key = keyOf(headers);
    return key !== undefined && this.#keyDigest !== null && timingSafeEqual(digestOf(key), this.#keyDigest);
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

function keyOf(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^bearer +(?<key>\S+) *$/i.exec(headers.authorization ?? "")?.groups?.["key"];
  const plain = headers["x-api-key"];
  return bearer ?? (typeof plain === "string" ? plain : undefined);
}

function digestOf(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}
