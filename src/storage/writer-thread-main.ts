/** The writing thread: one connection, one job after the other. Started by `writer-thread.ts`. */
import { parentPort, workerData } from "node:worker_threads";
import type { Log } from "../ports/runtime.ts";
import { openAgain } from "./database.ts";
import { type FromThread, type Given, packing, type ThreadOptions, type ToThread } from "./thread-messages.ts";
import { createWriter, type Job, type Jobs } from "./writer.sqlite.ts";

const port = parentPort;
if (port === null) throw new Error("This is the program of a thread, and is started by writer-thread.ts");

const say = (message: FromThread): void => port.postMessage(message);
const logAt =
  (level: keyof Log): Log[keyof Log] =>
  (facts, message) =>
    say({ kind: "log", level, facts, message });
const log: Log = { debug: logAt("debug"), info: logAt("info"), warn: logAt("warn"), error: logAt("error") };

const database = openAgain((workerData as ThreadOptions).path);
const jobs = createWriter(database, log);

function done<J extends Job>(job: J, given: Given): unknown {
  const work = jobs[job] as (...args: Parameters<Jobs[J]>) => ReturnType<Jobs[J]>;
  return packing[job].pack(work(...packing[job].take(given)));
}

port.on("message", (message: ToThread) => {
  if (message.kind === "close") {
    database[Symbol.dispose]();
    port.close();
    return;
  }
  const { id, job, given } = message;
  say({ kind: "done", id, outcome: done(job, given) });
});
