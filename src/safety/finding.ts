/** Findings: what a person should see before an action runs, each with a reason in words and a risk. */

export type Risk = "low" | "medium" | "high" | "critical";

export interface Finding {
  /** Continues a sentence whose subject is the action: "deletes folders with all that is in them". */
  readonly reason: string;
  readonly risk: Risk;
}

const order: readonly Risk[] = ["low", "medium", "high", "critical"];

export function worst(findings: readonly Finding[]): Risk {
  return findings.reduce<Risk>(
    (risk, finding) => (order.indexOf(finding.risk) > order.indexOf(risk) ? finding.risk : risk),
    "low",
  );
}
