/** Routes that show what a task did: its subtasks and their traces, memory, changes, files. */
import { z } from "zod";
import { LoomError } from "../lib/errors.ts";
import { ChangesAnswer, MemoryAnswer, SubtaskAnswer, TraceAnswer } from "./answers.ts";
import { readHeaders, sendUnlessKnown } from "./conditional.ts";
import { type App, answers, type Door, unchanged } from "./door.ts";
import { present } from "./present.ts";
import { FilePath, MemoryQuery, NoQuery, SearchQuery, SubtaskPath, TaskPath } from "./requests.ts";
import { memoryRow } from "./wire.ts";

export function workRoutes(app: App, door: Door): void {
  subtaskRoutes(app, door);
  memoryRoutes(app, door);
  changeRoutes(app, door);
  fileRoute(app, door);
}

function subtaskRoutes(app: App, { loom }: Door): void {
  const about = (summary: string, schema: z.ZodType) => ({
    summary,
    tags: ["work"],
    querystring: NoQuery,
    headers: readHeaders,
    response: answers({ 200: { description: summary, schema }, 304: unchanged }, [404]),
  });
  const list = { ...about("The subtasks of the plan", z.array(SubtaskAnswer)), params: TaskPath };
  app.get("/tasks/:id/subtasks", { schema: list }, (request, reply) => {
    const { id } = request.params;
    return sendUnlessKnown({ loom, request, reply }, id, () => loom.subtasks(id));
  });

  const one = { ...about("One subtask", SubtaskAnswer), params: SubtaskPath };
  app.get("/tasks/:id/subtasks/:sid", { schema: one }, (request, reply) => {
    const { id, sid } = request.params;
    return sendUnlessKnown({ loom, request, reply }, id, () => subtaskOf(id, sid));
  });

  const trace = {
    summary: "Prompts, turns, tool calls and verdicts of a subtask",
    tags: ["work"],
    params: SubtaskPath,
    querystring: NoQuery,
    response: answers({ 200: { description: "Oldest first", schema: TraceAnswer } }, [404]),
  };
  app.get("/tasks/:id/subtasks/:sid/trace", { schema: trace }, async ({ params: { id, sid } }, reply) => {
    await subtaskOf(id, sid);
    return reply.send(await loom.trace(id, sid));
  });

  async function subtaskOf(id: string, sid: string) {
    const found = (await loom.subtasks(id)).find((subtask) => subtask.id === sid);
    if (found !== undefined) return found;
    throw new LoomError("not_found", `No subtask "${sid}" in task "${id}".`, {
      hint: `GET /tasks/${id}/subtasks lists them.`,
    });
  }
}

function memoryRoutes(app: App, { loom }: Door): void {
  const list = {
    summary: "What was learnt in a task, newest first",
    tags: ["memory"],
    params: TaskPath,
    querystring: MemoryQuery,
    response: answers({ 200: { description: "Entries", schema: MemoryAnswer } }, [404, 422]),
  };
  app.get(
    "/tasks/:id/memory",
    { schema: list },
    async ({ params: { id }, query: { entry_type: entryType, limit } }, reply) => {
      await loom.view(id);
      const rows = await loom.memory(id, { limit, ...present({ entryType }) });
      return reply.send(rows.map(memoryRow));
    },
  );

  const search = {
    summary: "Full-text search, over all tasks unless one is named",
    tags: ["memory"],
    querystring: SearchQuery,
    response: answers({ 200: { description: "Best match first", schema: MemoryAnswer } }, [422]),
  };
  app.get("/memory/search", { schema: search }, async ({ query: { q, task_id: taskId, limit } }, reply) => {
    const rows = await loom.searchMemory(q, { limit, ...present({ taskId }) });
    return reply.send(rows.map(memoryRow));
  });
}

function changeRoutes(app: App, { loom }: Door): void {
  const list = {
    summary: "What was created, modified, deleted, renamed, and by whom",
    tags: ["changes"],
    params: TaskPath,
    querystring: NoQuery,
    headers: readHeaders,
    response: answers({ 200: { description: "Oldest first", schema: ChangesAnswer }, 304: unchanged }, [404]),
  };
  app.get("/tasks/:id/changes", { schema: list }, (request, reply) => {
    const { id } = request.params;
    return sendUnlessKnown({ loom, request, reply }, id, () => loom.changes(id));
  });

  const diff = {
    params: TaskPath,
    querystring: NoQuery,
    tags: list.tags,
    summary: "The same as a unified diff",
    response: answers({ 200: { description: "A unified diff", type: "text/x-diff" } }, [404]),
  };
  app.get("/tasks/:id/changes.diff", { schema: diff }, async ({ params: { id } }, reply) =>
    reply.type("text/x-diff; charset=utf-8").send(await loom.diff(id)),
  );
}

function fileRoute(app: App, { loom }: Door): void {
  const schema = {
    summary: "A file that the task created or changed, as it is now",
    tags: ["changes"],
    params: FilePath,
    querystring: NoQuery,
    response: answers(
      { 200: { description: "Its bytes; text/plain when it is text", type: "application/octet-stream" } },
      [404, 422],
    ),
  };
  app.get("/tasks/:id/files/*", { schema }, async ({ params }, reply) => {
    const { bytes } = await loom.file(params.id, params["*"]);
    // Never as what it claims to be: a page that a model wrote must not run under this server's name.
    const type = isText(bytes) ? "text/plain; charset=utf-8" : "application/octet-stream";
    return reply.type(type).header("content-security-policy", "sandbox").send(Buffer.from(bytes));
  });
}

function isText(bytes: Uint8Array): boolean {
  if (bytes.includes(0)) return false;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
