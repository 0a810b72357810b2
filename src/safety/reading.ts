/**
 * What is read off an action, whatever it came from: the commands it would run, the paths and hosts it names, and what a
 * person should see first. Rules are matched against this; a finding knows which command it belongs to.
 */
import { type Finding, insists } from "./finding.ts";
import { leavesWorkspace, type Place, placed } from "./paths.ts";
import type { Argument } from "./shell-words.ts";

/** A command as it would be handed to the system, wrappers taken off. */
export interface RunCommand {
  /** Without folder or version: `/usr/bin/python3.12` is `python`. */
  readonly name: string;
  /** The program as it was written, then its arguments. */
  readonly words: readonly Argument[];
  /** The line has changed variables before, so that it may not do what its words say. */
  readonly isSwayed: boolean;
}

export interface TouchedPath {
  /** As rules name it: relative to the workspace, or, outside of it, absolute. */
  readonly path: string;
  readonly glob: boolean;
  readonly dynamic: boolean;
  /** Does it reach what lies below: not at all, by reading, by taking it away? */
  readonly below: "no" | "reads" | "removes";
}

export interface Found extends Finding {
  /** Index of the command it belongs to. */
  readonly command?: number;
}

export interface Reading {
  readonly findings: readonly Found[];
  readonly commands: readonly RunCommand[];
  readonly paths: readonly TouchedPath[];
  /** Of these, what the words alone say will be changed: relative to the workspace, none outside of it. */
  readonly writes: readonly string[];
  /** In lower case; null for one that only the run will tell. */
  readonly hosts: readonly (string | null)[];
  /** Words of the commands looked at, guesses and alternatives included: what the time of a judgement is made of. */
  readonly effort: number;
}

/** Words of commands: a line of more is not judged further, it is asked about. Bounds the time that a judgement takes. */
export const effortMax = 20_000;

/** Thrown to leave off reading. */
export class TooMuch extends Error {}

export class Recorder {
  readonly #findings = new Map<string, Found>();
  readonly #commands: RunCommand[] = [];
  readonly #paths = new Map<string, TouchedPath>();
  readonly #writes = new Set<string>();
  readonly #hosts = new Set<string | null>();
  readonly #effort: { words: number };
  #current: number | undefined;

  constructor(effort: { words: number } = { words: 0 }) {
    this.#effort = effort;
  }

  get reading(): Reading {
    return {
      findings: [...this.#findings.values()],
      commands: this.#commands,
      paths: [...this.#paths.values()],
      writes: [...this.#writes],
      hosts: [...this.#hosts],
      effort: this.#effort.words,
    };
  }

  /** A record of its own for what is only guessed at; both together are bounded. */
  branch(): Recorder {
    return new Recorder(this.#effort);
  }

  found(finding: Finding): void {
    const found: Found = this.#current === undefined ? finding : { ...finding, command: this.#current };
    this.#findings.set(JSON.stringify(found), found);
  }

  /** Everything found while `judge` runs belongs to this command, but for what belongs to a command inside. */
  command(command: RunCommand, judge: () => void): void {
    this.#effort.words += command.words.length;
    if (this.#effort.words > effortMax) throw new TooMuch();
    this.#commands.push(command);
    const outer = this.#current;
    this.#current = this.#commands.length - 1;
    judge();
    this.#current = outer;
  }

  path(argument: Argument, options: { readonly place: Place; readonly below: TouchedPath["below"] }): void {
    const touched: TouchedPath = {
      path: placed(argument.text, options.place),
      glob: argument.glob,
      dynamic: argument.dynamic,
      below: options.below,
    };
    this.#paths.set(JSON.stringify(touched), touched);
  }

  /** What only the run will tell, and what lies outside the workspace, is left out. */
  write({ text, dynamic, glob }: Argument, place: Place): void {
    if (dynamic || glob || leavesWorkspace(text, place)) return;
    const path = placed(text, place);
    if (!path.startsWith("/")) this.#writes.add(path);
  }

  host(host: Argument): void {
    this.#hosts.add(host.dynamic ? null : plainHost(host.text));
  }

  /** Reading ended before the end. */
  gaveUp(reason: string): void {
    this.#current = undefined;
    this.found(insists(reason, "medium"));
  }
}

/** Lower case, without port, brackets and final dot: `Example.com.:8080` → `example.com`. */
export function plainHost(host: string): string {
  const bare = /^\[(.*)\](?::\d+)?$/.exec(host)?.[1] ?? host.replace(/:\d+$/, "");
  return bare.toLowerCase().replace(/\.$/, "");
}
