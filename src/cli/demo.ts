/** `loom demo`: a small project with failing tests, handed to the real engine with a scripted model, shown live, checked at the end by its own tests. */
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadConfig } from "../config/load.ts";
import { type Config, initialValues, type ModelEntry, modelKeys } from "../config/schema.ts";
import { exits } from "./exit-codes.ts";
import { follow } from "./follow.ts";
import { localService } from "./local.ts";
import { liveScreen, plainScreen, type Screen, styleOf } from "./screen.ts";
import { paint, type Style } from "./style.ts";
import { finalLines } from "./views.ts";
import type { TaskShown, WireEvent } from "./wire.ts";
import { say, type World } from "./world.ts";

const samples = fileURLToPath(new URL("../../samples/", import.meta.url));
const goal = "Make the tests of this invoice project pass, and note in CHANGES.md what was done.";

/** @returns 0 only if the sample's tests pass at the end */
export async function demo(world: World): Promise<number> {
  const home = mkdtempSync(join(tmpdir(), "loom-demo-"));
  try {
    return await play(world, home);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

async function play(world: World, home: string): Promise<number> {
  const style = styleOf(world);
  const workspace = join(home, "invoice");
  cpSync(join(samples, "invoice"), workspace, { recursive: true });
  say(world.stdout, ...opening(style, workspace, await runTests(workspace, world.env["PATH"])));
  const heard: WireEvent[] = [];
  await using loom = await world.open(configFor(home));
  const service = localService(loom);
  const taskId = await service.submit({ goal, workspace, context: {}, approvePlan: false, approvers: "none" });
  using screen = listening(world, heard);
  const { task } = await follow({
    service,
    taskId,
    screen,
    asking: null,
    style,
    leaveWhenAwaiting: false,
    onInterrupt: "cancel",
    signal: world.signal,
  });
  screen[Symbol.dispose]();
  const diff = await loom.diff(taskId);
  const tests = await runTests(workspace, world.env["PATH"]);
  say(world.stdout, ...closing(style, { task, heard, diff, tests }));
  return task.status === "completed" && tests.passed ? exits.done : exits.failed;
}

function listening(world: World, heard: WireEvent[]): Screen {
  const screen = world.isTerminal ? liveScreen(world, Date.now) : plainScreen(world);
  return {
    ...screen,
    event: (event) => {
      heard.push(event);
      screen.event(event);
    },
    [Symbol.dispose]: () => screen[Symbol.dispose](),
  };
}

/** Two scripted models, so that who checks is not who made: no server, no key, no network. */
function configFor(home: string): Config {
  const { config } = loadConfig({ env: {}, cwd: home, home });
  const model = (name: string, roles: ModelEntry["roles"], tier: number): ModelEntry => ({
    // The defaults fill every key but those that are given here.
    ...(initialValues(modelKeys) as unknown as ModelEntry),
    provider: "scripted",
    model: name,
    script: join(samples, "invoice-script.json"),
    roles,
    tier,
  });
  return {
    ...config,
    logging: { level: "error" },
    models: {
      "scripted-hands": model("scripted-hands", ["executor", "extractor"], 1),
      "scripted-head": model("scripted-head", ["planner", "verifier"], 2),
    },
  };
}

interface TestRun {
  readonly passed: boolean;
  /** The runner's own counts. */
  readonly counts: string;
}

/** The sample's own tests, in a process of their own. */
async function runTests(workspace: string, path: string | undefined): Promise<TestRun> {
  const child = spawn(process.execPath, ["--test"], {
    cwd: workspace,
    stdio: ["ignore", "pipe", "ignore"],
    env: { PATH: path },
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString("utf8");
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  const count = (name: string): string => new RegExp(`^. ${name} (\\d+)$`, "m").exec(output)?.[1] ?? "?";
  return { passed: code === 0, counts: `${count("pass")} pass, ${count("fail")} fail` };
}

function opening(style: Style, workspace: string, tests: TestRun): string[] {
  return [
    paint(style, "bold", "Loom's demo: the real engine, tools and checks, on a copy of a small project."),
    "The model is SCRIPTED: its words were written beforehand. Everything else is real: files are edited, commands run,",
    "results are verified, and one of them is found wanting and done again.",
    "",
    `goal       ${goal}`,
    `workspace  ${workspace}`,
    `its tests  ${paint(style, tests.passed ? "green" : "red", tests.counts)}`,
    "",
  ];
}

interface Ending {
  readonly task: TaskShown;
  readonly heard: readonly WireEvent[];
  readonly diff: string;
  readonly tests: TestRun;
}

function closing(style: Style, { task, heard, diff, tests }: Ending): string[] {
  return [
    "",
    paint(style, "bold", "What changed"),
    ...diff
      .trimEnd()
      .split("\n")
      .map((line) => colored(style, line)),
    "",
    paint(style, "bold", "Verdicts"),
    ...heard.flatMap((event) => verdict(style, event)),
    "",
    ...finalLines(task, style),
    `its tests  ${paint(style, tests.passed ? "green" : "red", tests.counts)}`,
    "",
    paint(style, "bold", "Next, with a model of yours"),
    "  npm run -s loom -- doctor                     what is there: models, keys, tools",
    "  npm run -s loom -- serve                      the server, at http://127.0.0.1:9000/docs",
    '  npm run -s loom -- run "…" --workspace DIR    a goal of yours',
  ];
}

function colored(style: Style, line: string): string {
  if (line.startsWith("+") && !line.startsWith("+++")) return paint(style, "green", line);
  if (line.startsWith("-") && !line.startsWith("---")) return paint(style, "red", line);
  return line.startsWith("@@") ? paint(style, "dim", line) : line;
}

function verdict(style: Style, { event_type: type, subtask_id: id, data }: WireEvent): string[] {
  if (type !== "verification_passed" && type !== "verification_failed") return [];
  const passed = type === "verification_passed";
  const checks = Array.isArray(data["checks"]) ? data["checks"].length : 0;
  const confidence = typeof data["confidence"] === "number" ? `, confidence ${data["confidence"].toFixed(2)}` : "";
  const word = paint(style, passed ? "green" : "red", passed ? "pass" : "fail");
  return [
    `  ${word}  ${id ?? ""}, attempt ${String(data["attempt"])}: tier ${String(data["tier"])}, ${checks} checks${confidence}`,
  ];
}
