/**
 * The forms in which text may carry a secret, each as a row of units that may be written in more than one way: escaped for
 * URLs, JSON and HTML character by character, in base64 at each of its three alignments, in hex. Knows nothing of searching.
 */

/** Units one after the other, each in one of its spellings; between two of them may stand one piece of `glue`. */
export interface Form {
  readonly units: readonly (readonly string[])[];
  readonly glue: readonly string[];
}

/** Line ends, as they are and as JSON writes them: encoders break long lines. */
const lineEnds = ["\n", "\r\n", "\\n", "\\r\\n"];
const betweenBytes = [" ", ":", "-", "\\x", ", 0x", ...lineEnds];
/** Shorter than this, base64 is any word. */
const base64CharsMin = 8;

export function formsOf(secret: string): readonly Form[] {
  const bytes = Buffer.from(secret, "utf8");
  return [escaped(secret), hexOf(bytes), ...base64Of(bytes)];
}

/** Any of our own keys, which are known by their shape alone. */
export const ownKeyForm: Form = {
  units: [
    ..."loom_".split("").map((char) => [char]),
    ...Array.from({ length: 10 }, () => "0123456789abcdef".split("")),
    ["_"],
    ...Array.from({ length: 43 }, () => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".split("")),
  ],
  glue: [],
};

const jsonShort: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "/": "\\/",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\b": "\\b",
  "\f": "\\f",
};

const htmlNames: Readonly<Record<string, string>> = { "&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos" };

/** Each character in a spelling of its own, so that no two escapers need agree on what they leave as it is. */
function escaped(secret: string): Form {
  const units = Array.from(secret, (char) => [
    ...new Set([char, ...percentOf(char), ...jsonOf(char), ...htmlOf(char), ...(char === " " ? ["+"] : [])]),
  ]);
  return { units, glue: [] };
}

function percentOf(char: string): string[] {
  const codes = [...Buffer.from(char, "utf8")].map((byte) => byte.toString(16).padStart(2, "0"));
  const [code] = codes;
  if (codes.length === 1 && code !== undefined) return cases(code).map((spelt) => `%${spelt}`);
  const whole = codes.map((each) => `%${each}`).join("");
  return [whole, whole.toUpperCase()];
}

function jsonOf(char: string): string[] {
  const codes = char.split("").map((unit) => unit.charCodeAt(0).toString(16).padStart(4, "0"));
  const long = [codes.map((code) => `\\u${code}`).join(""), codes.map((code) => `\\u${code.toUpperCase()}`).join("")];
  const short = jsonShort[char];
  const once = short === undefined ? long : [...long, short];
  // JSON within JSON: a call's arguments in a message.
  return [...once, ...once.map((spelling) => JSON.stringify(spelling).slice(1, -1))];
}

function htmlOf(char: string): string[] {
  const code = char.codePointAt(0) ?? 0;
  if (/[A-Za-z0-9_-]/.test(char)) return [];
  const name = htmlNames[char];
  const hex = code.toString(16);
  const numbered = [`&#${code};`, `&#x${hex};`, `&#x${hex.toUpperCase()};`];
  return name === undefined ? numbered : [...numbered, `&${name};`];
}

function hexOf(bytes: Buffer): Form {
  const units = [...bytes].map((byte) => cases(byte.toString(16).padStart(2, "0")));
  return { units, glue: betweenBytes };
}

/** Base64 of longer text that holds the secret: one form for each of the three places in a group where it can begin. */
function base64Of(bytes: Buffer): Form[] {
  return [0, 1, 2].flatMap((offset) => {
    const whole = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replaceAll("=", "");
    const first = Math.ceil((offset * 8) / 6);
    const last = Math.floor(((offset + bytes.length) * 8) / 6);
    // The characters at both ends hold bits of what stands around it, but for a secret that stands alone.
    const texts = offset === 0 ? [whole, whole.slice(first, last)] : [whole.slice(first, last)];
    return [...new Set(texts)].filter((text) => text.length >= base64CharsMin).map(base64Form);
  });
}

function base64Form(text: string): Form {
  const units = text.split("").map((char) => {
    if (char === "+") return ["+", "-", "%2B", "%2b"];
    return char === "/" ? ["/", "_", "%2F", "%2f", "\\/"] : [char];
  });
  return { units, glue: lineEnds };
}

/** @param code two hex digits in lower case @returns each way to write them */
function cases(code: string): string[] {
  const [first = "", second = ""] = code.split("");
  const spelt = [first, first.toUpperCase()].flatMap((a) => [second, second.toUpperCase()].map((b) => a + b));
  return [...new Set(spelt)];
}
