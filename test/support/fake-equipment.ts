/** The one model and the one tool that a Loom in memory says it has. */
import type { ToolView } from "../../src/ports/loom.ts";
import type { ModelInfo } from "../../src/ports/model.ts";

export const model: ModelInfo = {
  name: "executor",
  provider: "scripted",
  model: "fake-1",
  base_url: "http://127.0.0.1:1",
  tier: 1,
  roles: ["executor"],
  max_tokens: 4096,
  temperature: 0.1,
  context_tokens: 8192,
  tool_protocol: "native",
  health: "unknown",
  price: null,
  profile: {
    tools: { value: "yes", known_by: "server", at: null },
    schema: { value: "yes", known_by: "probe", at: "2026-11-21T10:00:00.000Z" },
    window_tokens: { value: 8192, known_by: "config", at: null },
    prefix_reuse: { value: "not_reported", known_by: "probe", at: "2026-11-21T10:00:00.000Z" },
    protocol: { value: "native", known_by: "server", at: null, reason: null },
  },
  notes: [],
};

export const tool: ToolView = {
  name: "read_file",
  description: "Reads a file",
  parameters: { type: "object", properties: { path: { type: "string" } } },
  risk: "low",
  effect_class: "pure",
  timeout_seconds: 30,
};
