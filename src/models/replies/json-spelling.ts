/** How JSON is misspelt: words, quotes and escapes of other languages, and what each of them means. */
import type { Json } from "../../lib/json.ts";

export const words: Readonly<Record<string, Json>> = {
  true: true,
  false: false,
  null: null,
  True: true,
  False: false,
  None: null,
};
export const ownWords: ReadonlySet<string> = new Set(["true", "false", "null"]);

/** Opening quote → what closes it. */
export const quotes: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  "`": "`",
  "“": "”“",
  "”": "”“",
  "„": "”“",
  "‘": "’‘",
  "’": "’‘",
};
export const marks = ["<escape>", '<|"|>'];
/** Up to what needs a look: a quote, an escape, a line end or another control character. */
export const plainRuns: Readonly<Record<string, RegExp>> = Object.fromEntries(
  Object.entries(quotes).map(([open, close]) => [open, new RegExp(`[^${close}\\\\\\u0000-\\u001f]+`, "y")]),
);
export const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};
/** What a model forgot to escape in a regular expression or a path: the backslash belongs to the text. Not so for x, digits and signs. */
export const keptEscape = /^[ac-eg-mo-qsu-wyzA-Z.()[\]{}+?|^]$/;
