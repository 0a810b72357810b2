/** A process of its own that appends for as long as it lives, and tells each `seq` that was acknowledged. Run by the crash test. */
import { batch, notes, step } from "../contracts/batches.ts";
import { blobsAfter } from "./growing-log.ts";
import { openFile } from "./temporary.ts";

const [path = "", taskId = ""] = process.argv.slice(2);
const { storage } = openFile(path);

for (;;) {
  const after = (await storage.row(taskId))?.lastSeq ?? 0;
  const count = 1 + (after % 3);
  const result = await storage.append(
    batch({
      taskId,
      after,
      events: notes(count, after + 1),
      steps: [step(`turn-${after}`)],
      blobs: blobsAfter(after),
    }),
  );
  if (result.kind !== "appended") throw new Error(`Append after ${after}: ${result.kind}`);
  // Synchronous on a pipe: what was told was appended before, and nothing is told twice.
  process.stdout.write(`${after + count}\n`);
}
