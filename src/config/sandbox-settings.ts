/** What the sandbox is given of the configuration: its mode, its limits in bytes, and which files are Loom's own. */
import { userInfo } from "node:os";
import type { Config } from "./schema.ts";

const mebibyte = 1024 * 1024;

export interface SandboxSettings {
  readonly mode: Config["sandbox"]["mode"];
  readonly network: boolean;
  readonly limits: { readonly memoryBytes: number; readonly processes: number; readonly fileBytes: number };
  readonly readable: readonly string[];
  readonly database: string;
  readonly ownFiles: readonly string[];
  readonly systemHome: string;
}

/** @param file the configuration file that was read, if one was */
export function sandboxSettings({ sandbox, memory, server }: Config, file: string | null): SandboxSettings {
  const { mode, network, memory_mib: memoryMib, processes, file_mib: fileMib, readable } = sandbox;
  return {
    mode,
    network,
    limits: { memoryBytes: memoryMib * mebibyte, processes, fileBytes: fileMib * mebibyte },
    readable,
    database: memory.database_path,
    ownFiles: [file ?? "", server.api_key_file].filter((path) => path !== ""),
    systemHome: userInfo().homedir,
  };
}
