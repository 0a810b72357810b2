/**
 * Watches, in a process of its own, which processes stand in a folder, and prints the monotonic time in nanoseconds at which
 * the last of them was gone. Its clock is the machine's, so that others can compare it with theirs.
 */
import { processesIn } from "../test/support/processes-in.ts";

const folder = process.argv[2] ?? "";

process.stdout.write("watching\n");
while (processesIn(folder).length > 0);
process.stdout.write(`${process.hrtime.bigint()}\n`);
