/** Runs a check: a command that must exit 0, if the policy allows it, as a step of the journal. A test run of no tests fails. */
import type { SandboxLayer } from "../domain/event.ts";
import type { Check } from "../domain/plan.ts";
import type { TaskPolicy } from "../domain/policy-rules.ts";
import { CheckResult } from "../domain/verdict.ts";
import { messageOf } from "../lib/errors.ts";
import type { Execution } from "../ports/executor.ts";
import type { Journal } from "../ports/journal.ts";
import type { Manifests } from "../ports/manifests.ts";
import type { Judgement, Policy } from "../ports/policy.ts";
import type { Clock } from "../ports/runtime.ts";
import type { CommandRunner } from "../ports/tool.ts";
import { head, headAndTail, within } from "./excerpt.ts";
import { jsonOf } from "./records.ts";
import { changeEvents, commandAt, isStillWanted, underWatch, undoNote } from "./watching.ts";

export interface CheckPorts {
  readonly commands: Pick<CommandRunner, "run">;
  readonly policy: Policy;
  readonly clock: Pick<Clock, "now">;
  readonly manifests: Manifests;
}

export interface CheckPlace {
  readonly journal: Journal;
  readonly execution: Pick<Execution, "current" | "effect">;
  readonly step: string;
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

export async function runCheck(ports: CheckPorts, place: CheckPlace, check: Check): Promise<CheckResult> {
  const judgement = judgementOf(ports, place, check);
  const name = within(check.name, 300);
  const network = judgement.network === true;
  if (judgement.decision !== "allow") {
    return {
      name,
      passed: false,
      detail: within(`not run, the policy says ${judgement.decision}: ${judgement.reason}`, 2000),
    };
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
        const { passed, detail, exitCode, sandbox } = await outcomeOf(ports, place, { check, network }).catch(
          (error: unknown) => {
            if (isStillWanted(execution)) throw error;
            return notWanted;
          },
        );
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
          result: jsonOf({ name, passed, detail }),
          events: [
            { ...ended, ...exit, duration_ms: ports.clock.now() - began },
            ...changeEvents({ subtaskId, changeId: changeIdOf(marker) }, done),
          ],
          blobs: done.blobs,
        };
      },
    ),
  );
  place.signal.throwIfAborted();
  return CheckResult.parse(result);
}

/** It was stopped for good; what it changed is told all the same. */
const notWanted: Outcome = { passed: false, exitCode: null, detail: "stopped: this is not wanted any more" };

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
}

async function outcomeOf(
  { commands }: CheckPorts,
  place: CheckPlace,
  { check: { run }, network }: { readonly check: Check; readonly network: boolean },
): Promise<Outcome> {
  try {
    const { exitCode, output, timedOut, sandbox } = await commands.run(run, {
      network,
      cwd: place.root,
      timeoutMs: checkTimeoutMs,
      marker: place.marker,
      signal: place.signal,
    });
    const shown = headAndTail(output.trim(), detailCharsMax - 200);
    const ran = { exitCode, ...(sandbox === undefined ? {} : { sandbox }) };
    if (timedOut) return { ...ran, passed: false, detail: `did not end within ${checkTimeoutMs / 1000} s\n${shown}` };
    if (exitCode !== 0) return { ...ran, passed: false, detail: `exit code ${exitCode ?? "none (killed)"}\n${shown}` };
    if (ranNoTests(run, output)) return { ...ran, passed: false, detail: `exit code 0, but no test ran\n${shown}` };
    return { ...ran, passed: true, detail: shown.slice(-passedCharsMax) };
  } catch (error) {
    place.signal.throwIfAborted();
    return { passed: false, exitCode: null, detail: within(messageOf(error), detailCharsMax) };
  }
}

const testCommand = /\b(tests?|pytest|jest|vitest|mocha|unittest|rspec|phpunit|ava|tox)\b/;
const noTests =
  /\bno tests?\b|\bno test (files|suites?)\b|collected 0 items|\bran 0 tests\b|\brunning 0 tests\b|\b0 (tests|passing|examples)\b|^# tests 0$|^ℹ tests 0$|^1\.\.0$/im;
const someTests = /\b[1-9]\d* (passed|passing|tests?|examples?|items?|ok)\b|^(?:#|ℹ) tests [1-9]|^ok\s+\S+\s+[\d.(]/im;

/** A test command that found nothing to test proves nothing, though it exits 0. */
export function ranNoTests(command: string, output: string): boolean {
  return testCommand.test(command) && noTests.test(output) && !someTests.test(output);
}
