/** A process whose disk refuses writes beyond some size: tells the code of the first refusal. Run by the failure test. */
import { LoomError } from "../../src/lib/errors.ts";
import { batch, blob, notes } from "../contracts/batches.ts";
import { openFile } from "./temporary.ts";

using file = openFile(process.argv[2] ?? "");
await file.storage.append(batch({ taskId: "task_a", events: notes(1) }));
const blobs = Array.from({ length: 20 }, (_, n) => blob(`${n}`.repeat(30_000)));
const failure: unknown = await file.storage
  .append(batch({ taskId: "task_a", after: 1, events: notes(1), blobs }))
  .catch((error: unknown) => error);
process.stdout.write(`${failure instanceof LoomError ? failure.code : String(failure)}\n`);
