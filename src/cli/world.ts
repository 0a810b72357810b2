/** What the command line is given from outside: the engine, the server, the demo, and the terminal it speaks to. */
import type { Config } from "../config/schema.ts";
import type { AccessCare } from "../ports/access.ts";
import type { DatabaseCare } from "../ports/database-care.ts";
import type { Loom } from "../ports/loom.ts";
import type { SandboxStanding } from "../ports/sandbox.ts";

export interface Output {
  write(text: string): unknown;
}

export interface World {
  /**
   * An engine in this process.
   *
   * @param problems what was found wrong before, one sentence each, for /health
   * @param configFile the file that was read: commands of models may not see it
   * @throws LoomError storage_locked when another process holds the database
   */
  readonly open: (
    config: Config,
    problems?: readonly string[],
    configFile?: string | null,
  ) => Promise<Loom & AsyncDisposable>;
  /** The HTTP server with its engine. */
  readonly serve: (
    config: Config,
    problems?: readonly string[],
    configFile?: string | null,
  ) => Promise<{ readonly url: string } & AsyncDisposable>;
  /** What would hold the commands of models here: tried out. @throws LoomError config_invalid when one is required and there is none */
  readonly sandbox: (config: Config) => Promise<SandboxStanding>;
  /** The database without an engine: `loom db`. */
  readonly database: DatabaseCare;
  /** Keys and the audit log: `loom keys`, `loom audit`. */
  readonly access: AccessCare;
  /** @returns the exit code */
  readonly demo: (world: World) => Promise<number>;
  /** Can this value be taken out of text by value? @see DECISIONS 40 */
  readonly isRedactable: (secret: string) => boolean;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: NodeJS.ReadableStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly home: string;
  readonly version: string;
  /** Standard input and output are a terminal: progress is live, and approvals can be asked for. */
  readonly isTerminal: boolean;
  /** Fires at the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
}

export function say(output: Output, ...lines: readonly string[]): void {
  output.write(lines.map((line) => `${line}\n`).join(""));
}
