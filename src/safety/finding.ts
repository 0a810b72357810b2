/** Findings: what a person should see before an action runs, each with a reason in words and a risk. */

export type Risk = "low" | "medium" | "high" | "critical";

export interface Finding {
  /** Continues a sentence whose subject is the action: "deletes folders with all that is in them". */
  readonly reason: string;
  readonly risk: Risk;
  /** Of the floor: a person is asked whatever the rules allow. */
  readonly floor?: true;
  /** Told by what a program would do, not by a path or by the line's form: also a guess at a command may be told by it. */
  readonly isAboutProgram?: true;
  /** The one path, or the one host, that it is about: what an allow rule may name. */
  readonly path?: string;
  readonly host?: string;
}

const order: readonly Risk[] = ["low", "medium", "high", "critical"];

export function asks(reason: string, risk: Risk): Finding {
  return { reason, risk };
}

/** A finding of the floor: what section 4 of the contract always puts before a person, and what could hide it. */
export function insists(reason: string, risk: Risk): Finding {
  return { reason, risk, floor: true };
}

export function worst(findings: readonly Finding[]): Risk {
  return findings.reduce<Risk>(
    (risk, finding) => (order.indexOf(finding.risk) > order.indexOf(risk) ? finding.risk : risk),
    "low",
  );
}
