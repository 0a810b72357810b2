/**
 * Judges paths by their components: those that hold keys or settings of the person, and those that leave the workspace.
 * Looks at names only; links and what really stands there are the workspace's business.
 */
import { asks, type Finding, insists } from "./finding.ts";

/** Where a shell stands while it runs a line. */
export interface Place {
  /** Absolute root of the workspace, when it is known. */
  readonly root: string | undefined;
  /** Folders below the root, from `cd`. */
  readonly cwd: readonly string[];
}

const secretFolders: ReadonlySet<string> = new Set([".ssh", ".gnupg", ".aws", ".kube"]);
const secretFiles: ReadonlySet<string> = new Set([
  ".netrc",
  ".pgpass",
  ".git-credentials",
  ".pypirc",
  "id_rsa",
  "id_dsa",
  "id_ecdsa",
  "id_ed25519",
]);
const secretStems: ReadonlySet<string> = new Set(["credentials", "secrets"]);
const keyFile = /\.(pem|key|p12|pfx|jks|keystore)$/;
const sampleFile = /^\.env\.(example|sample|template|dist)$/;
const devices = /^\/dev\/(null|zero|random|urandom|stdin|stdout|stderr|tty|fd\/\d+)$/;

/** Names that a pattern is tried on. */
const samples = [
  ".env",
  ".env.local",
  ".env.production",
  ".ssh",
  ".gnupg",
  ".netrc",
  "credentials",
  "credentials.json",
  "secrets",
  "secrets.yaml",
  "id_rsa",
];

/** @returns the first component that names keys or credentials */
export function secretComponent(path: string): string | undefined {
  return path.split("/").find((component) => isSecret(component.toLowerCase()));
}

function isSecret(name: string): boolean {
  if (name === ".env" || name.startsWith(".env.")) return true;
  if (secretFolders.has(name) || secretFiles.has(name) || keyFile.test(name)) return true;
  return secretStems.has(name.replace(/^\./, "").split(".")[0] ?? "");
}

/** A file that shows which keys are needed and holds none. */
export function isSampleOnly(path: string): boolean {
  return sampleFile.test(path.split("/").at(-1)?.toLowerCase() ?? "");
}

/** Could this pattern stand for a file of keys? `*` alone is not held against a command. */
function globMeetsSecret(pattern: string): string | undefined {
  for (const component of pattern.toLowerCase().split("/")) {
    const head = /^[^*?[]*/.exec(component)?.[0] ?? "";
    if (head.startsWith(".env") && head !== component) return component;
    if (head === component || (head.length < 2 && !component.startsWith("."))) continue;
    const expression = globExpression(component);
    const hit = expression === undefined ? component : samples.find((name) => expression.test(name));
    if (hit !== undefined) return hit;
  }
  return undefined;
}

function globExpression(component: string): RegExp | undefined {
  const source = component
    .replaceAll(/[.+^${}()|\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".")
    .replaceAll("[!", "[^");
  try {
    return new RegExp(`^${source}$`);
  } catch {
    return undefined;
  }
}

/** Does this path, as a command would use it at `place`, lie outside the workspace? */
export function leavesWorkspace(path: string, place: Place): boolean {
  if (path.startsWith("~")) return true;
  if (devices.test(path)) return false;
  if (path.startsWith("/")) return !isInside(path, place.root);
  return steps(path, place.cwd) === undefined;
}

/** @returns the folders below the root after `path`, or undefined when it leaves on its way */
export function steps(path: string, from: readonly string[]): readonly string[] | undefined {
  const at = [...from];
  for (const component of path.split("/")) {
    if (component === "" || component === ".") continue;
    if (component !== "..") at.push(component);
    else if (at.pop() === undefined) return undefined;
  }
  return at;
}

/** @returns the path as rules name it: relative to the workspace, or, outside of it, absolute or from `~` */
export function placed(path: string, { root, cwd }: Place): string {
  if (path.startsWith("~")) return path;
  const base = root?.replace(/\/+$/, "");
  if (path.startsWith("/")) {
    const absolute = `/${resolved(path.split("/")).join("/")}`;
    return base !== undefined && (absolute === base || absolute.startsWith(`${base}/`))
      ? absolute.slice(base.length + 1) || "."
      : absolute;
  }
  const inside = steps(path, cwd);
  if (inside !== undefined) return inside.join("/") || ".";
  return base === undefined ? path : `/${resolved([...base.split("/"), ...cwd, ...path.split("/")]).join("/")}`;
}

function resolved(components: readonly string[]): readonly string[] {
  const at: string[] = [];
  for (const component of components) {
    if (component === "..") at.pop();
    else if (component !== "" && component !== ".") at.push(component);
  }
  return at;
}

function isInside(path: string, root: string | undefined): boolean {
  if (root === undefined) return false;
  const base = root.replace(/\/+$/, "");
  if (path !== base && !path.startsWith(`${base}/`)) return false;
  return steps(path.slice(base.length), []) !== undefined;
}

/** What is to be said of a path that a command names, or null. */
export function pathFinding(path: string, options: { readonly place: Place; readonly glob: boolean }): Finding | null {
  const secret = secretComponent(path) ?? (options.glob ? globMeetsSecret(path) : undefined);
  if (secret !== undefined) return insists(`touches "${path}", where keys or credentials are kept`, "high");
  if (leavesWorkspace(path, options.place))
    return {
      ...asks(`touches "${path}", which is outside the workspace`, "medium"),
      path: placed(path, options.place),
    };
  return null;
}

/** @returns what an argument names as a file: the word itself, the value of `--option=value` or of `-Cvalue`; none for URLs and plain options */
export function namedPath(argument: string): string | undefined {
  const value = /^-?-?[A-Za-z_][\w.-]*=(.+)$/s.exec(argument)?.[1] ?? argument;
  const path = /^-[A-Za-z]([/~].*|\.\.(\/.*)?)$/s.exec(value)?.[1] ?? value;
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(path) && !path.startsWith("file://")) return undefined;
  // Where a compiler looks for headers and libraries is read only.
  if (/^-[IL]/.test(argument) || (path.startsWith("-") && value === argument)) return undefined;
  return path.replace(/^file:\/\//, "");
}
