/**
 * Controls: a small verifier often says yes to whatever it is shown. Its yes counts only if it says no to the same case with
 * the evidence falsified: once by other work than was asked for, once by the same calls with other contents. Pure.
 */
import type { JsonObject } from "../../lib/json.ts";
import type { PastCall } from "../records.ts";
import type { ReviewMaterial } from "./review-prompt.ts";

type Case = Pick<ReviewMaterial, "checks" | "diff" | "evidence" | "remarks">;

const foreign = {
  path: "ferry/plan.txt",
  text: "the ferry goes at noon",
  diff: "--- /dev/null\n+++ ferry/plan.txt\n@@ -0,0 +1 @@\n+the ferry goes at noon",
};

/** @returns the case as it must not pass, in two ways */
export function falsified<M extends Case>(material: M): readonly M[] {
  return [otherWork(material), otherContents(material)];
}

/** Something was done, and well, but not what was asked for. */
function otherWork<M extends Case>(material: M): M {
  const record = { tool: "write_file", kind: "write" as const, success: true, output: "", changed: [foreign.path] };
  const call = { step: "turn-1-call-1", arguments: { path: foreign.path, content: foreign.text }, record };
  return changed(material, { calls: [call], diff: foreign.diff });
}

/** The right files were looked at and changed, and hold something else. */
function otherContents<M extends Case>(material: M): M {
  const calls = material.evidence.attempt.calls.map(({ arguments: args, record, ...call }) => ({
    ...call,
    arguments: typeof args === "string" ? args : withoutContents(args),
    record: record.kind === "read" ? { ...record, output: foreign.text } : record,
  }));
  return changed(material, { calls, diff: material.diff.replaceAll(/^\+(?!\+\+ ).*$/gm, `+${foreign.text}`) });
}

function changed<M extends Case>(
  material: M,
  { calls, diff }: { readonly calls: readonly PastCall[]; readonly diff: string },
): M {
  const attempt = { ...material.evidence.attempt, calls, finalText: `Done: ${foreign.text}.` };
  // What was checked was checked of the real case.
  return { ...material, checks: [], remarks: [], diff, evidence: { ...material.evidence, attempt } };
}

/** Paths stay, whatever they are called. */
const placeNames = /path|source|destination|command|pattern|url|line/i;

function withoutContents(args: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => [
      name,
      typeof value === "string" && !placeNames.test(name) ? foreign.text : value,
    ]),
  );
}
