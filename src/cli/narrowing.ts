/** What `loom run` takes about persons and policy: who answers, for how long, and what this task may do less than others. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { TaskPolicy } from "../domain/policy-rules.ts";
import { messageOf } from "../lib/errors.ts";
import { UsageError } from "./exit-codes.ts";
import { given, type Order } from "./service.ts";

export interface NarrowingOptions {
  readonly approvers?: string;
  readonly unattended?: boolean;
  readonly approvalTimeout?: string;
  /** JSON, or the path of a file of it. */
  readonly policy?: string;
}

const timeoutSecondsMax = 31_536_000;
const exampleRules = '{"ask":[{"command":"git push"}],"deny":[{"path":"infra/**","reason":"frozen"}]}';

/** @throws UsageError */
export function narrowingOf(
  cwd: string,
  options: NarrowingOptions,
): Pick<Order, "approvers" | "approvalTimeoutSeconds" | "policy"> {
  return given({
    approvers: approversOf(options),
    approvalTimeoutSeconds: timeoutOf(options.approvalTimeout),
    policy: options.policy === undefined ? undefined : policyOf(cwd, options.policy),
  });
}

function approversOf({ approvers, unattended = false }: NarrowingOptions): "wait" | "none" | undefined {
  if (approvers !== undefined && approvers !== "wait" && approvers !== "none")
    throw new UsageError(`--approvers "${approvers}" is not known`, "Use wait (somebody will answer) or none");
  if (unattended && approvers === "wait")
    throw new UsageError("--unattended and --approvers wait say opposite things", "Give one of them");
  return unattended ? "none" : approvers;
}

function timeoutOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^\d{1,8}$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= timeoutSecondsMax) return seconds;
  throw new UsageError(
    `--approval-timeout "${text}" is no number of seconds from 0 to ${timeoutSecondsMax}`,
    "Write it like --approval-timeout 600; 0 waits for ever",
  );
}

function policyOf(cwd: string, given: string): TaskPolicy {
  const isText = given.trimStart().startsWith("{");
  const parsed = TaskPolicy.safeParse(jsonIn(isText ? given : textAt(resolve(cwd, given), given), given));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? "" : ` at ${issue.path.join(".")}`;
  throw new UsageError(
    `--policy ${isText ? "" : `"${given}" `}is no policy${where}: ${issue?.message ?? "?"}`,
    `Write it like ${exampleRules}`,
  );
}

function textAt(path: string, given: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(
      `--policy "${given}" cannot be read: ${messageOf(error)}`,
      `Name a file of JSON, or give JSON itself: ${exampleRules}`,
    );
  }
}

function jsonIn(text: string, given: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`--policy "${given}" is no JSON: ${messageOf(error)}`, `Write it like ${exampleRules}`);
  }
}
