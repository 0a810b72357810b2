/** Holds requests to their zod schemas, and keeps what was wrong with them for the problem document. */
import type { FastifySchemaCompiler } from "fastify";
import type { z } from "zod";

export class InvalidInput extends Error {
  readonly issues: readonly z.core.$ZodIssue[];
  /** Which part of the request it was; set by the framework. */
  readonly validationContext?: string;

  constructor(issues: readonly z.core.$ZodIssue[]) {
    super("The request does not fit its schema");
    this.name = "InvalidInput";
    this.issues = issues;
  }
}

export const validatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema }) =>
  (input: unknown) => {
    const result = schema.safeParse(input);
    return result.success ? { value: result.data } : { error: new InvalidInput(result.error.issues) };
  };
