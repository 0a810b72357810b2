/**
 * A folder held open while something is done in it. It is reached from the root name by name, following no link, and
 * its entries are addressed through its descriptor: whoever swaps a folder for a link meanwhile leads nobody astray.
 */
import { constants } from "node:fs";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf, isMissing } from "./failures.ts";

const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** Only Linux names an open folder's entries this way; elsewhere the check is as good as its path. */
const addressesByDescriptor = process.platform === "linux";

export class OpenFolder implements AsyncDisposable {
  readonly #handle: FileHandle;
  readonly #path: string;

  private constructor(handle: FileHandle, path: string) {
    this.#handle = handle;
    this.#path = path;
  }

  /**
   * @param relative as confinement returns it: no link, no `..`, `.` for the root
   * @throws the file system's error: ENOENT, ENOTDIR or ELOOP where a part of it is not a folder
   */
  static async open(root: string, relative: string, onMissing: "fail" | "make" = "fail"): Promise<OpenFolder> {
    let folder = new OpenFolder(await open(root, folderFlags), root);
    for (const name of relative.split("/")) {
      if (name === "." || name === "") continue;
      await using outer = folder;
      folder = await outer.#enter(name, onMissing);
    }
    return folder;
  }

  /** @returns a path to the entry `name` of this very folder */
  at(name: string): string {
    return addressesByDescriptor ? `/proc/self/fd/${this.#handle.fd}/${name}` : join(this.#path, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }

  async #enter(name: string, onMissing: "fail" | "make"): Promise<OpenFolder> {
    const path = join(this.#path, name);
    try {
      return new OpenFolder(await open(this.at(name), folderFlags), path);
    } catch (error) {
      if (onMissing === "fail" || !isMissing(error)) throw error;
    }
    await mkdir(this.at(name)).catch((error: unknown) => {
      if (errnoOf(error) !== "EEXIST") throw error;
    });
    return new OpenFolder(await open(this.at(name), folderFlags), path);
  }
}
