/**
 * The bench's model: answers at once on the OpenAI wire, as a planner, executor, verifier or extractor by what it is asked.
 * Its own small server, since it must cost next to nothing beside what is measured. Counts what it was sent.
 */
import { createServer, type ServerResponse } from "node:http";

interface Sent {
  readonly role: string;
  readonly content?: string | null;
}
interface Asked {
  readonly messages: readonly Sent[];
  readonly tools?: unknown;
  readonly stream?: boolean;
  readonly model: string;
}

const subtasks = Array.from({ length: 6 }, (_, nth) => ({
  id: `part-${nth + 1}`,
  description: `Write the file out-${nth + 1}.txt and check it.`,
  depends_on: [],
  model_tier: 1,
  verification_tier: 1,
  is_critical_path: false,
  is_synthesis: false,
  acceptance_criteria: `out-${nth + 1}.txt is there.`,
  kind: "change",
}));

let latencyMs = 0;
let counts = fresh();

function fresh() {
  return {
    firstExecutorChars: 0,
    totalChars: 0,
    prefixShareLeast: 1,
    last: new Map<string, string>(),
    servedMs: [] as number[],
  };
}

type Reply = { readonly text: string } | { readonly tool: string; readonly args: Record<string, unknown> };

function answer(asked: Asked): Reply {
  const prompt = asked.messages.map((message) => message.content ?? "").join("\n");
  if (prompt.includes("You are the planner of Loom")) return { text: JSON.stringify({ subtasks }) };
  if (prompt.includes("You are a verifier of Loom")) {
    return {
      text: JSON.stringify({
        passed: true,
        outcome: "pass",
        reason_code: "verified",
        severity_class: "semantic",
        confidence: 0.95,
        feedback: "",
        issues: [],
        metadata: {},
      }),
    };
  }
  if (prompt.includes("You are an extractor of Loom")) return { text: "[]" };
  if (prompt.includes("You write the final answer"))
    return { text: JSON.stringify({ summary: "Six files are written.", answer: "Six files are written." }) };
  return work(prompt, asked.messages.filter((message) => message.role === "assistant").length);
}

function work(prompt: string, turn: number): Reply {
  const file = `${/Write the file (out-\d)\.txt and check it/.exec(prompt)?.[1] ?? "out"}.txt`;
  if (turn === 0) return { tool: "list_directory", args: { path: "." } };
  if (turn === 1) return { tool: "write_file", args: { path: file, content: `the content of ${file}\n` } };
  if (turn === 2) return { tool: "read_file", args: { path: file } };
  return { text: `${file} is written and reads as it should.` };
}

function count(asked: Asked): void {
  const prompt = JSON.stringify([asked.tools ?? [], asked.messages]);
  counts.totalChars += prompt.length;
  if (!prompt.includes("You are an executor of Loom")) return;
  if (counts.firstExecutorChars === 0) counts.firstExecutorChars = prompt.length;
  const conversation = /Write the file out-\d\.txt and check it/.exec(prompt)?.[0] ?? "";
  const before = counts.last.get(conversation);
  if (before !== undefined)
    counts.prefixShareLeast = Math.min(counts.prefixShareLeast, commonPrefix(before, prompt) / before.length);
  counts.last.set(conversation, prompt);
}

function commonPrefix(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  return at;
}

function send(response: ServerResponse, asked: Asked, reply: Reply): void {
  const message =
    "text" in reply
      ? { role: "assistant", content: reply.text }
      : {
          role: "assistant",
          content: null,
          tool_calls: [
            {
              index: 0,
              id: `call_${performance.now()}`,
              type: "function",
              function: { name: reply.tool, arguments: JSON.stringify(reply.args) },
            },
          ],
        };
  const finish = "text" in reply ? "stop" : "tool_calls";
  const usage = { prompt_tokens: 1000, completion_tokens: 50, total_tokens: 1050 };
  const base = { id: "chatcmpl-bench", created: 0, model: asked.model };
  if (asked.stream !== true) {
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({
        ...base,
        object: "chat.completion",
        choices: [{ index: 0, message, finish_reason: finish }],
        usage,
      }),
    );
    return;
  }
  response.setHeader("content-type", "text/event-stream");
  const chunk = (part: object) => `data: ${JSON.stringify({ ...base, object: "chat.completion.chunk", ...part })}\n\n`;
  response.end(
    chunk({ choices: [{ index: 0, delta: message, finish_reason: null }] }) +
      chunk({ choices: [{ index: 0, delta: {}, finish_reason: finish }] }) +
      chunk({ choices: [], usage }) +
      "data: [DONE]\n\n",
  );
}

function control(command: unknown): void {
  const { latency, reset } = command as { latency?: number; reset?: boolean };
  if (latency !== undefined) latencyMs = latency;
  if (reset === true) counts = fresh();
  const { last: _last, ...stats } = counts;
  process.send?.({ stats });
}

const server = createServer((request, response) => {
  if (request.method !== "POST") {
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({
        object: "list",
        data: ["hands", "head"].map((id) => ({
          id,
          object: "model",
          owned_by: "bench",
          capabilities: ["completion", "tools"],
          meta: { n_ctx: 32768 },
        })),
      }),
    );
    return;
  }
  const came = performance.now();
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const asked = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Asked;
    count(asked);
    const reply = answer(asked);
    const respond = (): void => {
      counts.servedMs.push(performance.now() - came);
      send(response, asked, reply);
    };
    // What this server takes for its counting is a part of its latency, and no more than that.
    if (latencyMs === 0) respond();
    else setTimeout(respond, Math.round(came + latencyMs - performance.now()));
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.send?.({ port: typeof address === "object" && address !== null ? address.port : 0 });
});
process.on("message", control);
process.on("disconnect", () => process.exit(0));
