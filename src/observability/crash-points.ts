/**
 * Crash points: named places where this process kills itself, so that what follows a crash there can be seen. Nothing is
 * wrapped, and nothing costs anything, unless `LOOM_CRASH_AT` names one: `append.before:7` is the seventh time there.
 */
import { LoomError } from "../lib/errors.ts";
import type { Tool, Tools } from "../ports/tool.ts";
import type { Workspaces } from "../ports/workspace.ts";

/** Called at each named place; does not return from the one that was named. */
export type CrashPoint = (name: string) => void;

/**
 * @param setting value of `LOOM_CRASH_AT`
 * @returns null without one
 * @throws LoomError config_invalid
 */
export function crashPointOf(setting: string | undefined, kill: () => void = killSelf): CrashPoint | null {
  if (setting === undefined || setting === "") return null;
  const [, wanted, times] = /^([a-z_.]{1,60}):(\d{1,9})$/.exec(setting) ?? [];
  if (wanted === undefined || times === undefined || Number(times) === 0) {
    const hint = "Write <point>:<n>, such as append.before:7; without it nothing crashes";
    throw new LoomError("config_invalid", `LOOM_CRASH_AT is "${setting}", which names no crash point`, { hint });
  }
  let left = Number(times);
  return (name) => {
    if (name !== wanted) return;
    left -= 1;
    if (left === 0) kill();
  };
}

function killSelf(): void {
  process.kill(process.pid, "SIGKILL");
}

/** @returns the same object, or, where there is a crash point to watch for, one with a place before and after each method that `names` names */
export function crashing<T extends object>(
  target: T,
  names: Partial<Readonly<Record<keyof T, string>>>,
  at: CrashPoint | null,
): T {
  if (at === null) return target;
  return new Proxy(target, {
    get: (object, key) => {
      const member: unknown = Reflect.get(object, key, object);
      if (typeof member !== "function") return member;
      const name = names[key as keyof T];
      // Bound, since private members are the object's own and not its proxy's.
      const call = member.bind(object) as (...args: unknown[]) => unknown;
      return name === undefined ? call : (...args: unknown[]) => around(name, at, () => call(...args));
    },
  });
}

/** A change is crashed around where it is made, whatever workspace it is made in. */
export function crashingWorkspaces(workspaces: Workspaces, at: CrashPoint | null): Workspaces {
  if (at === null) return workspaces;
  return {
    open: async (root) => crashing(await workspaces.open(root), { apply: "change" }, at),
    createScratch: (name) => around("scratch", at, () => workspaces.createScratch(name)),
    createCopy: (files) => around("copy", at, () => workspaces.createCopy(files)),
  };
}

export function crashingTools(tools: Tools, at: CrashPoint | null): Tools {
  if (at === null) return tools;
  const wrapped = new Map<Tool, Tool>();
  const wrap = (tool: Tool): Tool => {
    const known = wrapped.get(tool) ?? crashingTool(tool, at);
    wrapped.set(tool, known);
    return known;
  };
  return {
    all: () => tools.all().map(wrap),
    forTask: async (task) => (await tools.forTask(task)).map(wrap),
  };
}

function crashingTool(tool: Tool, at: CrashPoint): Tool {
  return {
    ...tool,
    prepare: async (args, context) => {
      const prepared = await tool.prepare(args, context);
      if (!prepared.ok) return prepared;
      const { value } = prepared;
      return {
        ok: true,
        value: { ...value, run: (signal, grant) => around("tool", at, () => value.run(signal, grant)) },
      };
    },
  };
}

async function around<T>(name: string, at: CrashPoint, run: () => T): Promise<Awaited<T>> {
  at(`${name}.before`);
  const result = await run();
  at(`${name}.after`);
  return result;
}
