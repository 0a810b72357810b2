/** Outputs: which subtasks name an output that another one names too, however the paths are written. Pure. */

/** What stands for "all that lies below": a name with a wildcard may be any. */
const wildcard = /[*?]/;

/** @returns each path in the one form that `Outputs` compares, relative to the workspace: `d/../a//b` is "a/b", `.` is "" */
export function outputPaths(outputs: readonly string[], workspace: string): string[] {
  const root = stepsOf(workspace).join("/");
  return outputs.map((output) => {
    const path = stepsOf(output).join("/");
    const isInside = output.startsWith("/") && `${path}/`.startsWith(`${root}/`);
    return isInside ? path.slice(root.length + 1) : path;
  });
}

function stepsOf(path: string): string[] {
  const steps: string[] = [];
  for (const step of path.split("/")) {
    if (wildcard.test(step)) break;
    if (step === "..") steps.pop();
    else if (step !== "" && step !== ".") steps.push(step);
  }
  return steps;
}

/** The outputs of subtasks that have begun. Asking and adding cost by the length of a path, not by how many there are. */
export class Outputs {
  readonly #paths = new Set<string>();
  /** Folders in which one of them lies. */
  readonly #above = new Set<string>();

  add(paths: readonly string[]): void {
    for (const path of paths) {
      this.#paths.add(path);
      for (const folder of above(path)) this.#above.add(folder);
    }
  }

  /** Is one of these the same path as one that was added, or does one lie in the other? */
  overlaps(paths: readonly string[]): boolean {
    return paths.some(
      (path) => this.#paths.has(path) || this.#above.has(path) || above(path).some((folder) => this.#paths.has(folder)),
    );
  }
}

/** The workspace, and each folder on the way. */
function above(path: string): string[] {
  const folders = path === "" ? [] : [""];
  for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1)) folders.push(path.slice(0, at));
  return folders;
}
