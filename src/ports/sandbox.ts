/** Sandbox: what holds the commands that a model wrote. Tools hand it a command and run what they get back. */
import type { SandboxLayer } from "../domain/event.ts";

/** A command as it is meant, before anything holds it. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** Nothing but this: no key of the server is in it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Absolute root of the workspace: where it runs, and all that it may write besides its own home and /tmp. */
  readonly root: string;
  /** Commands of one task share a home and a /tmp. */
  readonly taskId: string;
  /** The policy, or a person, let it reach the network. */
  readonly network: boolean;
}

/** A command to be run as it stands here. Disposed when it has ended. */
export interface Confined extends Disposable {
  readonly layer: SandboxLayer;
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** What it reads from descriptors 3, 4, …, each to its end. */
  readonly inputs: readonly Uint8Array[];
  /** All that it starts dies with its first process, whatever it does to get away. */
  readonly diesWhole: boolean;
}

/** What stands between a command and this machine: tried out when Loom started, never assumed. */
export interface SandboxStanding {
  readonly layer: SandboxLayer;
  /** What a command cannot do, each a few words. */
  readonly holds: readonly string[];
  /** What it can do all the same. */
  readonly leaves: readonly string[];
  /** Why there is no sandbox although one is wanted, and what to do; null when there is one, or none is wanted. */
  readonly lack: string | null;
}

export interface Sandbox extends AsyncDisposable {
  readonly standing: SandboxStanding;
  /**
   * Makes a command ready; starts nothing.
   *
   * @throws the system's error when its private folders cannot be made
   */
  confine(command: Command): Confined;
}
