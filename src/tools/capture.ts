/** Holds the output of a process within a bound: its first and its last bytes. What lies between is counted, and let go. */

export class Capture {
  readonly #headMax: number;
  readonly #tailMax: number;
  readonly #head: Buffer[] = [];
  readonly #tail: Buffer[] = [];
  #headBytes = 0;
  #tailBytes = 0;
  #lostBytes = 0;

  constructor(bytesMax: number) {
    this.#headMax = Math.ceil(bytesMax / 2);
    this.#tailMax = bytesMax - this.#headMax;
  }

  add(chunk: Buffer): void {
    const room = this.#headMax - this.#headBytes;
    if (room > 0) {
      const first = chunk.subarray(0, room);
      this.#head.push(first);
      this.#headBytes += first.length;
    }
    if (chunk.length > room) this.#addToTail(chunk.subarray(Math.max(room, 0)));
  }

  text(): string {
    const [head, tail] = [Buffer.concat(this.#head), Buffer.concat(this.#tail)];
    if (this.#lostBytes === 0) return Buffer.concat([head, tail]).toString("utf8");
    return `${head.toString("utf8")}\n[… ${this.#lostBytes} bytes left out …]\n${tail.toString("utf8")}`;
  }

  #addToTail(chunk: Buffer): void {
    this.#tail.push(chunk);
    this.#tailBytes += chunk.length;
    while (this.#tailBytes > this.#tailMax) {
      const oldest = this.#tail[0];
      if (oldest === undefined) return;
      const over = this.#tailBytes - this.#tailMax;
      if (oldest.length <= over) this.#tail.shift();
      else this.#tail[0] = oldest.subarray(over);
      const dropped = Math.min(oldest.length, over);
      this.#tailBytes -= dropped;
      this.#lostBytes += dropped;
    }
  }
}
