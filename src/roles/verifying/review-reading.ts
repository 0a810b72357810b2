/** Reads a verifier's verdict as it was meant, and never more kindly than it was: what contradicts itself has failed. */

import { Severity, type Verdict } from "../../domain/verdict.ts";
import { isJsonObject, type JsonObject } from "../../lib/json.ts";
import { within } from "../excerpt.ts";
import { booleanOf, firstText, type JsonReader, numberOf, textOf, textsOf } from "../reading.ts";
import { verdictInText } from "./opinion-text.ts";

export type Opinion = Pick<Verdict, "outcome" | "reason_code" | "severity_class" | "feedback" | "issues"> & {
  readonly confidence: number;
};

export interface Said {
  readonly text: string;
  /** The model came to its end, and was not cut. */
  readonly isWhole: boolean;
}

/** @returns null when the reply says neither whether it passed nor how it came out */
export function readOpinion({ text, isWhole }: Said, reader: JsonReader): Opinion | null {
  const found = reader.readJson(text)?.value;
  const raw = Array.isArray(found) ? (found as readonly unknown[])[0] : found;
  const inJson = isJsonObject(raw) ? opinionIn(raw) : null;
  if (inJson !== null) return inJson;
  // Without brackets nothing tells what was cut off.
  const inText = isWhole ? verdictInText(text) : null;
  return inText === null ? null : opinionOf(inText);
}

function opinionIn(raw: JsonObject): Opinion | null {
  const nested = Object.values(raw).find((value) => isJsonObject(value) && ("passed" in value || "outcome" in value));
  return opinionOf(isJsonObject(nested) && !("passed" in raw) ? nested : raw);
}

function opinionOf(raw: JsonObject): Opinion | null {
  const said = outcomeOf(firstText(raw, ["outcome", "verdict", "result", "assessment"]));
  const passed = booleanOf(raw["passed"] ?? raw["pass"]);
  if (said === null && passed === undefined) return null;
  const issues = textsOf(raw["issues"] ?? [])
    .slice(0, 20)
    .map((issue) => within(issue, 1000));
  const severity = Severity.safeParse(textOf(raw["severity_class"]));
  const code = textOf(raw["reason_code"]);
  const outcome = saysNo.test(code) ? "fail" : settled(said, passed, issues.length > 0);
  const isUnsure = outcome === "fail" && severity.data === "inconclusive";
  return {
    outcome: isUnsure ? "inconclusive" : outcome,
    reason_code: within(code === "" ? (outcome === "fail" ? "llm_semantic_failed" : "llm_passed") : code, 100),
    severity_class: severity.success ? severity.data : "semantic",
    confidence: confidenceOf(raw["confidence"], outcome !== "fail"),
    feedback: within(feedbackOf(raw, issues, outcome), 6000),
    issues,
  };
}

/** `criteria_not_met`, beside whatever was said to have passed. */
const saysNo = /(?:^|_)(?:not|unmet|fail(?:s|ed|ure)?|missing|incomplete|wrong|incorrect|invalid)(?:_|$)/i;

type Outcome = "pass" | "pass_with_warnings" | "partial_verified" | "fail";

function outcomeOf(text: string): Outcome | null {
  const word = text.toLowerCase().replace(/[\s-]+/g, "_");
  if (word === "pass_with_warnings" || word === "partial_verified") return word;
  const plain = booleanOf(word);
  if (plain === undefined) return null;
  return plain ? "pass" : "fail";
}

/** Either of the two can say no; both are needed for a yes. */
function settled(said: Outcome | null, passed: boolean | undefined, hasIssues: boolean): Outcome {
  if (said === "fail" || passed === false) return "fail";
  const outcome = said ?? "pass";
  return outcome === "pass" && hasIssues ? "pass_with_warnings" : outcome;
}

function confidenceOf(raw: unknown, passed: boolean): number {
  const number = numberOf(raw);
  if (number === undefined || number < 0 || number > 100) return passed ? 0.8 : 0.4;
  const isPercent = number > 1 || (typeof raw === "string" && raw.includes("%"));
  return isPercent ? number / 100 : number;
}

function feedbackOf(raw: JsonObject, issues: readonly string[], outcome: Outcome): string {
  const feedback = firstText(raw, ["feedback", "suggestion", "explanation", "reason", "reasoning"]);
  if (feedback === "")
    return issues.length > 0
      ? issues.join("\n")
      : outcome === "fail"
        ? "The verifier found that the criteria are not met."
        : "";
  const unsaid = issues.filter((issue) => !feedback.includes(issue));
  return outcome === "fail" && unsaid.length > 0
    ? `${feedback}\n${unsaid.map((issue) => `- ${issue}`).join("\n")}`
    : feedback;
}
