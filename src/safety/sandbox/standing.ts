/** Says in words what a sandbox holds and what it does not: for the log, /health, `loom doctor`, and whoever decides on them. */
import type { SandboxStanding } from "../../ports/sandbox.ts";
import type { Limits } from "./limits.ts";

export type Footing =
  | { readonly kind: "off" }
  | { readonly kind: "none"; readonly reason: string; readonly limits: Limits }
  | {
      readonly kind: "bubblewrap";
      readonly limits: Limits;
      readonly network: boolean;
      readonly isRoot: boolean;
      readonly hasFilter: boolean;
    };

const mebibyte = 1024 * 1024;
const everything = ["files, keys, processes and the network of this machine, with Loom's own rights"];

export function standingOf(footing: Footing): SandboxStanding {
  if (footing.kind === "off") return { layer: "none", holds: [], leaves: everything, lack: null };
  const { memoryBytes, fileBytes } = footing.limits;
  const sizes = [
    ...(fileBytes > 0 ? [`a file over ${fileBytes / mebibyte} MiB`] : []),
    ...(memoryBytes > 0 ? [`more than ${memoryBytes / mebibyte} MiB of memory`] : []),
  ];
  if (footing.kind === "none") return { layer: "none", holds: sizes, leaves: everything, lack: footing.reason };
  const { network, isRoot, hasFilter, limits } = footing;
  const processes = limits.processes > 0 ? [`more than ${limits.processes} processes`] : [];
  return {
    layer: "bubblewrap",
    holds: [
      "writes outside the workspace",
      "reads of home, of keys and of Loom's own files",
      ...(network ? [] : ["the network, unless it was allowed"]),
      "processes that outlive their command",
      ...processes,
      ...sizes,
    ],
    leaves: [
      ...(network ? ["the network"] : []),
      ...(processes.length > 0
        ? []
        : [isRoot ? "the number of processes, since Loom is root" : "the number of processes"]),
      ...(hasFilter ? [] : [`calls into the kernel (no filter for ${process.arch})`]),
      "the disk in many files",
      "what it leaves in the workspace for others to run",
    ],
    lack: null,
  };
}

/** What is a problem of it, for /health: nothing, or one sentence. */
export function lackOf(standing: SandboxStanding): readonly string[] {
  return standing.lack === null ? [] : [openOf(standing)];
}

/** One sentence for the log and for /health: what is missing, what follows, what to do. */
export function openOf({ lack, leaves }: SandboxStanding): string {
  return `No sandbox: ${lack ?? "it is turned off"}. Commands that models write reach ${leaves.join(", ")}; what looks dangerous is asked about first. Install bubblewrap, or run Loom in a container or as a user of its own`;
}
