/** A folder that is gone when the test is over, and a look at all that is in it. */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Workspace } from "../../src/ports/workspace.ts";
import { openWorkspaces } from "../../src/workspace/workspaces.ts";

export class Temporary implements Disposable {
  readonly path: string;

  constructor() {
    this.path = realpathSync(mkdtempSync(join(tmpdir(), "loom-test-")));
  }

  /** Makes files, parents included; a name that ends in `/` makes a folder. */
  write(files: Readonly<Record<string, string | Uint8Array>>): void {
    for (const [name, content] of Object.entries(files)) {
      const path = join(this.path, name);
      mkdirSync(name.endsWith("/") ? path : dirname(path), { recursive: true });
      if (!name.endsWith("/")) writeFileSync(path, content);
    }
  }

  at(name: string): string {
    return join(this.path, name);
  }

  text(name: string): string {
    return readFileSync(this.at(name), "utf8");
  }

  [Symbol.dispose](): void {
    unlock(this.path);
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** A workspace `project` in a folder of its own, so that there is an outside that can be looked at. */
export async function openProject(
  temporary: Temporary,
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<Workspace> {
  temporary.write({ "project/": "" });
  temporary.write(Object.fromEntries(Object.entries(files).map(([name, content]) => [`project/${name}`, content])));
  return await openWorkspaces({ scratchDir: temporary.at("scratch") }).open(temporary.at("project"));
}

/** Everything below `path`, with kind, permission bits and content: equal snapshots are equal trees. */
export function snapshot(path: string): Record<string, string> {
  const seen: Record<string, string> = {};
  const visit = (folder: string) => {
    for (const name of readdirSync(folder).toSorted()) {
      const below = join(folder, name);
      const found = lstatSync(below);
      const mode = (found.mode & 0o7777).toString(8);
      const key = below.slice(path.length + 1);
      if (found.isSymbolicLink()) seen[key] = `link ${readlinkSync(below)}`;
      else if (found.isDirectory()) {
        seen[key] = `folder ${mode}`;
        visit(below);
      } else if (!found.isFile()) seen[key] = "special";
      else seen[key] = `file ${mode} ${readFileSync(below).toString("base64")}`;
    }
  };
  visit(path);
  return seen;
}

function unlock(path: string): void {
  if (!lstatSync(path).isDirectory()) return;
  chmodSync(path, 0o700);
  for (const name of readdirSync(path)) if (!lstatSync(join(path, name)).isSymbolicLink()) unlock(join(path, name));
}
