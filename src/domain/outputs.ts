/** Outputs: which subtasks name an output that another one names too, however the paths are written. Pure. */
import type { Brief } from "./task.ts";

/** What stands for "all that lies below": a name with a wildcard may be any. */
const wildcard = /[*?]/;

/** The paths that subtasks at work are expected to put out. Asking and adding cost by the length of a path, not by how many there are. */
export class Outputs {
  readonly #root: string;
  readonly #paths = new Set<string>();
  /** Folders in which one of them lies. */
  readonly #above = new Set<string>();

  constructor({ workspace }: Pick<Brief, "workspace">) {
    this.#root = stepsOf(workspace).join("/");
  }

  add(outputs: readonly string[]): void {
    for (const output of outputs) {
      const { above, path } = this.#placeOf(output);
      for (const folder of above) this.#above.add(folder);
      this.#paths.add(path);
    }
  }

  /** Is one of these the same path as one that was added, or does one lie in the other? */
  overlaps(outputs: readonly string[]): boolean {
    return outputs.some((output) => {
      const { above, path } = this.#placeOf(output);
      return this.#paths.has(path) || this.#above.has(path) || above.some((folder) => this.#paths.has(folder));
    });
  }

  /** `d/../a//b` → "a/b", which lies in the workspace, "", and in "a". */
  #placeOf(output: string): { readonly above: readonly string[]; readonly path: string } {
    const above: string[] = [];
    let path = "";
    for (const step of this.#steps(output)) {
      above.push(path);
      path = path === "" ? step : `${path}/${step}`;
    }
    return { above, path };
  }

  #steps(output: string): string[] {
    const steps = stepsOf(output);
    const whole = steps.join("/");
    const isInside = output.startsWith("/") && `${whole}/`.startsWith(`${this.#root}/`);
    return isInside ? stepsOf(whole.slice(this.#root.length)) : steps;
  }
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
