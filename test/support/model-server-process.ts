/**
 * The model server in a process of its own, for benchmarks and spawned servers: `node model-server-process.ts SCRIPT [LATENCY_MS]`.
 * Prints `{"port": …, "url": …}` as its first line; ends with its standard input, so that it outlives no parent.
 */
import { readFile } from "node:fs/promises";
import { parseJson } from "../../src/lib/json.ts";
import { parseScript } from "../../src/models/script.ts";
import { startModelServer } from "./model-server.ts";

const [path, latency = "0"] = process.argv.slice(2);
const script = path === undefined ? {} : { script: parseScript(parseJson(await readFile(path, "utf8")), path) };
await using server = await startModelServer({ ...script, latencyMs: Number(latency) });
process.stdout.write(`${JSON.stringify({ port: server.port, url: server.url })}\n`);
process.stdin.resume();
await new Promise((resolve) => process.stdin.once("end", resolve).once("error", resolve));
