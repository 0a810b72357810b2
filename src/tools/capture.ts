/**
 * Holds the output of a process within a bound: its first and its last bytes. What lies between is counted, and let go, whole
 * lines where they are not endless: half a line could be half a secret, which nobody would know for one.
 */

const newline = 0x0a;
/** A longer line is cut where it is. */
const lineBytesMax = 16 * 1024;

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
    const headEnd = lineEndBefore(head);
    const tailStart = lineStartBehind(tail);
    const lost = this.#lostBytes + (head.length - headEnd) + tailStart;
    return `${head.toString("utf8", 0, headEnd)}\n[… ${lost} bytes left out …]\n${tail.toString("utf8", tailStart)}`;
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

function lineEndBefore(head: Buffer): number {
  const end = head.lastIndexOf(newline);
  return end >= Math.max(0, head.length - lineBytesMax) ? end : head.length;
}

function lineStartBehind(tail: Buffer): number {
  const end = tail.indexOf(newline);
  return end !== -1 && end < lineBytesMax ? end + 1 : 0;
}
