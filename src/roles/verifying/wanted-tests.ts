/**
 * Which test commands the verifier runs beside those of the plan: what the criteria name, what the executor says passes, and
 * where neither names one, what the attempt itself ran or the project has. Pure; running them is left to others.
 */
import type { TestsWanted } from "./claims.ts";
import { testCommandIn } from "./test-commands.ts";

export interface WantedTest {
  readonly command: string;
  readonly askedBy: "criteria" | "claim";
}

export interface WantedTests {
  readonly commands: readonly WantedTest[];
  /** Tests are said to pass, and nobody knows which: none was named, none was run. */
  readonly isUnproven: boolean;
}

const commandsMax = 3;

export function wantedTests(given: {
  readonly demanded: TestsWanted;
  readonly claimed: TestsWanted;
  /** Commands of the plan's checks: they are run anyway. */
  readonly planned: readonly string[];
  /** Command lines that the subtask's attempts ran, oldest first. */
  readonly ran: readonly string[];
  /** What the project's own files say. */
  readonly usual: string | null;
}): WantedTests {
  const { demanded, claimed, planned, ran, usual } = given;
  const own = planned.flatMap((line) => testCommandIn(line) ?? []);
  const named = [
    ...demanded.commands.map((command): WantedTest => ({ command, askedBy: "criteria" })),
    ...claimed.commands.map((command): WantedTest => ({ command, askedBy: "claim" })),
  ];
  const last = ran.findLast((line) => testCommandIn(line) !== null);
  const isSettled = own.length > 0 || named.length > 0;
  if (isSettled || !(demanded.pass || claimed.pass)) return { commands: unlike(own, named), isUnproven: false };
  const known = last === undefined ? usual : testCommandIn(last);
  const askedBy = demanded.pass ? "criteria" : "claim";
  return {
    commands: known === null ? [] : [{ command: known, askedBy }],
    isUnproven: claimed.pass && last === undefined,
  };
}

function unlike(own: readonly string[], named: readonly WantedTest[]): WantedTest[] {
  const kept: WantedTest[] = [];
  for (const wanted of named) {
    const isKnown = own.includes(wanted.command) || kept.some(({ command }) => command === wanted.command);
    if (!isKnown) kept.push(wanted);
  }
  return kept.slice(0, commandsMax);
}
