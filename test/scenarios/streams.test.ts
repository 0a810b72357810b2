import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { startScenario } from "../support/scenario.ts";
import { calls, ending, plan, works } from "../support/story.ts";

const story = [
  plan({ id: "greet", description: "Write the greeting." }),
  ...works("Write the greeting.", calls("write_file", { path: "greeting.txt", content: "hello\n" }), "It says hello."),
  ...ending,
];

interface Frame {
  readonly id?: string;
  readonly event?: string;
  readonly data?: string;
}

async function frames(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly raw: string; readonly frames: readonly Frame[] }> {
  const answer = await fetch(url, { headers });
  const raw = await answer.text();
  const parsed = raw
    .split("\n\n")
    .filter((part) => /^(id|event|data):/m.test(part))
    .map(
      (part) =>
        Object.fromEntries(
          part.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
        ) as Frame,
    );
  return { status: answer.status, raw, frames: parsed };
}

describe("the stream of a task", () => {
  test("carries every event once, in order, ends with the task, and resumes anywhere, also after a restart", async () => {
    await using scenario = await startScenario({ script: { replies: story } });
    const taskId = await scenario.client.submit({ goal: "Greet", workspace: scenario.place.workspace });
    const live = await frames(`${scenario.client.url}/tasks/${taskId}/stream?tokens=false`);
    expect(live.raw.startsWith("retry: 2000\n")).toBe(true);
    const ids = live.frames.map((frame) => Number(frame.id));
    expect(ids).toEqual(ids.map((_, index) => index + 1));
    expect(live.frames.at(-1)?.event).toBe("task_completed");
    expect(JSON.parse(live.frames[0]?.data ?? "")).toMatchObject({
      event_type: "task_created",
      task_id: taskId,
      seq: 1,
      data: { goal: "Greet" },
    });

    await scenario.restart();
    const stream = `${scenario.client.url}/tasks/${taskId}/stream`;
    const last = ids.at(-1) ?? 0;
    for (const from of [0, 1, 5, last - 1]) {
      const rest = await frames(stream, { "last-event-id": String(from) });
      expect(rest.frames.filter((frame) => frame.id !== undefined).map((frame) => Number(frame.id))).toEqual(
        ids.filter((id) => id > from),
      );
    }
    const nothingLeft = Math.max(...(await scenario.client.events(taskId)).map((event) => event.seq));
    expect((await fetch(stream, { headers: { "last-event-id": String(nothingLeft) } })).status).toBe(204);
  });

  test("shows tokens without ids while they come, and drops them on request", async () => {
    await using scenario = await startScenario({ script: { replies: story }, latencyMs: 5 });
    const { client, place } = scenario;
    const taskId = await client.submit({ goal: "Greet", workspace: place.workspace });
    const [withTokens, without, tokens] = await Promise.all([
      frames(`${client.url}/tasks/${taskId}/stream`),
      frames(`${client.url}/tasks/${taskId}/stream?tokens=false`),
      frames(`${client.url}/tasks/${taskId}/tokens`),
    ]);
    const streamed = withTokens.frames.filter((frame) => frame.event === "token_streamed");
    expect(streamed.length).toBeGreaterThan(0);
    expect(streamed.every((frame) => frame.id === undefined)).toBe(true);
    expect(without.frames.some((frame) => frame.event === "token_streamed")).toBe(false);
    expect(tokens.frames.every((frame) => frame.event === "token")).toBe(true);
  });

  test("over all tasks is numbered g1, g2, … and resumes", async () => {
    await using scenario = await startScenario({ script: { replies: story } });
    const { client, place } = scenario;
    const taskId = await client.submit({ goal: "Greet", workspace: place.workspace });
    await client.closed(taskId);
    const stop = new AbortController();
    const answer = await fetch(`${client.url}/stream`, { headers: { "last-event-id": "g0" }, signal: stop.signal });
    let text = "";
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      if (text.includes("task_completed")) break;
    }
    stop.abort();
    expect([...text.matchAll(/^id: (g\d+)$/gm)].map((match) => match[1])).toEqual(
      (await client.events(taskId)).slice(0, [...text.matchAll(/^id: /gm)].length).map((_, index) => `g${index + 1}`),
    );
  });
});

describe("a callback", () => {
  test("is told once how the task ended, with the guide's flat fields, and the log says so", async () => {
    const received: { readonly headers: NodeJS.Dict<string | string[]>; readonly body: Record<string, unknown> }[] = [];
    const receiver = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        received.push({
          headers: request.headers,
          body: JSON.parse(Buffer.concat(chunks).toString("utf8")) as Record<string, unknown>,
        });
        response.writeHead(204).end();
      });
    }).listen(0, "127.0.0.1");
    await once(receiver, "listening");
    const { port } = receiver.address() as AddressInfo;
    await using scenario = await startScenario({ script: { replies: story } });
    const { client, place } = scenario;
    const taskId = await client.submit({
      goal: "Greet",
      workspace: place.workspace,
      callback_url: `http://127.0.0.1:${port}/done`,
    });
    await client.closed(taskId);
    await client.until(taskId, (event) => event.event_type === "webhook_delivered");
    expect(received).toHaveLength(1);
    expect(received[0]?.body).toMatchObject({
      task_id: taskId,
      status: "completed",
      goal: "Greet",
      subtasks_completed: 1,
      subtasks_failed: 0,
      workspace_changes: { files_created: 1, files_modified: 0, files_deleted: 0 },
      type: "task.completed",
    });
    expect(received[0]?.headers["webhook-id"]).toMatch(/^msg_/);
    receiver.close();
  });
});
