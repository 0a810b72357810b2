/** Artifacts by name: what a task has recorded and a prompt shows only in part. An id says where it is recorded, and is no secret. */

export type ArtifactPlace =
  | { readonly kind: "brief"; readonly part: "goal" | "context" }
  | { readonly kind: "call"; readonly subtaskId: string; readonly attempt: number; readonly step: string };

export const goalArtifact = "art_goal";
export const contextArtifact = "art_context";
/** How long an id can be at most: a subtask's id, three numbers. */
export const artifactIdCharsMax = 120;

export function callArtifact(at: { subtaskId: string; attempt: number; turn: number; call: number }): string {
  return `art_${at.subtaskId}_${at.attempt}_${at.turn}_${at.call}`;
}

/** @returns null for a text that is no id */
export function placeOf(id: string): ArtifactPlace | null {
  if (id.length > artifactIdCharsMax) return null;
  if (id === goalArtifact) return { kind: "brief", part: "goal" };
  if (id === contextArtifact) return { kind: "brief", part: "context" };
  const [, subtaskId, attempt, turn, call] = /^art_([\w.-]{1,64})_(\d{1,6})_(\d{1,6})_(\d{1,6})$/.exec(id) ?? [];
  if (subtaskId === undefined) return null;
  return { kind: "call", subtaskId, attempt: Number(attempt), step: `turn-${turn}-call-${call}` };
}

export const readArtifactTool = "read_artifact";

/** Said where something is left out, to a model that has the tool. */
export function readOn(id: string): string {
  return `; ${readArtifactTool} {"id":"${id}"} shows it`;
}
