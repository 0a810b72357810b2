/** The bench's model server as a process of its own: started, told its latency, asked what it was sent. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface PromptStats {
  readonly firstExecutorChars: number;
  readonly totalChars: number;
  readonly prefixShareLeast: number;
  /** From a request's first byte to its answer, in milliseconds, since the last reset. */
  readonly servedMs: readonly number[];
}

export interface RunningModel extends AsyncDisposable {
  readonly url: string;
  latency(ms: number): Promise<void>;
  reset(): Promise<void>;
  stats(): Promise<PromptStats>;
}

export async function startModel(): Promise<RunningModel> {
  const child = fork(fileURLToPath(new URL("./model-server.ts", import.meta.url)), { stdio: "inherit" });
  const { port } = await answered<{ port: number }>(child);
  const ask = async (command: object): Promise<PromptStats> => {
    const answer = answered<{ stats: PromptStats }>(child);
    child.send(command);
    return (await answer).stats;
  };
  return {
    url: `http://127.0.0.1:${port}/v1`,
    latency: async (ms) => void (await ask({ latency: ms })),
    reset: async () => void (await ask({ reset: true })),
    stats: () => ask({}),
    [Symbol.asyncDispose]: async () => {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.disconnect();
      await gone;
    },
  };
}

function answered<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve) => child.once("message", (message) => resolve(message as T)));
}
