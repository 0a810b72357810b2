/** Runs a check: a command that must exit 0, if the policy allows it, as a step of the journal. A test run of no tests fails. */
import type { SandboxLayer } from "../../domain/event.ts";
import type { Check } from "../../domain/plan.ts";
import type { TaskPolicy } from "../../domain/policy-rules.ts";
import { CheckResult, type CommandRun } from "../../domain/verdict.ts";
import { messageOf } from "../../lib/errors.ts";
import type { Blob } from "../../ports/event-store.ts";
import type { Execution } from "../../ports/executor.ts";
import type { Journal } from "../../ports/journal.ts";
import type { Manifests } from "../../ports/manifests.ts";
import type { Judgement, Policy } from "../../ports/policy.ts";
import type { Clock } from "../../ports/runtime.ts";
import type { CommandRunner } from "../../ports/tool.ts";
import { head, headAndTail, within } from "../excerpt.ts";
import { jsonOf } from "../records.ts";
import { changeEvents, commandAt, isStillWanted, underWatch, undoNote } from "../working/watching.ts";
import { testCommandIn } from "./test-commands.ts";
import { testCountsIn } from "./test-summary.ts";

export interface CheckPorts {
  readonly commands: Pick<CommandRunner, "run">;
  readonly policy: Policy;
  readonly clock: Pick<Clock, "now">;
  readonly manifests: Manifests;
  readonly digest: (text: string) => string;
}

export interface CheckPlace {
  readonly journal: Journal;
  readonly execution: Pick<Execution, "current" | "effect">;
  readonly step: string;
  readonly askedBy: CommandRun["asked_by"];
  readonly subtaskId: string;
  readonly attempt: number;
  /** Absolute root of the workspace. */
  readonly root: string;
  /** Rules of the task. */
  readonly policy: TaskPolicy | undefined;
  readonly marker: string;
  readonly signal: AbortSignal;
}

const checkTimeoutMs = 600_000;
const detailCharsMax = 1900;
/** Of a check that passed, the last lines are enough. */
const passedCharsMax = 300;

/** What became of a check; `isHeld` where the policy did not let it run. */
export type Checked = CheckResult & { readonly isHeld?: true };

export async function runCheck(ports: CheckPorts, place: CheckPlace, check: Check): Promise<Checked> {
  const judgement = judgementOf(ports, place, check);
  const name = within(check.name, 300);
  const network = judgement.network === true;
  if (judgement.decision !== "allow") {
    const detail = within(`not run, the policy says ${judgement.decision}: ${judgement.reason}`, 2000);
    return { name, passed: false, detail, isHeld: true };
  }
  const about = { subtask_id: place.subtaskId, tool: "check", step: place.step, attempt: place.attempt };
  const { execution, root, subtaskId, marker } = place;
  const result = await underWatch(ports.manifests, commandAt(execution, { root, subtaskId, marker }), (watch) =>
    place.journal.step(
      {
        step: place.step,
        effectClass: "external",
        event: {
          type: "tool_call_started",
          ...about,
          args: { name, run: within(check.run, 500) },
          effect_class: "external",
        },
        started: jsonOf({ run: check.run }),
        // A check only looks: whoever names one wants it run whenever the work is judged.
        interrupted: () => Promise.resolve({ kind: "again" }),
      },
      async () => {
        watch.begun();
        const began = ports.clock.now();
        const { passed, detail, exitCode, sandbox, output, ran } = await outcomeOf(ports, place, {
          check,
          network,
        }).catch((error: unknown) => {
          if (isStillWanted(execution)) throw error;
          return notWanted(ports, place, check);
        });
        // What a check leaves behind, caches above all, is undone with the rest.
        const done = await watch.ended();
        const ended = {
          type: "tool_call_completed" as const,
          ...about,
          success: passed,
          output: head(detail, 1000),
          files_changed: done.changes.slice(0, 100).map(({ path }) => path),
          destructive: false,
          ...undoNote(done.partial),
        };
        const exit = {
          ...(exitCode === null ? {} : { exit_code: exitCode }),
          ...(sandbox === undefined ? {} : { sandbox }),
        };
        return {
          result: jsonOf({ name, passed, detail, ran }),
          events: [
            { ...ended, ...exit, duration_ms: ports.clock.now() - began },
            ...changeEvents({ subtaskId, changeId: changeIdOf(marker) }, done),
          ],
          blobs: [...done.blobs, ...outputBlob(output, ran)],
        };
      },
    ),
  );
  place.signal.throwIfAborted();
  return CheckResult.parse(result);
}

