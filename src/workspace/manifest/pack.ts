/** Contents by digest in one file that only grows: far cheaper than a file each. It lives as long as its manifest. */
import { type FileHandle, open } from "node:fs/promises";

const chunkBytes = 1024 * 1024;

interface Place {
  readonly offset: number;
  readonly length: number;
}

export class Pack implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #bytesMax: number;
  readonly #places = new Map<string, Place>();
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #written: number;

  private constructor(file: FileHandle, written: number, bytesMax: number) {
    this.#file = file;
    this.#written = written;
    this.#bytesMax = bytesMax;
  }

  static async open(path: string, bytesMax: number): Promise<Pack> {
    const file = await open(path, "a+", 0o600);
    return new Pack(file, (await file.stat()).size, bytesMax);
  }

  get size(): number {
    return this.#written + this.#pendingBytes;
  }

  /** Tells of a content that was added in an earlier life; one that did not reach the file is forgotten. */
  recall(digest: string, place: Place): void {
    if (place.offset + place.length <= this.#written) this.#places.set(digest, place);
  }

  /** @returns its place, null where it was there already; "full" where there is no room for it */
  async add(digest: string, bytes: Uint8Array): Promise<Place | null | "full"> {
    if (this.#places.has(digest)) return null;
    if (this.size + bytes.length > this.#bytesMax) return "full";
    const place = { offset: this.size, length: bytes.length };
    this.#places.set(digest, place);
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes >= chunkBytes) await this.flush();
    return place;
  }

  async get(digest: string): Promise<Uint8Array | null> {
    const place = this.#places.get(digest);
    if (place === undefined) return null;
    await this.flush();
    const { bytesRead, buffer } = await this.#file.read(Buffer.alloc(place.length), 0, place.length, place.offset);
    return bytesRead === place.length ? buffer : null;
  }

  async flush(): Promise<void> {
    const bytes = Buffer.concat(this.#pending, this.#pendingBytes);
    this.#pending = [];
    this.#pendingBytes = 0;
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, at, bytes.length - at);
      at += bytesWritten;
      this.#written += bytesWritten;
    }
  }

  async sync(): Promise<void> {
    await this.#file.datasync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}
