/** What the appending process writes at each place of its log, for it and for those who read it after its death. */
import type { Blob } from "../../src/ports/event-store.ts";
import { blob } from "../contracts/batches.ts";

/** A small blob after each append, and now and then one that is a file. */
export function blobsAfter(seq: number): Blob[] {
  const small = blob(`small ${seq}`);
  return seq % 20 === 0 ? [small, blob(`${seq} `.repeat(40_000))] : [small];
}
