/** A model as people and clients see it: its settings, how it is, and its profile, each fact of it with how it is known. */
import type { ModelInfo } from "../ports/model.ts";
import type { Finding, ModelProfile } from "../ports/model-profile.ts";
import type { ModelSettings } from "./config.ts";
import { finding, shown } from "./kept-profile.ts";
import type { KnownServer } from "./known-server.ts";
import { priceList, unspokenNote, windowNote } from "./model-notes.ts";

type Server = Pick<
  KnownServer,
  "documented" | "facts" | "kept" | "lowered" | "protocol" | "saidWindow" | "shownWindow" | "strongest" | "tools"
>;

interface Standing {
  readonly health: ModelInfo["health"];
  /** While it was used, in plain words. */
  readonly learnt: readonly (string | null)[];
  readonly trouble: string | null;
}

export function infoOf(settings: ModelSettings, server: Server, { health, learnt, trouble }: Standing): ModelInfo {
  const { name, provider, model, shownUrl, tier, roles, maxTokens, temperature, price } = settings;
  const profile = profileOf(server, settings);
  const notes = [
    ...(server.facts?.notes ?? []),
    unspokenNote({ tools: server.kept.tools, protocol: server.protocol }),
    ...learnt,
    windowNote({ configured: settings.contextTokens, shown: server.shownWindow }),
    trouble,
  ];
  return {
    name,
    provider,
    model,
    base_url: shownUrl,
    tier,
    roles,
    max_tokens: maxTokens,
    temperature,
    context_tokens: profile.window_tokens.value,
    tool_protocol: profile.protocol.value,
    health,
    price: priceList(price),
    profile,
    notes: notes.filter((note) => note !== null),
  };
}

function profileOf(server: Server, settings: Pick<ModelSettings, "contextTokens">): ModelProfile {
  const { documented, kept } = server;
  const by = documented?.knownBy ?? null;
  return {
    tools: shown(kept.tools, finding(documented?.tools ?? "unknown", by)),
    schema: shown(kept.schema, finding(documented?.schema ?? "unknown", by)),
    window_tokens: windowOf(server, settings),
    prefix_reuse: shown(kept.prefix, finding(documented?.prefix ?? "unknown", by)),
    protocol: protocolOf(server),
  };
}

function windowOf(
  server: Server,
  { contextTokens: configured }: Pick<ModelSettings, "contextTokens">,
): Finding<number | null> {
  const { kept, saidWindow, shownWindow } = server;
  const said =
    configured > 0
      ? finding(configured, "config")
      : finding(saidWindow, saidWindow === null ? null : "server", kept.saidWindow?.at ?? null);
  if (shownWindow === null || (said.value !== null && said.value <= shownWindow)) return said;
  const at = kept.shownWindow?.value === shownWindow ? kept.shownWindow.at : null;
  return finding(shownWindow, "use", at);
}

function protocolOf(server: Server): ModelProfile["protocol"] {
  const { kept, lowered, protocol, strongest, tools, documented } = server;
  if (lowered !== null && protocol !== strongest) {
    const reason = `${lowered.malformed} malformed replies in a row; the stronger one is tried again a day later`;
    return { ...finding(protocol, "use", lowered.at), reason };
  }
  // Nobody has asked yet.
  if (kept.tools === undefined && documented === null) return { ...finding("unknown", null), reason: null };
  const { known_by, at } = protocol === "text" ? (kept.schema ?? kept.tools ?? none) : (kept.tools ?? none);
  return {
    ...finding(protocol, known_by ?? documented?.knownBy ?? null, at),
    reason: reasons[tools === "unknown" ? "untold" : protocol],
  };
}

const none = { known_by: null, at: null } as const;

const reasons = {
  native: null,
  json_schema: "`tools` do not reach the model",
  text: "`tools` do not reach the model, and no reply is bound to a schema",
  untold: "this server does not count tokens, so that nobody knows whether `tools` reach the prompt; they are taken to",
} as const;
