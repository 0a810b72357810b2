/** How an effect ends: which reports may end it, and what stands in for one that may not. Keeps a liar from starting again and again. */

import type { EffectKind } from "../domain/effect.ts";
import type { Report } from "../domain/report.ts";
import { messageOf } from "../lib/errors.ts";
import type { InFlight } from "./flight.ts";

export type EndReport = Exclude<Report, { readonly type: "Recovered" | "WebhookSettled" }>;

const endings: Readonly<Record<EffectKind, readonly Report["type"][]>> = {
  plan: ["PlanProposed", "Failed", "ModelDown"],
  work: ["Delivered", "NeedsApproval", "NeedsAnswer", "NeedsLease", "Failed", "ModelDown"],
  verify: ["Judged", "Failed", "ModelDown"],
  revert: ["Reverted", "Failed"],
  extract: ["Extracted", "Failed", "ModelDown"],
  check: ["ChecksRan", "Failed"],
  answer: ["Answered", "Failed", "ModelDown"],
  undo: ["UndoDone", "Failed"],
  wait: ["TimeReached"],
};

const failureChars = 2000;

/** The attempt ends as failed, for a fault that is not the model's. */
export function failure(key: string, error: unknown): EndReport {
  return { type: "Failed", key, class: "internal", feedback: messageOf(error).slice(0, failureChars) };
}

/** The effect ends with nothing to say; whether it is wanted again is read off the state. */
export function nothingSaid(key: string): EndReport {
  return { type: "Yielded", key };
}

/** What an executor returned, as the report that ends its effect. */
export function endingOf({ effect, stopping, yielding }: InFlight, report: Report): EndReport {
  const { key, kind } = effect;
  const isOwn = "key" in report && report.key === key;
  if (stopping) return isOwn && tellsOfFiles(report) ? report : nothingSaid(key);
  if (isOwn && (endings[kind].includes(report.type) || (report.type === "Yielded" && yielding))) return report;
  const told = "key" in report ? `${report.type} for ${report.key}` : report.type;
  return failure(key, new Error(`The executor of ${key} ended with ${told}, which does not end it`));
}

/** What was put back was put back, whoever still wants it; anything else is void once the effect was stopped. */
function tellsOfFiles({ type }: Report): boolean {
  return type === "Reverted" || type === "UndoDone";
}
