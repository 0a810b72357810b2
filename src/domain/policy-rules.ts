/** Rules by which the owner of a Loom, or whoever submits a task, says what may run unasked, what a person must see, and what never runs. */
import { z } from "zod";

const pattern = z
  .string()
  .min(1)
  .max(300)
  .refine((text) => text.trim() === text && !/[\0\n\r]/.test(text), "must be one line without blanks around it");

const commandPattern = pattern.refine(
  (text) => !/[;|&<>`]|\$\(/.test(text),
  "names one command, not a line: write its program and words, like `git push`",
);

const conditions = {
  tool: pattern.optional().describe("Name of a tool; `*` stands for any text."),
  command: commandPattern
    .optional()
    .describe(
      "A program and words of it: `git push`. `*` within a word stands for any text; ` *` at the end of an allow rule for any further words.",
    ),
  path: pattern.optional().describe("A path from the workspace: `infra/**`. `*` stays within a folder, `**` does not."),
  host: pattern.optional().describe("A host: `*.example.com`."),
  equals: z
    .record(z.string().min(1).max(100), z.union([z.string().max(4000), z.number(), z.boolean(), z.null()]))
    .optional()
    .describe("Arguments of the call that are exactly these."),
  matches: z
    .record(z.string().min(1).max(100), pattern)
    .optional()
    .describe("Arguments of the call, as text, that match; `*` stands for any text."),
};

/** All conditions that a rule states must hold. */
export const PolicyRule = z
  .strictObject({
    ...conditions,
    reason: z.string().min(1).max(300).optional().describe("Told to the model and to persons."),
  })
  .refine(
    (rule) => Object.keys(conditions).some((name) => isStated(rule[name as keyof typeof conditions])),
    `states no condition: give at least one of ${Object.keys(conditions).join(", ")}`,
  );
export type PolicyRule = z.infer<typeof PolicyRule>;

function isStated(condition: string | Readonly<Record<string, unknown>> | undefined): boolean {
  return typeof condition === "string" || (condition !== undefined && Object.keys(condition).length > 0);
}

export const PolicyRuleList = z.array(PolicyRule).max(100);

/** What a task may say: it makes its policy narrower than the server's, never wider. */
export const TaskPolicy = z
  .strictObject({
    ask: PolicyRuleList.optional(),
    deny: PolicyRuleList.optional(),
    allow: z
      .never("a task may only narrow what runs: give ask and deny rules; allow rules stand in [policy] of loom.toml")
      .optional(),
  })
  .describe("Ask and deny rules for this task alone, beside those of the server.");
export type TaskPolicy = z.infer<typeof TaskPolicy>;

export interface PolicyRules {
  readonly allow: readonly PolicyRule[];
  readonly ask: readonly PolicyRule[];
  readonly deny: readonly PolicyRule[];
}

/** Both at once: narrowing adds up. */
export function bothPolicies(one: TaskPolicy | undefined, other: TaskPolicy | undefined): TaskPolicy | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return {
    ask: [...(one.ask ?? []), ...(other.ask ?? [])],
    deny: [...(one.deny ?? []), ...(other.deny ?? [])],
  };
}
