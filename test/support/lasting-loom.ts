/** A Loom process that is killed and comes back at the same address, and clients that do not give up on it. */
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free-port.ts";
import { type Spawned, spawnLoom } from "./spawned.ts";

export interface LastingLoom extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Kills it at once, and starts it again. */
  kill(): Promise<void>;
}

export async function startLastingLoom(options: {
  readonly config: string;
  readonly home: string;
}): Promise<LastingLoom> {
  const port = await freePort();
  const open = () => spawnLoom({ ...options, env: { LOOM_SERVER__PORT: String(port) } });
  let running: Spawned = await open();
  return {
    port,
    url: running.client.url,
    kill: async () => {
      await running.end("SIGKILL");
      running = await open();
    },
    [Symbol.asyncDispose]: async () => void (await running.end("SIGKILL")),
  };
}

export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly replayed: boolean;
  /** How often it was sent. */
  readonly sendings: number;
}

/** Posts under one key until it gets an answer that is not "try again", however often the server dies meanwhile. */
export async function postUntilAnswered(url: string, body: unknown, key: string): Promise<Reply> {
  for (let sendings = 1; ; sendings += 1) {
    const reply = await posted(url, body, key).catch(() => null);
    if (reply !== null && reply.status !== 503 && !isStillRunning(reply.body)) return { ...reply, sendings };
    await sleep(20);
  }
}

async function posted(url: string, body: unknown, key: string): Promise<Omit<Reply, "sendings">> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": key },
    body: JSON.stringify(body),
  });
  return {
    status: answer.status,
    body: await answer.json(),
    replayed: answer.headers.get("idempotency-replayed") === "true",
  };
}

function isStillRunning(body: unknown): boolean {
  return typeof body === "object" && body !== null && "code" in body && body.code === "idempotency_running";
}
