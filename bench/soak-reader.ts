/** A reader of the soak, in a thread of its own: reads all that comes, page by page, until it is told to end. */
import { parentPort, workerData } from "node:worker_threads";
import BetterSqlite3 from "better-sqlite3";

const { path } = workerData as { readonly path: string };
const connection = new BetterSqlite3(path, { readonly: true });
const page = connection.prepare<[number], { readonly g: number; readonly data: string }>(
  "SELECT g, data FROM event WHERE g > ? ORDER BY g LIMIT 500",
);
let last = 0;
let read = 0;
let isEnding = false;
parentPort?.once("message", () => {
  isEnding = true;
});

while (!isEnding) {
  const found = page.all(last);
  read += found.length;
  last = found.at(-1)?.g ?? last;
  await new Promise((resolve) => (found.length < 500 ? setTimeout(resolve, 5) : setImmediate(resolve)));
}
connection.close();
parentPort?.postMessage(read);
