/** Claims: what an executor says that it ran and how that came out, so that it can be held against the record. Pure. */
import { quotedIn, testCommandIn, testCommandsNamed } from "./test-commands.ts";

const textCharsMax = 20_000;
const clauseCharsMax = 600;

/** Clauses that say something plainly: neither hedged, nor denied, nor about what is still to come. */
const unsaid =
  /\b(?:not|never|no longer|cannot|unable|without|should|would|could|might|will|once|if|when|whenever|unless|until|so that|to make|please|expected to)\b|n't\b/i;
/** What a criterion demands may be put as `should`; what it forbids or makes depend is no demand. */
const undemanded = /\b(?:not|never|cannot|unless|if|when|whenever|until)\b|n't\b/i;

const filler =
  "(?: (?:all|now|still|also|each|do|does|are|is|were|was|have|has|must|should|ran|run|runs|and|then|fully|successfully|suite|suites|cases?|files?))*";
const passForms = [
  new RegExp(
    `\\b(?:tests?|specs?|test suite|suite)\\b${filler}:? (?:\\d{1,7} )?(?:pass(?:es|ed|ing)?|green|succeed(?:s|ed)?|ok|successful)\\b`,
    "i",
  ),
  /\bpass(?:es|ed|ing)?(?: (?:all|the|of|its|every|existing|unit|\d{1,7}|\d{1,7}\/\d{1,7}))* (?:tests|specs|test suite|suite)\b/i,
  /\b\d{1,7}(?:\/\d{1,7}| of \d{1,7}| out of \d{1,7})?(?: tests?)? (?:passed|passing|pass)\b/i,
];
const wentWell =
  /\b(?:pass(?:es|ed|ing)?|succeed(?:s|ed)?|green|exits?(?:ed)?(?: with)?(?: code)? 0|exit code (?:is )?0|without (?:errors?|failures?)|ok)\b/i;

export interface TestsWanted {
  /** It is said that tests pass, whichever. */
  readonly pass: boolean;
  /** Commands that are said to pass. */
  readonly commands: readonly string[];
}

/** What acceptance criteria want of tests. */
export function testsDemanded(criteria: string): TestsWanted {
  return testsSaid(clausesOf(criteria).filter((clause) => !undemanded.test(clause)));
}

/** What the executor says of tests. */
export function testsClaimed(said: string): TestsWanted {
  return testsSaid(
    clausesOf(said).filter((clause) => !unsaid.test(clause.replace(/without (?:errors?|failures?)/i, ""))),
  );
}

function testsSaid(clauses: readonly string[]): TestsWanted {
  const commands = clauses.filter((clause) => wentWell.test(clause)).flatMap(testCommandsNamed);
  return {
    pass: commands.length > 0 || clauses.some((clause) => passForms.some((form) => form.test(clause))),
    commands: [...new Set(commands)],
  };
}

const ran =
  /\b(?:I|we|have|then|also|and)? ?(?:ran|executed|re-ran|reran|tested (?:it )?with|verified (?:it )?(?:with|by running)|checked (?:it )?with)\b/i;
const programs =
  /^(?:npm|npx|pnpm|yarn|node|deno|bun|tsc|eslint|biome|python3?|pip3?|pytest|ruff|mypy|tox|cargo|rustc|go|make|cmake|ctest|gcc|git|bash|sh|docker|curl|mvn|gradle|java|javac|dotnet|ruby|rake|rspec|php|phpunit|composer|jest|vitest|mocha|\.{1,2}\/\S+)(?= |$)/;

/** @returns commands that the executor says it ran */
export function commandsClaimed(said: string): string[] {
  const found = new Set<string>();
  for (const clause of clausesOf(said)) {
    const verb = ran.exec(clause);
    if (verb === null || unsaid.test(clause)) continue;
    for (const span of quotedIn(clause.slice(verb.index))) if (programs.test(span)) found.add(span);
  }
  return [...found];
}

/** Did a command with these words run, alone or within a longer line? */
export function wasRun(command: string, recorded: readonly string[]): boolean {
  const wanted = spaced(command);
  const asTest = testCommandIn(command);
  return recorded.some((line) => spaced(line).includes(wanted) || (asTest !== null && testCommandIn(line) === asTest));
}

function spaced(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

function clausesOf(text: string): string[] {
  return text
    .slice(0, textCharsMax)
    .split(/[\n;]|[.!?](?:\s|$)|, (?:and|but|so) /)
    .filter((clause) => clause.length <= clauseCharsMax);
}
