/** Blobs by content address. They are written through `EventStore.append`, with the event that names them; read here. */

export interface BlobStore {
  /** @returns the bytes, or null when no blob has this digest */
  get(digest: string): Promise<Uint8Array | null>;
}
