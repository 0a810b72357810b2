/**
 * Redaction by value: the secrets that Loom was given are taken out of text wherever they stand, as they are or as URLs, JSON,
 * base64 and hex would carry them. Knows values only; which settings are secrets is said by the configuration.
 */
import type { Redaction } from "../ports/policy.ts";

export const redacted = "[redacted]";

const charactersMin = 8;

/** Long enough, and still no secret: taking these out would spoil ordinary text. */
const commonWords: ReadonlySet<string> = new Set(
  (
    "password changeme password1 password123 123456789 1234567890 12345678 localhost 127.0.0.1 production development undefined anything not-needed " +
    "placeholder your-api-key your_api_key api-key-here lm-studio no-key-required no-key-needed required disabled anonymous username postgres administrator"
  ).split(" "),
);

/** @returns whether a value can be taken out of text by value; the others stay, and `loom doctor` names their keys */
export function isRedactable(secret: string): boolean {
  return secret.length >= charactersMin && !commonWords.has(secret.toLowerCase());
}

export function createRedaction(secrets: readonly string[]): Redaction {
  const forms = [...new Set(secrets.filter(isRedactable).flatMap(formsOf))].sort((a, b) => b.length - a.length);
  if (forms.length === 0) return { text: (value) => value, value: (value) => value };
  const pattern = new RegExp(forms.map((form) => form.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&")).join("|"), "g");
  const text = (value: string) => value.replace(pattern, redacted);
  // Only strings inside change, so the type stays what it was.
  return { text, value: <T>(value: T) => mapStrings(value, text) as T };
}

/** A secret in the forms in which text may carry it. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, "utf8");
  const hex = bytes.toString("hex");
  const encoded = encodeURIComponent(secret);
  return [
    secret,
    encoded,
    encoded.replaceAll("%20", "+"),
    encoded.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    JSON.stringify(secret).slice(1, -1),
    ...base64Forms(bytes),
    hex,
    hex.toUpperCase(),
  ].filter((form) => form.length >= charactersMin);
}

/** Base64 of longer text that holds the secret: one form for each of the three places in a group where it can begin. */
function base64Forms(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const whole = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replaceAll("=", "");
    const bitsBefore = offset * 8;
    const first = Math.ceil(bitsBefore / 6);
    const last = Math.floor((bitsBefore + bytes.length * 8) / 6);
    const stable = whole.slice(first, last);
    const url = (form: string) => form.replaceAll("+", "-").replaceAll("/", "_");
    return offset === 0 ? [whole, url(whole), stable, url(stable)] : [stable, url(stable)];
  });
}

function mapStrings(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, change));
  if (typeof value !== "object" || value === null || !isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [change(key), mapStrings(item, change)]));
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
