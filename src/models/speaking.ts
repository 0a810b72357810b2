/** How one request is spoken to one model: which protocol by what is known of its server, and what the request becomes in it. */

import type { ToolProtocol } from "../domain/protocol.ts";
import type { ModelRequest } from "../ports/model.ts";
import { weaker } from "./kept-profile.ts";
import type { KnownServer } from "./known-server.ts";
import { speakJson, speaksTools, type Told } from "./protocol.ts";
import { speakText, tellSchema } from "./protocol-text.ts";

type Server = Pick<KnownServer, "held" | "lower" | "lowered" | "protocol" | "schema" | "strongest" | "tools">;

/** @returns whether the request is another one in each protocol */
export function needsProtocol(request: ModelRequest): boolean {
  return speaksTools(request) || (request.examples ?? []).length > 0;
}

/** @returns whether what is not known of the server yet decides how this request is spoken */
export function needsProfile(request: ModelRequest, server: Server, model: string): boolean {
  if (request.schema !== undefined) return true;
  if (!needsProtocol(request)) return false;
  const isLowered = request.spoken?.model === model && request.spoken.protocol !== "native";
  return server.tools !== "yes" || isLowered || server.lowered !== null;
}

/** Within a conversation it changes only where it is to be lowered, which is noted, or where the server does not hold it any more. */
export function protocolFor(request: ModelRequest, server: Server, model: string): ToolProtocol {
  if (!needsProtocol(request)) return "native";
  const { spoken, schema } = request;
  // Here it is about the examples: they are for models that have to be shown the form of a reply.
  if (schema !== undefined) return server.tools === "no" ? server.strongest : "native";
  if (spoken?.model !== model) return server.protocol;
  if (spoken.malformed !== undefined && spoken.protocol !== "native") server.lower(spoken.protocol, spoken.malformed);
  return weaker(server.strongest, server.held(spoken.protocol));
}

/** @param at.maxTokens the model's cap on a reply */
export function toldIn(
  protocol: ToolProtocol,
  request: ModelRequest,
  { server, maxTokens }: { readonly server: Server; readonly maxTokens: number },
): Told {
  if (protocol === "json_schema") return speakJson(request, maxTokens);
  if (protocol === "text") return speakText(request);
  return request.schema !== undefined && server.schema === "no" ? tellSchema(request) : request;
}
