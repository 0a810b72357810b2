/**
 * Finds and ends processes: those of a group, those that still descend from it, and those that left both but carry the
 * marker of their step in their environment (setsid, nohup, double fork). Reads /proc; without one only groups are ended.
 */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

export const markerVariable = "LOOM_STEP";
/** What a process gets to end by itself. @see DECISIONS 39 */
const graceMs = 150;
/** A process that forks while it is looked for, or takes its time to die, is found by the next look. */
const looksMax = 30;
const betweenLooksMs = 10;
/** Field 22 of /proc/<pid>/stat, counted from the state, which is field 3. */
const startedField = 19;

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  /** In ticks since boot: with the id, it names a process once and for all. */
  readonly started: string;
}

/**
 * @param leader process id of the group's first process, which leads a session of its own
 * @param exited settles when the leader is gone
 * @param diesWhole the kernel ends with it all that descends from it: it gets no time, and is only seen to be gone
 */
export async function endProcesses({
  leader,
  marker,
  exited,
  diesWhole,
}: {
  leader: number;
  marker: string;
  exited: Promise<unknown>;
  diesWhole: boolean;
}): Promise<void> {
  const family = new Family(leader);
  // Held still while it is looked at: what forks between the look and the end would slip away.
  signalGroup(leader, "SIGSTOP");
  family.look();
  if (!diesWhole) {
    signalGroup(leader, "SIGTERM");
    signalGroup(leader, "SIGCONT");
    await Promise.race([exited, wait(graceMs)]);
  }
  const stayed = family.look();
  signalGroup(leader, "SIGKILL");
  for (const pid of stayed) signal(pid, "SIGKILL");
  await killUntilNone(() => {
    const kin = family.look();
    return [...kin, ...marked(pids(), (value) => value === marker).filter((pid) => !kin.includes(pid))];
  });
}

/** Leaders of the groups that this process has started and that have not ended. */
const leaders = new Set<number>();
/** How the markers begin that may be in the background of this machine: of each task whose commands ran as they are. */
const prefixes = new Set<string>();

/** @param started the leader is undefined when the program could not be started; `diesWhole` as for `endProcesses` */
export function startedHere(started: {
  readonly leader: number | undefined;
  readonly marker: string;
  readonly diesWhole: boolean;
}): Disposable {
  const { leader, marker, diesWhole } = started;
  if (leader !== undefined) leaders.add(leader);
  if (!diesWhole) prefixes.add(`${marker.split(":")[0]}:`);
  return { [Symbol.dispose]: () => void (leader !== undefined && leaders.delete(leader)) };
}

/** For a process that ends in haste: kills what it has started, without waiting and without asking. */
export function killStarted(): void {
  if (leaders.size + prefixes.size === 0) return;
  for (const leader of leaders) signalGroup(leader, "SIGSTOP");
  const members = [...leaders].flatMap((leader) => new Family(leader).look());
  for (const leader of leaders) signalGroup(leader, "SIGKILL");
  const left = marked(pids(), (value) => [...prefixes].some((prefix) => value.startsWith(prefix)));
  for (const pid of [...members, ...left]) signal(pid, "SIGKILL");
}

/** What descends from a leader or stands in its session: remembered, because parents end and sessions are left. */
class Family {
  readonly #leader: number;
  readonly #members = new Map<number, string>();

  constructor(leader: number) {
    this.#leader = leader;
  }

  /** @returns the members that are alive, the leader left out; children that have come since are members from now on */
  look(): number[] {
    const all = processes();
    for (let known = -1; known !== this.#members.size; ) {
      known = this.#members.size;
      for (const found of all) if (this.#belongs(found)) this.#members.set(found.pid, found.started);
    }
    return all.filter(({ pid, started }) => this.#members.get(pid) === started).map(({ pid }) => pid);
  }

  #belongs({ pid, parent, session }: Process): boolean {
    if (pid === this.#leader || this.#members.has(pid)) return false;
    return session === this.#leader || parent === this.#leader || this.#members.has(parent);
  }
}

/** @returns how many processes carried a marker that begins with `prefix`; none of them is alive any more */
export async function endMarked(prefix: string): Promise<number> {
  if (prefix === "") throw new Error("Without a prefix every marked process of this machine would be ended");
  prefixes.delete(prefix);
  return await killUntilNone(() =>
    marked(
      processes().map(({ pid }) => pid),
      (value) => value.startsWith(prefix),
    ),
  );
}

async function killUntilNone(find: () => readonly number[]): Promise<number> {
  const killed = new Set<number>();
  for (let look = 0; look < looksMax; look += 1) {
    const found = find();
    if (found.length === 0) break;
    for (const pid of found) {
      killed.add(pid);
      signal(pid, "SIGKILL");
    }
    await wait(betweenLooksMs);
  }
  return killed.size;
}

function processes(): Process[] {
  return pids().flatMap((pid) => {
    // "pid (name) state parent group session …"; the name may hold anything, brackets and spaces included.
    const stat = readOrEmpty(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, parent, , session] = fields;
    const started = fields[startedField];
    if (state === undefined || started === undefined || "ZX".includes(state)) return [];
    return [{ pid, parent: Number(parent), session: Number(session), started }];
  });
}

function pids(): number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

/** Never ourselves: a Loom that runs in a step of another Loom carries that one's marker. */
function marked(candidates: readonly number[], matches: (value: string) => boolean): number[] {
  return candidates.filter((pid) => {
    if (pid === process.pid || pid === process.ppid) return false;
    const start = `${markerVariable}=`;
    const entry = readOrEmpty(`/proc/${pid}/environ`)
      .split("\0")
      .find((candidate) => candidate.startsWith(start));
    return entry !== undefined && matches(entry.slice(start.length));
  });
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

function signalGroup(leader: number, name: NodeJS.Signals): void {
  signal(-leader, name);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone by itself, or not ours to signal.
  }
}
