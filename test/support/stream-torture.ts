/**
 * Streams under torture: a server that is killed again and again, a proxy that holds back and cuts, clients that hang up every
 * few bytes. What each client is left with is returned; whoever calls says what must be true of it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type LastingLoom, postUntilAnswered } from "./lasting-loom.ts";
import { clientOf, type View } from "./scenario.ts";

export interface Torture {
  /** Messages sent to the task; each is one event or more. */
  readonly messages: number;
  readonly kills: number;
  readonly streams: number;
  /** A client hangs up after as many bytes of a stream as this gives. */
  readonly cutAfter: () => number;
}

export interface Received {
  readonly ids: readonly number[];
  readonly connections: number;
}

export interface Outcome {
  readonly view: View;
  /** Messages in the log; each was sent under a key of its own until it was answered. */
  readonly recorded: number;
  readonly received: readonly Received[];
}

/** @param proxied where the clients of the stream find the server */
export async function torture(loom: LastingLoom, proxied: string, options: Torture): Promise<Outcome> {
  const client = clientOf(loom.url);
  // A task that waits for a person takes messages and starts nothing: its log is as long as we make it.
  const taskId = await client.submit({ goal: "Wait", approve_plan: true });
  await client.until(taskId, ({ event_type }) => event_type === "approval_requested");
  const stream = `${proxied}/tasks/${taskId}/stream?tokens=false`;
  const clients = Array.from({ length: options.streams }, () => followed(stream, options.cutAfter));
  await told(loom, `${loom.url}/tasks/${taskId}`, options);
  await postUntilAnswered(`${loom.url}/tasks/${taskId}/cancel`, {}, "cancel");
  const received = await Promise.all(clients);
  const view = await client.get<View>(`/tasks/${taskId}`);
  return { view, received, recorded: await messagesIn(loom.url, taskId) };
}

/** Sends all messages, some at a time, and kills the server while it takes them. */
async function told(loom: LastingLoom, task: string, { messages, kills }: Torture): Promise<void> {
  const rounds = kills + 1;
  for (let round = 0, sent = 0; round < rounds; round += 1) {
    const upTo = Math.ceil(((round + 1) * messages) / rounds);
    const kill = round < kills ? sleep(30 + Math.random() * 100).then(() => loom.kill()) : Promise.resolve();
    await sendAll(task, { from: sent, upTo });
    sent = upTo;
    await kill;
  }
}

async function sendAll(task: string, { from, upTo }: { readonly from: number; readonly upTo: number }): Promise<void> {
  let next = from;
  const worker = async () => {
    while (next < upTo) {
      const n = next;
      next += 1;
      const { status, body } = await postUntilAnswered(`${task}/message`, { message: `Message ${n}` }, `m-${n}`);
      if (status !== 200) throw new Error(`Message ${n}: ${status} ${JSON.stringify(body)}`);
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

async function messagesIn(url: string, taskId: string): Promise<number> {
  let recorded = 0;
  for (let after = 0; ; ) {
    const answer = await fetch(`${url}/tasks/${taskId}/events?after=${after}&limit=1000`);
    const events = (await answer.json()) as readonly { readonly seq: number; readonly event_type: string }[];
    recorded += events.filter(({ event_type }) => event_type === "conversation_message").length;
    const last = events.at(-1);
    if (last === undefined) return recorded;
    after = last.seq;
  }
}

/** Comes back with the last id it has until it is told that nothing is left. */
async function followed(url: string, cutAfter: () => number): Promise<Received> {
  const ids: number[] = [];
  for (let connections = 1; ; connections += 1) {
    const before = ids.length;
    const ended = await connected(url, { ids, cut: cutAfter() }).catch(() => false);
    if (ended) return { ids, connections };
    if (ids.length === before) await sleep(20);
  }
}

/** @returns whether the server said that there is nothing more */
async function connected(
  url: string,
  { ids, cut }: { readonly ids: number[]; readonly cut: number },
): Promise<boolean> {
  const hangUp = new AbortController();
  const answer = await fetch(url, { headers: { "last-event-id": String(ids.at(-1) ?? 0) }, signal: hangUp.signal });
  if (answer.status === 204) return true;
  if (answer.status !== 200 || answer.body === null) return false;
  let text = "";
  let left = cut;
  try {
    const body: AsyncIterable<Uint8Array> = answer.body;
    for await (const chunk of body) {
      text += Buffer.from(chunk.subarray(0, left)).toString("latin1");
      left -= chunk.length;
      text = taken(text, ids);
      if (left <= 0) return false;
    }
  } finally {
    hangUp.abort();
  }
  return false;
}

/** Takes the ids of whole frames. @returns the rest */
function taken(text: string, ids: number[]): string {
  const blocks = text.split("\n\n");
  const rest = blocks.pop() ?? "";
  for (const block of blocks) {
    const id = /^id: (\d+)$/m.exec(block)?.[1];
    if (id !== undefined) ids.push(Number(id));
  }
  return rest;
}
