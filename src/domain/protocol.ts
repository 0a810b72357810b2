/** How a model's calls of tools travel, from the strongest way to the weakest, and the step from one down to the next. */
import { z } from "zod";

export const toolProtocols = ["native", "json_schema", "text"] as const;
const ToolProtocol = z.enum(toolProtocols);
export type ToolProtocol = z.infer<typeof ToolProtocol>;

/** Among the repairs of a reply: it said the same over and over, and was cut once round. */
export const repetitionCut = "repetition_cut";

/** So many replies in a row were malformed in the one: from this turn on the other is spoken with that model. */
export const ProtocolLowered = z.strictObject({
  model: z.string(),
  from: ToolProtocol,
  to: ToolProtocol,
  malformed_replies: z.int().min(0),
});
export type ProtocolLowered = z.infer<typeof ProtocolLowered>;
