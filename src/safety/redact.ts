/**
 * Redaction: the secrets that Loom was given are taken out of text by value, wherever they stand and however they are
 * encoded, and, by the name of its key, whatever stands under a name that only secrets have. Which settings and variables are
 * secrets is said by the configuration.
 */
import type { Redaction, TokenRedaction } from "../ports/policy.ts";
import { FormFinder } from "./form-finder.ts";
import { formsOf, ownKeyForm } from "./secret-forms.ts";

export const redacted = "[redacted]";

const charactersMin = 8;
const namesKept = 1000;
const nameCharactersKept = 64;
const differentMin = 4;
/** A line of a key in PEM, or of a file that is one secret; such lines are printed one by one, numbered or indented. */
const lineCharactersMin = 16;
/** Searched for piece by piece beyond this. */
const pieceCharacters = 1024;

/** Long enough, and still no secret: taking these out would spoil ordinary text. */
const commonWords: ReadonlySet<string> = new Set(
  (
    "password changeme password1 password123 123456789 1234567890 12345678 localhost 127.0.0.1 production development undefined anything not-needed " +
    "placeholder your-api-key your_api_key api-key-here lm-studio no-key-required no-key-needed required disabled anonymous username postgres administrator"
  ).split(" "),
);

/** Exact names, dashes and underscores left out: `tokens_used` and `author` are none of them. */
const secretNames: ReadonlySet<string> = new Set(
  (
    "authorization proxyauthorization cookie setcookie apikey xapikey password passwd passphrase secret clientsecret " +
    "secretkey privatekey accesstoken refreshtoken idtoken authtoken bearertoken sessiontoken apitoken"
  ).split(" "),
);

/** @returns whether a value can be taken out of text by value; the others stay, and `loom doctor` names their keys */
export function isRedactable(secret: string): boolean {
  return (
    secret.length >= charactersMin && new Set(secret).size >= differentMin && !commonWords.has(secret.toLowerCase())
  );
}

export function createRedaction(secrets: readonly string[]): Redaction {
  const pieces = new Set(secrets.filter(isRedactable).flatMap(piecesOf));
  const finder = new FormFinder([ownKeyForm, ...[...pieces].flatMap(formsOf)]);
  const text = (value: string) => taken(finder, value, true).done;
  const change = { text, names: new KnownNames(text) };
  return {
    text,
    // Only strings inside change, so the type stays what it was.
    value: <T>(value: T) => mapStrings(value, change) as T,
    tokens: () => new HeldTokens(finder),
  };
}

/** Text that comes in pieces: what could be the beginning of a secret is held back until it is known to be none. */
class HeldTokens implements TokenRedaction {
  readonly #finder: FormFinder;
  #held = "";

  constructor(finder: FormFinder) {
    this.#finder = finder;
  }

  push(token: string): string {
    const { done, held } = taken(this.#finder, this.#held + token, false);
    this.#held = held;
    return done;
  }

  end(): string {
    const { done } = taken(this.#finder, this.#held, true);
    this.#held = "";
    return done;
  }
}

function taken(finder: FormFinder, text: string, isWhole: boolean): { readonly done: string; readonly held: string } {
  let found = finder.next(text, 0, isWhole);
  if (found === null) return { done: text, held: "" };
  let done = "";
  let from = 0;
  for (; found !== null; found = finder.next(text, from, isWhole)) {
    done += text.slice(from, found.start);
    if (found.end === null) return { done, held: text.slice(found.start) };
    done += redacted;
    from = found.end;
  }
  return { done: done + text.slice(from), held: "" };
}

/** A secret, and those parts of it that are one by themselves. */
function piecesOf(secret: string): string[] {
  const lines = secret
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line.length >= lineCharactersMin && !line.startsWith("-----") && isRedactable(line));
  const bare = /^whsec_(?<key>.+)$/s.exec(secret)?.groups?.["key"];
  return [...(secret.includes("\n") ? lines : []), ...(bare === undefined ? [] : [bare]), secret].flatMap(inPieces);
}

function inPieces(text: string): string[] {
  const count = Math.ceil(text.length / pieceCharacters);
  const size = Math.ceil(text.length / count);
  return Array.from({ length: count }, (_, index) => text.slice(index * size, (index + 1) * size));
}

/** Names of members, of which there are few: each is looked at once. Bounded, since a tool's arguments may have any. */
class KnownNames {
  readonly #change: (text: string) => string;
  readonly #known = new Map<string, KnownName>();

  constructor(change: (text: string) => string) {
    this.#change = change;
  }

  of(name: string): KnownName {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const found = { clean: this.#change(name), isSecret: isSecretName(name) };
    if (this.#known.size < namesKept && name.length <= nameCharactersKept) this.#known.set(name, found);
    return found;
  }
}

interface KnownName {
  readonly clean: string;
  /** What stands under it is a secret, whatever it is. */
  readonly isSecret: boolean;
}

interface Change {
  readonly text: (text: string) => string;
  readonly names: KnownNames;
}

/** @returns the very same value where nothing in it changes */
function mapStrings(value: unknown, change: Change): unknown {
  if (typeof value === "string") return change.text(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => mapStrings(item, change));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  return isPlain(value) ? mapMembers(value, change) : value;
}

/** Nothing is made anew until a member differs: in nearly all values none does. */
function mapMembers(value: object, change: Change): object {
  const members = value as Readonly<Record<string, unknown>>;
  const changed = new Map<string, unknown>();
  let isRenamed = false;
  for (const key of Object.keys(members)) {
    const { clean, isSecret } = change.names.of(key);
    const item = members[key];
    const mapped = isSecret && typeof item === "string" && item !== "" ? redacted : mapStrings(item, change);
    isRenamed ||= clean !== key;
    if (mapped !== item) changed.set(key, mapped);
  }
  if (!isRenamed && changed.size === 0) return value;
  return Object.fromEntries(
    Object.entries(members).map(([key, item]) => [
      change.names.of(key).clean,
      changed.has(key) ? changed.get(key) : item,
    ]),
  );
}

function isSecretName(key: string): boolean {
  return secretNames.has(key.toLowerCase().replaceAll(/[-_]/g, ""));
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
