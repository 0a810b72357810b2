/**
 * A judge is tried before it is believed: a model that must be shown how to answer gets cases whose truth is known, in the
 * same form as its examples and none of them. One wrong verdict, and what it says of real work counts for nothing.
 */
import type { Message } from "../../ports/model.ts";
import { type JudgedExample, requestOf } from "./review-examples.ts";
import { verifierSystem } from "./review-prompt.ts";

/** The most telling first: most trials end with the first or second case. */
const cases: readonly JudgedExample[] = [
  {
    goal: "Write the name of the winner into race.txt: Tilda",
    kind: "change",
    calls: '- write_file {"path":"race.txt"} → OK',
    diff: "--- /dev/null\n+++ race.txt\n@@ -0,0 +1 @@\n+Boris",
    flaw: "The name is wrong.",
  },
  {
    goal: "Delete the file rooms/attic.md",
    kind: "change",
    calls: '- delete_file {"path":"rooms/attic.md"} → OK',
    diff: "--- rooms/attic.md\n+++ /dev/null\n@@ -1 +0,0 @@\n-dusty",
    flaw: null,
  },
  {
    goal: "What is the height in tower.json?",
    kind: "inspect",
    calls: '- read_file {"path":"tower.json"} → OK\n  { "height": 61, "steps": 300 }',
    diff: "",
    delivered: "The height in tower.json is 300.",
    flaw: "The height is 61.",
  },
  {
    goal: "What is the price in bread.ini?",
    kind: "inspect",
    calls: '- read_file {"path":"bread.ini"} → OK\n  weight = 500 price = 4',
    diff: "",
    delivered: "The price in bread.ini is 4.",
    flaw: null,
  },
  {
    goal: "Rename spring.txt to summer.txt",
    kind: "change",
    calls: '- delete_file {"path":"spring.txt"} → OK',
    diff: "--- spring.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-rain",
    flaw: "The file was deleted and not renamed.",
  },
  {
    goal: "Add the line salt to list.md",
    kind: "change",
    calls: '- append_file {"path":"list.md","content":"salt\\n"} → OK',
    diff: "--- list.md\n+++ list.md\n@@ -1,2 +1,3 @@\n flour\n oil\n+salt",
    flaw: null,
  },
];

export interface TrialAnswer {
  /** Who answered. */
  readonly model: string;
  /** Null where it could not be read. */
  readonly passes: boolean | null;
}

/** What the judges of this process were found to be worth, by the names of their models. */
export class Trials {
  readonly #worth = new Map<string, boolean>();

  /** @param ask puts a case to the judge */
  async isJudge(
    model: string,
    ask: (step: string, messages: readonly Message[]) => Promise<TrialAnswer>,
  ): Promise<boolean> {
    const known = this.#worth.get(model);
    if (known !== undefined) return known;
    for (const [index, { flaw, ...shown }] of cases.entries()) {
      const messages: Message[] = [
        { role: "system", content: verifierSystem() },
        { role: "user", content: requestOf(shown, `case-${index + 1}`) },
      ];
      const answer = await ask(`trial-${index + 1}`, messages);
      // Another model answered: of this one nothing was learnt.
      if (answer.model !== model) return false;
      if (answer.passes === (flaw === null)) continue;
      this.#worth.set(model, false);
      return false;
    }
    this.#worth.set(model, true);
    return true;
  }
}
