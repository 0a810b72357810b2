/** What goes between a server and its writing thread: jobs one way, their outcomes and log lines the other. Errors go as facts. */
import { type ErrorCode, LoomError, messageOf } from "../lib/errors.ts";
import { err, ok } from "../lib/result.ts";
import type { Append } from "../ports/event-store.ts";
import { isLarge } from "./blob-store.fs.ts";
import type { Fate } from "./group-commit.ts";
import type { Job, Jobs } from "./writer.sqlite.ts";

export interface ThreadOptions {
  readonly path: string;
}

export type ToThread =
  | { readonly kind: "job"; readonly id: number; readonly job: Job; readonly given: Given }
  | { readonly kind: "close" };

export type FromThread =
  | { readonly kind: "done"; readonly id: number; readonly outcome: unknown }
  | {
      readonly kind: "log";
      readonly level: "debug" | "info" | "warn" | "error";
      readonly facts: Readonly<Record<string, unknown>>;
      readonly message: string;
    };

/** Arguments as JSON, which costs a third of a structured clone; the bytes of blobs beside it, in the order of their digests. */
export interface Given {
  readonly text: string;
  readonly bytes: readonly Uint8Array[];
}

interface PackedError {
  readonly message: string;
  readonly stack?: string | undefined;
  /** Of a LoomError; anything else is a bug and stays a plain error. */
  readonly loom?: { readonly code: ErrorCode; readonly hint?: string; readonly retryAfterMs?: number };
}

type PackedFate = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: PackedError };

interface Packing<J extends Job> {
  readonly give: (args: Parameters<Jobs[J]>) => Given;
  readonly take: (given: Given) => Parameters<Jobs[J]>;
  readonly pack: (outcome: ReturnType<Jobs[J]>) => unknown;
  readonly unpack: (packed: unknown) => ReturnType<Jobs[J]>;
}

/** How the arguments and the outcome of each job travel. */
export const packing: { readonly [J in Job]: Packing<J> } = {
  commit: {
    give: ([batches]) => giveBatches(batches),
    take: (given) => [takeBatches(given)],
    pack: (fates) => fates.map((fate): PackedFate => (fate.ok ? fate : { ok: false, error: packError(fate.error) })),
    unpack: (packed) =>
      (packed as readonly PackedFate[]).map((fate) =>
        fate.ok ? (fate as Fate) : { ok: false, error: unpackError(fate.error) },
      ),
  },
  chore: {
    give: (args) => ({ text: JSON.stringify(args), bytes: [] }),
    take: ({ text }) => JSON.parse(text) as Parameters<Jobs["chore"]>,
    pack: (outcome): PackedFate => (outcome.ok ? outcome : { ok: false, error: packError(outcome.error) }),
    unpack: (packed) => {
      const outcome = packed as PackedFate;
      return outcome.ok ? ok(outcome.value as number) : err(unpackError(outcome.error));
    },
  },
  settle: plain(),
  redeliver: plain(),
  markTold: plain(),
  audit: plain(),
  keyUsed: plain(),
  keepProfile: plain(),
};

/** A job of facts that answers what went wrong, or null. */
function plain<Args extends readonly unknown[]>(): {
  readonly give: (args: Args) => Given;
  readonly take: (given: Given) => Args;
  readonly pack: (failure: Error | null) => unknown;
  readonly unpack: (packed: unknown) => Error | null;
} {
  return {
    give: (args) => ({ text: JSON.stringify(args), bytes: [] }),
    take: ({ text }) => JSON.parse(text) as Args,
    pack: (failure) => (failure === null ? null : packError(failure)),
    unpack: (packed) => (packed === null ? null : unpackError(packed as PackedError)),
  };
}

/** Large blobs are on the disk by then and need not travel: their digests are enough. */
function giveBatches(batches: readonly Append[]): Given {
  const small = batches.map(({ blobs = [] }) => blobs.filter((blob) => !isLarge(blob)));
  const named = batches.map((batch, index) => ({ ...batch, blobs: small[index]?.map(({ digest }) => digest) }));
  return { text: JSON.stringify(named), bytes: small.flat().map(({ bytes }) => bytes) };
}

function takeBatches({ text, bytes }: Given): Append[] {
  const named = JSON.parse(text) as (Omit<Append, "blobs"> & { readonly blobs: readonly string[] })[];
  let next = 0;
  const bytesOfNext = (): Uint8Array => {
    const found = bytes[next];
    next += 1;
    if (found === undefined) throw new Error("A blob came to the writing thread without its bytes");
    return found;
  };
  return named.map((batch) => ({
    ...batch,
    blobs: batch.blobs.map((digest) => ({ digest, bytes: bytesOfNext() })),
  }));
}

function packError(error: unknown): PackedError {
  const packed = { message: messageOf(error), ...(error instanceof Error ? { stack: error.stack } : {}) };
  if (!(error instanceof LoomError)) return packed;
  const { code, hint, retryAfterMs } = error;
  return {
    ...packed,
    loom: { code, ...(hint === undefined ? {} : { hint }), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
  };
}

function unpackError({ message, stack, loom }: PackedError): Error {
  const error = loom === undefined ? new Error(message) : new LoomError(loom.code, message, loom);
  if (stack !== undefined) error.stack = stack;
  return error;
}
