/** Bytes of what is sent to a model, as far as they cost tokens. Messages and tools are sent again and again: each is measured once. */

interface SizedMessage {
  readonly content: string;
  readonly toolCalls?: readonly object[];
}

const sizes = new WeakMap<object, number>();

export function messageBytes(message: SizedMessage): number {
  return once(message, ({ content, toolCalls }) => {
    const calls = toolCalls === undefined ? 0 : Buffer.byteLength(JSON.stringify(toolCalls));
    return Buffer.byteLength(content) + calls;
  });
}

/** Of anything that is sent as JSON: a tool, a schema. */
export function jsonBytes(value: object): number {
  return once(value, (whole) => Buffer.byteLength(JSON.stringify(whole)));
}

function once<T extends object>(value: T, measure: (value: T) => number): number {
  const known = sizes.get(value);
  if (known !== undefined) return known;
  const bytes = measure(value);
  sizes.set(value, bytes);
  return bytes;
}
