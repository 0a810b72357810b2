/** A home and a /tmp for the commands of each task: what one command leaves there, the next one finds; other tasks do not. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { TaskFolders } from "./bubblewrap.ts";
import { textOf } from "./looking.ts";

/** A task that has run no command for so long gets fresh ones. */
const idleMs = 3_600_000;

interface Use {
  running: number;
  lastMs: number;
}

export class PrivateFolders implements AsyncDisposable {
  readonly #folder: string;
  /** What git shall know of the person. */
  readonly #author: string;
  readonly #now: () => number;
  readonly #uses = new Map<string, Use>();

  /**
   * @param folder Loom's own; what an earlier Loom has left in it goes
   * @param home where the person's settings of git are looked for
   */
  constructor({ folder, home, now }: { readonly folder: string; readonly home: string; readonly now: () => number }) {
    this.#folder = folder;
    this.#author = authorIn(home);
    this.#now = now;
    rmSync(folder, { recursive: true, force: true });
  }

  take(taskId: string): TaskFolders & Disposable {
    const name = taskId.replaceAll(/[^\w-]/g, "_");
    const place = join(this.#folder, name);
    const use = this.#uses.get(name) ?? { running: 0, lastMs: 0 };
    const folders = { home: join(place, "home"), tmp: join(place, "tmp") };
    if (!this.#uses.has(name)) {
      this.#forgetIdle();
      for (const path of Object.values(folders)) mkdirSync(path, { recursive: true, mode: 0o700 });
      if (this.#author !== "") writeFileSync(join(folders.home, ".gitconfig"), this.#author);
      this.#uses.set(name, use);
    }
    use.running += 1;
    return {
      ...folders,
      [Symbol.dispose]: () => {
        use.running -= 1;
        use.lastMs = this.#now();
      },
    };
  }

  #forgetIdle(): void {
    for (const [name, { running, lastMs }] of this.#uses) {
      if (running > 0 || this.#now() - lastMs < idleMs) continue;
      this.#uses.delete(name);
      void this.#remove(join(this.#folder, name));
    }
  }

  async #remove(path: string): Promise<void> {
    // A command may have closed a folder against its own user; that one waits for the next start.
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#remove(this.#folder);
  }
}

/** Name and address for commits, and nothing else of the settings: tokens may stand beside them. */
function authorIn(home: string): string {
  const files = [join(home, ".config", "git", "config"), join(home, ".gitconfig")];
  const user = files.flatMap((file) => /^\s*\[user\]([^[]*)/m.exec(textOf(file))?.[1]?.split("\n") ?? []);
  const lines = user.map((line) => line.trim()).filter((line) => /^(name|email)\s*=/.test(line));
  return lines.length === 0 ? "" : `[user]\n${lines.join("\n")}\n`;
}
