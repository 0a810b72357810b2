/** How a tool is written down here, and made into the tool of the port: arguments first, then the call itself. */
import type { z } from "zod";
import { LoomError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { ok, type Result } from "../lib/result.ts";
import type { EffectClass } from "../ports/event-store.ts";
import type { ToolSchema } from "../ports/model.ts";
import type { Action, PreparedCall, Tool, ToolContext, ToolResult } from "../ports/tool.ts";
import { type ArgumentForm, parametersSchema, parseArguments } from "./arguments.ts";

export interface ToolDefinition<S extends z.ZodObject> extends ArgumentForm<S> {
  readonly description: string;
  readonly effectClass: EffectClass;
  readonly risk: Tool["risk"];
  readonly timeoutMs: number;
  /** @see ToolSchema.simple */
  readonly simple?: z.ZodObject;
  /** @see ToolSchema.naming */
  readonly naming?: ToolSchema["naming"];
  /** @see ToolSchema.onward */
  readonly onward?: ToolSchema["onward"];
  /** Other forms that a weak model gives the arguments, put right before they are checked. */
  readonly normalise?: (args: JsonObject) => JsonObject;
  prepare(args: z.output<S>, context: ToolContext): Promise<PreparedCall>;
}

export function defineTool<S extends z.ZodObject>(definition: ToolDefinition<S>): Tool {
  const { name, description, effectClass, risk, timeoutMs, normalise, simple, naming, onward } = definition;
  return {
    schema: {
      name,
      description,
      // Made when a model is first shown it, and not while a server starts.
      get parameters() {
        return parametersSchema(definition.parameters);
      },
      get simple() {
        return simple === undefined ? undefined : parametersSchema(simple);
      },
      ...(naming === undefined ? {} : { naming }),
      ...(onward === undefined ? {} : { onward }),
    },
    effectClass,
    risk,
    timeoutMs,
    prepare: async (given, context): Promise<Result<PreparedCall, string>> => {
      const args = parseArguments(
        definition,
        typeof given === "string" || normalise === undefined ? given : normalise(given),
      );
      if (!args.ok) return args;
      // What fits a tool's parameters came from JSON and is JSON.
      const { value, repaired } = args.value;
      return ok({ ...(await definition.prepare(value, context)), arguments: value as JsonObject, repaired });
    },
  };
}

export function actionOf(tool: string, parts: Partial<Omit<Action, "tool">> = {}): Action {
  return { tool, reads: [], writes: [], deletes: [], hosts: [], ...parts };
}

/** A call that cannot succeed: nothing runs, the model is told why. */
export function failing(action: Action, failure: ToolResult): PreparedCall {
  return { action, destructive: false, failure, run: () => Promise.resolve(failure) };
}

export function failureOf(message: string): ToolResult {
  return { success: false, output: "", error: message };
}

/** @returns the result for a failure that the model can do something about; anything else is thrown on */
export function failureFrom(error: unknown): ToolResult {
  if (!(error instanceof LoomError)) throw error;
  return failureOf(error.hint === undefined ? error.message : `${error.message}. ${error.hint}`);
}
