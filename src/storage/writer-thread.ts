/**
 * A writer in a thread of its own: the event loop goes on while the disk is waited for. A thread that dies fails the jobs
 * it had, whose outcome nobody knows, and the next job starts another.
 */
import { getCompileCacheDir } from "node:module";
import { dirname, extname } from "node:path";
import { clearImmediate, setImmediate } from "node:timers";
import { Worker } from "node:worker_threads";
import { LoomError, messageOf } from "../lib/errors.ts";
import { err } from "../lib/result.ts";
import type { Log } from "../ports/runtime.ts";
import type { StorageDatabase } from "./database.ts";
import { asError } from "./failures.ts";
import { type FromThread, packing, type ThreadOptions, type ToThread } from "./thread-messages.ts";
import type { Job, Jobs, Writer } from "./writer.sqlite.ts";

/** Beside this file, as source or as it was built. */
const program = new URL(`./writer-thread-main${extname(import.meta.url)}`, import.meta.url);
/** It holds prepared statements and one group of batches: small heaps keep the server small. */
const heaps = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 8 };
const retryAfterMs = 1000;

export interface WriterThread extends Writer, AsyncDisposable {
  /** Ends the thread as it stands, as a crash of it would. */
  kill(): Promise<void>;
}

/** Starts when who opened it first rests, so that it is up when it is needed and keeps no start waiting. Disposing it waits for the jobs it has. */
export function startWriterThread({ path }: Pick<StorageDatabase, "path">, log?: Log): WriterThread {
  const threads = new Threads({ path }, log);
  return {
    commit: async (batches) => {
      try {
        return await threads.run("commit", [batches]);
      } catch (error) {
        return batches.map(() => err(error));
      }
    },
    chore: async (chore) => await threads.run("chore", [chore]).catch((error: unknown) => err(asError(error))),
    settle: async (settled) => await threads.run("settle", [settled]).catch(asError),
    redeliver: async (redelivered) => await threads.run("redeliver", [redelivered]).catch(asError),
    markTold: async (deliveryId) => await threads.run("markTold", [deliveryId]).catch(asError),
    audit: async (rows) => await threads.run("audit", [rows]).catch(asError),
    keyUsed: async (id, at) => await threads.run("keyUsed", [id, at]).catch(asError),
    keepProfile: async (key, profile) => await threads.run("keepProfile", [key, profile]).catch(asError),
    kill: () => threads.kill(),
    [Symbol.asyncDispose]: () => threads.close(),
  };
}

/** A thread needs none of this process's. One names the compile cache: without it, a thread loads a TypeScript compiler, 17 MB. */
function environment(): NodeJS.ProcessEnv {
  const cache = getCompileCacheDir();
  return cache === undefined ? {} : { NODE_COMPILE_CACHE: dirname(cache) };
}

interface Pending {
  readonly resolve: (outcome: unknown) => void;
  readonly reject: (error: unknown) => void;
}

class Threads {
  readonly #options: ThreadOptions;
  readonly #log: Log | undefined;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | null = null;
  #jobs = 0;
  readonly #first: NodeJS.Immediate;

  constructor(options: ThreadOptions, log: Log | undefined) {
    this.#options = options;
    this.#log = log;
    this.#first = setImmediate(() => this.#worker ?? this.#start());
  }

  async run<J extends Job>(job: J, args: Parameters<Jobs[J]>): Promise<ReturnType<Jobs[J]>> {
    const worker = this.#worker ?? this.#start();
    this.#jobs += 1;
    const id = this.#jobs;
    const { promise, ...pending } = Promise.withResolvers<unknown>();
    this.#pending.set(id, pending);
    worker.ref();
    worker.postMessage({ kind: "job", id, job, given: packing[job].give(args) } satisfies ToThread);
    return packing[job].unpack(await promise);
  }

  async close(): Promise<void> {
    clearImmediate(this.#first);
    const worker = this.#worker;
    if (worker === null) return;
    worker.ref();
    const ended = new Promise((resolve) => worker.once("exit", resolve));
    worker.postMessage({ kind: "close" } satisfies ToThread);
    await ended;
  }

  async kill(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(program, { workerData: this.#options, resourceLimits: heaps, env: environment() });
    // Alone it keeps no process alive; with a job under way it does.
    worker.unref();
    worker.on("message", (message: FromThread) => this.#take(message));
    worker.on("error", (error) => this.#gone(worker, messageOf(error)));
    worker.on("exit", () => this.#gone(worker, "it ended"));
    this.#worker = worker;
    return worker;
  }

  #take(message: FromThread): void {
    if (message.kind === "log") {
      this.#log?.[message.level](message.facts, message.message);
      return;
    }
    this.#pending.get(message.id)?.resolve(message.outcome);
    this.#pending.delete(message.id);
    if (this.#pending.size === 0) this.#worker?.unref();
  }

  #gone(worker: Worker, why: string): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    const failure = new LoomError("storage_failed", `The thread that writes to ${this.#options.path} is gone: ${why}`, {
      hint: "It is started again with the next write; if this goes on, look at the log and at the memory of this machine",
      retryAfterMs,
    });
    if (this.#pending.size > 0)
      this.#log?.error({ error: why, jobs: this.#pending.size }, "The writing thread is gone");
    for (const { reject } of this.#pending.values()) reject(failure);
    this.#pending.clear();
  }
}
