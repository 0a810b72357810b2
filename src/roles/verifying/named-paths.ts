/** Paths that a plan names: expected outputs that are paths, and files that acceptance criteria say shall be there. Pure. */

/** @returns whether an expected output is written as a path and not as a description; wildcards count as paths */
export function isPath(output: string): boolean {
  if (output.length > 300 || /[\s"'`<>|]|:\/\//.test(output)) return false;
  return /[./]/.test(output) ? /\w/.test(output) : wellKnown.test(output);
}

const wellKnown = /^(Makefile|Dockerfile|Procfile|Gemfile|LICENSE|README|CHANGELOG|NOTICE|AUTHORS)$/;

/** Files that are seldom anything else in a sentence; a name with another ending may as well be `app.get` or `1.2.3`. */
const endings =
  "py|pyi|js|mjs|cjs|jsx|ts|tsx|json|jsonc|md|txt|toml|ya?ml|ini|cfg|html?|css|scss|csv|tsv|xml|svg|sql|sh|go|rs|java|kt|c|h|cc|cpp|hpp|rb|php|swift|lua|r|ipynb|lock|log|pdf|png|jpe?g";
const fileName = new RegExp(
  `(?<![\\w./:@-])((?:\\.{0,2}/)?(?:[\\w.@-]+/)*[\\w.@-]*\\w\\.(?:${endings}))(?![\\w/:]|\\.\\w)`,
  "g",
);
const products = /^(node|vue|next|react|express|nuxt|three|d3|ember|backbone|deno|bun)\.js$/i;

/** What says that the file is there, and what makes it anything but certain that it shall be. */
const says =
  /\b(exists?|contains?|creates?d?|written|writes?|present|produces?d?|saved?|has|includes?|holds?|files?|adds?|added)\b/i;
const unsays =
  /\b(no|not|never|without|whether|if|when|unless|instead|missing|absent|gone|fail\w*|error\w*|remov\w*|delet\w*|renam\w*|mov(?:e|es|ed|ing)|drop\w*|replac\w*|import\w*|from|like|similar|example|e\.g)\b|n't\b/i;

/** @returns relative file paths that the criteria plainly say shall exist; of doubtful sentences none */
export function pathsInCriteria(criteria: string): string[] {
  const found = new Set<string>();
  for (const sentence of criteria.split(/\n|(?<=[.;!?])\s+/)) {
    if (!says.test(sentence) || unsays.test(sentence)) continue;
    for (const [, path] of sentence.matchAll(fileName)) {
      if (path !== undefined && !path.startsWith("/") && !products.test(path)) found.add(path.replace(/^\.\//, ""));
    }
  }
  return [...found];
}

/** @see DECISIONS 14 */
const exemptNames = ["__init__.py", ".gitkeep", ".keep", "py.typed"];

/** May the file be empty? */
export function mayBeEmpty(path: string): boolean {
  return exemptNames.some((name) => path.endsWith(name));
}

/** @returns a test for paths that a pattern with `*`, `**` and `?` means */
export function matcherOf(pattern: string): (path: string) => boolean {
  const source = pattern
    .replace(/^\.\//, "")
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("**/", "\u0000")
    .replaceAll("*", "[^/]*")
    .replaceAll("?", "[^/]")
    .replaceAll("\u0000", "(?:.*/)?");
  const expression = new RegExp(`^${source}$`);
  return (path) => expression.test(path);
}
