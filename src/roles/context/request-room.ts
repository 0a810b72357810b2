/** Room for roles that ask once: what their request may hold, and one more try with less where a server still finds it too long. */
import { LoomError } from "../../lib/errors.ts";
import type { JsonObject } from "../../lib/json.ts";
import { jsonSize, textSize } from "../../lib/prompt-size.ts";
import type { Journal } from "../../ports/journal.ts";
import type { Message, ModelPick, Models } from "../../ports/model.ts";
import { askModel, type ModelStep, type ModelStepPorts } from "../model-step.ts";
import type { Reply } from "../records.ts";
import { sizeOfMessages, TokenGauge } from "./context-size.ts";

/** @see DECISIONS 26 */
const unknownWindow = { contextTokens: 8192, bytesPerToken: 3 };
/** Of the window; the rest is for the reply. */
const promptShare = 0.7;
const roomLeast = 1500;

interface Fixed {
  readonly pick: Pick<ModelPick, "role" | "tier" | "avoid">;
  readonly system: string;
  readonly schema: JsonObject;
  /** Shown to some models: room is left for them with all. */
  readonly examples?: readonly Message[];
  readonly signal: AbortSignal;
}

/** @returns bytes for what is not fixed, as `fittedText` takes them */
export async function requestRoom(
  models: Pick<Models, "window">,
  { pick, system, schema, examples = [], signal }: Fixed,
): Promise<number> {
  const { contextTokens, bytesPerToken } = (await models.window(pick, signal)) ?? unknownWindow;
  const whole = new TokenGauge(bytesPerToken).sizeFor(contextTokens * promptShare);
  return Math.max(roomLeast, whole - textSize(system) - jsonSize(schema) - sizeOfMessages(examples));
}

export interface FittingPorts extends ModelStepPorts {
  readonly models: Pick<Models, "call" | "terms" | "window">;
}

export interface FittingStep extends Omit<ModelStep, "request"> {
  readonly system: string;
  readonly schema: { readonly name: string; readonly schema: JsonObject };
  readonly examples?: readonly Message[];
  /** What is asked, in at most so many bytes. */
  readonly user: (bytesMax: number) => string;
}

/** @throws as `askModel` does; `context_overflow` only where half of it was too long as well */
export async function askFitting(journal: Journal, ports: FittingPorts, given: FittingStep): Promise<Reply> {
  const { system, schema, user, examples = [], ...step } = given;
  const room = () =>
    requestRoom(ports.models, { pick: step.pick, system, schema: schema.schema, examples, signal: step.signal });
  const asked = (bytesMax: number): ModelStep["request"] => ({
    messages: [
      { role: "system", content: system },
      { role: "user", content: user(bytesMax) },
    ],
    schema,
    ...(examples.length === 0 ? {} : { examples }),
  });
  const first = await room();
  try {
    return await askModel(journal, ports, { ...step, request: asked(first) });
  } catch (error) {
    if (!(error instanceof LoomError) || error.code !== "context_overflow") throw error;
  }
  // The refusal may have told how large the window really is.
  const less = Math.min(await room(), Math.floor(first / 2));
  return await askModel(journal, ports, { ...step, step: `${step.step}-short`, request: asked(less) });
}
