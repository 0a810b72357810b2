/**
 * A folder held open while something is done in it. It is reached from the root name by name, following no link, and
 * its entries are addressed through its descriptor: whoever swaps a folder for a link meanwhile leads nobody astray.
 */
import { closeSync, constants, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, isMissing } from "./failures.ts";

const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** Only Linux names an open folder's entries this way; elsewhere the check is as good as its path. */
const addressesByDescriptor = process.platform === "linux";

export class OpenFolder implements Disposable {
  readonly #descriptor: number;
  readonly #path: string;

  private constructor(descriptor: number, path: string) {
    this.#descriptor = descriptor;
    this.#path = path;
  }

  /**
   * @param relative as confinement returns it: no link, no `..`, `.` for the root
   * @throws the file system's error: ENOENT, ENOTDIR or ELOOP where a part of it is not a folder
   */
  static open(root: string, relative: string, onMissing: "fail" | "make" = "fail"): OpenFolder {
    let folder = new OpenFolder(openSync(root, folderFlags), root);
    for (const name of relative.split("/")) {
      if (name === "." || name === "") continue;
      using outer = folder;
      folder = outer.#enter(name, onMissing);
    }
    return folder;
  }

  /** @returns a path to the entry `name` of this very folder */
  at(name: string): string {
    return addressesByDescriptor ? `/proc/self/fd/${this.#descriptor}/${name}` : join(this.#path, name);
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }

  /** @throws as `open` does */
  enter(name: string): OpenFolder {
    return this.#enter(name, "fail");
  }

  #enter(name: string, onMissing: "fail" | "make"): OpenFolder {
    const path = join(this.#path, name);
    try {
      return new OpenFolder(openSync(this.at(name), folderFlags), path);
    } catch (error) {
      if (onMissing === "fail" || !isMissing(error)) throw error;
    }
    try {
      mkdirSync(this.at(name));
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
    }
    return new OpenFolder(openSync(this.at(name), folderFlags), path);
  }
}
