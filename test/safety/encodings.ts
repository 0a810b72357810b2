/** The encodings in which tools, servers and shells print things: what a planted secret is dressed in. */

export interface Encoding {
  readonly name: string;
  readonly encode: (secret: string) => string;
}

const bytes = (text: string): Buffer => Buffer.from(text, "utf8");
const hex = (text: string): string => bytes(text).toString("hex");
const lower = (text: string): string => text.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
const pairs = (text: string): string[] => hex(text).match(/../g) ?? [];
const wrapped = (text: string, width: number, end = "\n"): string =>
  (text.match(new RegExp(`.{1,${width}}`, "g")) ?? []).join(end);
const strict = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
const json = (text: string): string => JSON.stringify(text).slice(1, -1);
const unicode = (text: string): string =>
  text
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
const htmlNames: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const inBase64: readonly Encoding[] = ["", "x", "xy"].flatMap((before): Encoding[] => {
  const whole = (secret: string) => Buffer.concat([bytes(before), bytes(secret), bytes(before === "" ? "" : "z")]);
  return [
    { name: `in base64 behind ${before.length} bytes`, encode: (secret) => whole(secret).toString("base64") },
    { name: `in base64url behind ${before.length} bytes`, encode: (secret) => whole(secret).toString("base64url") },
    {
      name: `in base64 in a URL behind ${before.length} bytes`,
      encode: (secret) => encodeURIComponent(whole(secret).toString("base64")),
    },
    {
      name: `in base64 of lines behind ${before.length} bytes`,
      encode: (secret) => wrapped(whole(secret).toString("base64"), 11),
    },
  ];
});

export const encodings: readonly Encoding[] = [
  { name: "as it is", encode: (secret) => secret },
  { name: "in a URL", encode: encodeURIComponent },
  { name: "in a URL, strictly", encode: strict },
  { name: "in a URL, codes in lower case", encode: (secret) => lower(encodeURIComponent(secret)) },
  {
    name: "in a path of a URL",
    encode: (secret) => encodeURIComponent(secret).replaceAll("%2F", "/").replaceAll("%40", "@"),
  },
  { name: "in a form", encode: (secret) => new URLSearchParams({ a: secret }).toString().slice(2) },
  {
    name: "in a URL, every byte",
    encode: (secret) =>
      pairs(secret)
        .map((pair) => `%${pair}`)
        .join(""),
  },
  {
    name: "in a URL, every byte in upper case",
    encode: (secret) =>
      pairs(secret)
        .map((pair) => `%${pair.toUpperCase()}`)
        .join(""),
  },
  { name: "in JSON", encode: json },
  {
    name: "in JSON within JSON",
    encode: (secret) => json(json(secret)),
  },
  { name: "in JSON, slashes escaped", encode: (secret) => json(secret).replaceAll("/", "\\/") },
  { name: "in JSON, every character", encode: unicode },
  { name: "in HTML", encode: (secret) => secret.replaceAll(/[&<>"']/g, (char) => htmlNames[char] ?? char) },
  { name: "in hex", encode: hex },
  { name: "in upper-case hex", encode: (secret) => hex(secret).toUpperCase() },
  { name: "in hex with colons", encode: (secret) => pairs(secret).join(":") },
  { name: "in hex with spaces", encode: (secret) => pairs(secret).join(" ") },
  { name: "in hex of lines", encode: (secret) => wrapped(hex(secret), 8) },
  {
    name: "in hex for a shell",
    encode: (secret) =>
      pairs(secret)
        .map((pair) => `\\x${pair}`)
        .join(""),
  },
  ...inBase64,
];
