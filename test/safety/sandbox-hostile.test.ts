/** A script that means harm, under each of the three ways in which Loom runs commands: what is held, and what is not. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { endMarked } from "../../src/tools/processes.ts";
import { hasBubblewrap, isRoot, limits, openDoor, openVictim, SandboxPlace } from "./sandbox-place.ts";

/** Each act tells what it got; what it did is looked for outside as well. */
const script = (at: { readonly place: string; readonly port: number; readonly victim: number }): string => `
exec 2>/dev/null
cat ${at.place}/home/.ssh/id_ed25519
cat /etc/shadow | grep -q root: && echo SHADOW
cat ${at.place}/loom/loom.db ${at.place}/loom/loom.toml
tr '\\0' '\\n' </proc/${at.victim}/environ | grep SECRET
echo harm >>${at.place}/home/.bashrc
echo harm >>${at.place}/loom/loom.db
echo harm >${at.place}/outside
(exec 3<>/dev/tcp/127.0.0.1/${at.port} && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3 | tail -1 | sed s/hello/REACHED/)
dd if=/dev/zero of=big bs=1M count=8 status=none
python3 -c 'bytearray(800 * 1024 * 1024); print("MEMORY")'
kill -9 ${at.victim}
setsid sleep 321 >/dev/null &
python3 -c '
import os, time
count = 0
try:
    for _ in range(60):
        if os.fork() == 0:
            time.sleep(100)
        count += 1
except OSError:
    pass
print("STARTED", count, flush=True)'
echo OVER
`;

/** Whether each act came off. */
interface Harm {
  readonly readsKey: boolean;
  readonly readsShadow: boolean;
  readonly readsDatabase: boolean;
  readonly readsConfiguration: boolean;
  readonly readsEnvironment: boolean;
  readonly writesHome: boolean;
  readonly writesDatabase: boolean;
  readonly writesOutside: boolean;
  readonly connects: boolean;
  readonly fillsDisk: boolean;
  readonly fillsMemory: boolean;
  readonly kills: boolean;
  readonly outlives: boolean;
  readonly forks: boolean;
}

const all: Harm = {
  readsKey: true,
  readsShadow: isRoot,
  readsDatabase: true,
  readsConfiguration: true,
  readsEnvironment: true,
  writesHome: true,
  writesDatabase: true,
  writesOutside: true,
  connects: true,
  fillsDisk: true,
  fillsMemory: true,
  kills: true,
  outlives: true,
  forks: true,
};
const none = Object.fromEntries(Object.keys(all).map((act) => [act, false])) as unknown as Harm;

async function harmUnder(mode: "require" | "auto" | "off"): Promise<Harm & { readonly holds: readonly string[] }> {
  using place = new SandboxPlace();
  await using door = await openDoor();
  using victim = await openVictim();
  // Without PATH's folders there is no bubblewrap to be found.
  await using sandbox = await place.open({ mode, ...(mode === "auto" ? { inherited: { PATH: "/nowhere" } } : {}) });
  const line = script({ place: place.path, port: door.port, victim: victim.pid });
  const { stdout } = await place.run(sandbox, line);
  const outlives = processesNamed("sleep\x00321") > 0;
  await endMarked(`sandbox:${process.pid}:${place.path}`);
  const said = (word: string) => stdout.includes(word);
  expect(stdout).toMatch(/STARTED \d+\nOVER\n$/);
  return {
    holds: sandbox.standing.holds,
    readsKey: said("PRIVATE KEY"),
    readsShadow: said("SHADOW"),
    readsDatabase: said("DATABASE"),
    readsConfiguration: said("KEYS"),
    readsEnvironment: said("SECRET"),
    writesHome: readdirSync(place.at("home")).includes(".bashrc"),
    writesDatabase: place.text("loom/loom.db").includes("harm"),
    writesOutside: readdirSync(place.path).includes("outside"),
    connects: said("REACHED") || door.visits() > 0,
    fillsDisk: statSync(`${place.root}/big`).size > limits.fileBytes,
    fillsMemory: said("MEMORY"),
    kills: !victim.isAlive(),
    outlives,
    forks: Number(/STARTED (\d+)/.exec(stdout)?.[1]) >= 60,
  };
}

function processesNamed(name: string): number {
  return readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && commandOf(pid).startsWith(name)).length;
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

describe("a hostile script", () => {
  test.skipIf(!hasBubblewrap)("fails at each of its acts in the sandbox", async () => {
    const { holds, ...harm } = await harmUnder("require");
    const countsProcesses = holds.includes(`more than ${limits.processes} processes`);
    expect(harm).toEqual({ ...none, forks: !countsProcesses });
    // Only root where no control group can be made is not counted.
    expect(countsProcesses || isRoot).toBe(true);
  });

  test("without a sandbox is held to the size of a file and to memory, and to nothing else", async () => {
    const { holds, ...harm } = await harmUnder("auto");
    expect(harm).toEqual({ ...all, fillsDisk: false, fillsMemory: false });
    expect(holds).toEqual(["a file over 4 MiB", "more than 512 MiB of memory"]);
  });

  test("with the sandbox turned off is held to nothing", async () => {
    const { holds, ...harm } = await harmUnder("off");
    expect(harm).toEqual(all);
    expect(holds).toEqual([]);
  });
});
