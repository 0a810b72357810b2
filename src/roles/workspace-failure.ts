/** A workspace that cannot be had, as a report: nothing that a model or another attempt at once could cure. */

import type { Report } from "../domain/report.ts";
import { LoomError } from "../lib/errors.ts";

/** @returns the report, or null when the error is none of a workspace's */
export function workspaceFailure(key: string, error: unknown): Report | null {
  if (!(error instanceof LoomError) || error.code !== "workspace_unusable") return null;
  return { type: "Failed", key, class: "blocked", feedback: error.message };
}
