/** Reads artifacts where they were recorded: a call's in its attempt's journal and the blob it names, the brief in the first event. */
import { journalScopeOf } from "../../domain/effect.ts";
import { canonicalJson } from "../../lib/json.ts";
import type { Artifacts } from "../../ports/artifacts.ts";
import type { BlobStore } from "../../ports/blob-store.ts";
import type { EventStore } from "../../ports/event-store.ts";
import { CallRecord } from "../records.ts";
import { type ArtifactPlace, placeOf } from "./artifact-ids.ts";
import { resultText } from "./call-outcome.ts";

export interface ArtifactPorts {
  readonly events: Pick<EventStore, "read" | "steps">;
  readonly blobs: BlobStore;
}

export function createArtifacts(ports: ArtifactPorts): Artifacts {
  return {
    read: async (taskId, id) => {
      const place = placeOf(id);
      if (place === null) return null;
      return place.kind === "brief" ? briefed(ports, taskId, place) : called(ports, taskId, place);
    },
  };
}

async function briefed(
  { events }: ArtifactPorts,
  taskId: string,
  { part }: Extract<ArtifactPlace, { kind: "brief" }>,
): Promise<string | null> {
  const [first] = await events.read(taskId, { after: 0, limit: 1 });
  if (first?.type !== "task_created") return null;
  return part === "goal" ? first.goal : canonicalJson(first.context);
}

async function called(
  { events, blobs }: ArtifactPorts,
  taskId: string,
  { subtaskId, attempt, step }: Extract<ArtifactPlace, { kind: "call" }>,
): Promise<string | null> {
  const scope = journalScopeOf({ kind: "work", subtaskId, attempt, leg: 1, tier: 1 });
  const row = (await events.steps(taskId, scope)).find((known) => known.step === step);
  const record = CallRecord.safeParse(row?.ended?.result);
  if (!record.success) return null;
  const { artifact, output, ...rest } = record.data;
  const bytes = artifact === undefined ? null : await blobs.get(artifact.digest);
  return resultText({ ...rest, output: bytes === null ? output : new TextDecoder().decode(bytes) });
}
