/** What is answered of spending, as schemas: a task's budget, a model's prices. */
import { z } from "zod";
import { Budget } from "../domain/budget.ts";

const count = z.int().min(0);
const spent = { tokens: z.int(), usd: z.number().exactOptional() };

export const BudgetAnswer = z
  .looseObject({
    cap: Budget,
    settled: z.looseObject({ ...spent, model_calls: count, tool_calls: count, wall_seconds: z.number() }),
    reserved: z.looseObject(spent),
    excess: z.looseObject(spent).exactOptional(),
  })
  .describe("What it may use, has used, and has set aside for model calls in flight.");

export const PriceAnswer = z
  .looseObject({
    input_usd_per_million: z.number(),
    cached_input_usd_per_million: z.number(),
    output_usd_per_million: z.number(),
  })
  .nullable();