function outputBlob(output: string, { output_digest: digest }: CommandRun): Blob[] {
  return output === "" ? [] : [{ digest, bytes: new TextEncoder().encode(output) }];
}

/** It was stopped for good; what it changed is told all the same. */
function notWanted({ digest }: CheckPorts, { askedBy }: CheckPlace, { run }: Check): Outcome {
  const ran = { command: within(run, 500), asked_by: askedBy, exit_code: null, output_digest: digest("") };
  return { passed: false, exitCode: null, detail: "stopped: this is not wanted any more", output: "", ran };
}

/** `task_1:verify:a:2:1:check-1` → `chg_verify_a_2_1_check-1` */
function changeIdOf(marker: string): string {
  return ["chg", ...marker.split(":").slice(1)].join("_");
}

function judgementOf({ policy }: CheckPorts, { root, policy: task }: CheckPlace, { run }: Check): Judgement {
  const nothing = { reads: [], writes: [], deletes: [], hosts: [] };
  return policy.judge({ ...nothing, tool: "shell_execute", command: run, arguments: { command: run }, root }, task);
}

interface Outcome {
  readonly passed: boolean;
  readonly detail: string;
  readonly exitCode: number | null;
  readonly sandbox?: SandboxLayer;
  readonly output: string;
  readonly ran: CommandRun;
}

async function outcomeOf(
  { commands, digest }: CheckPorts,
  place: CheckPlace,
  { check: { run }, network }: { readonly check: Check; readonly network: boolean },
): Promise<Outcome> {
  const told = (
    output: string,
    exitCode: number | null,
    tests = testCountsIn(output),
  ): Pick<Outcome, "output" | "ran" | "exitCode"> => ({
    output,
    exitCode,
    ran: {
      command: within(run, 500),
      asked_by: place.askedBy,
      exit_code: exitCode,
      output_digest: digest(output),
      ...(tests === null ? {} : { tests }),
    },
  });
  try {
    const { exitCode, output, timedOut, sandbox } = await commands.run(run, {
      network,
      cwd: place.root,
      timeoutMs: checkTimeoutMs,
      marker: place.marker,
      signal: place.signal,
    });
    const shown = headAndTail(output.trim(), detailCharsMax - 200);
    const ran = { ...told(output, exitCode), ...(sandbox === undefined ? {} : { sandbox }) };
    if (timedOut) return { ...ran, passed: false, detail: `did not end within ${checkTimeoutMs / 1000} s\n${shown}` };
    if (exitCode !== 0) return { ...ran, passed: false, detail: `exit code ${exitCode ?? "none (killed)"}\n${shown}` };
    const flaw = testFlaw(run, output);
    if (flaw !== null) return { ...ran, passed: false, detail: `exit code 0, but ${flaw}\n${shown}` };
    return { ...ran, passed: true, detail: shown.slice(-passedCharsMax) };
  } catch (error) {
    place.signal.throwIfAborted();
    return { ...told("", null), passed: false, detail: within(messageOf(error), detailCharsMax) };
  }
}

const aboutTests = /\b(tests?|pytest|jest|vitest|mocha|unittest|rspec|phpunit|ava|tox)\b/;

/**
 * A test command may exit 0 though it found nothing to test, or though something on the way hid its exit code.
 *
 * @returns what speaks against its success; null when nothing does, or it is no test command
 */
export function testFlaw(command: string, output: string): string | null {
  if (testCommandIn(command) === null && !aboutTests.test(command)) return null;
  const counts = testCountsIn(output);
  if (counts === null) return null;
  if (counts.run === 0)
    return counts.skipped > 0 ? `no test was executed: all ${counts.skipped} were skipped` : "no test was executed";
  return counts.failed > 0 ? `${counts.failed} of ${counts.run} tests failed by the runner's own words` : null;
}
