/** The scripted model: plays a script file, without a server, for demos and tests. Replies that count their uses start anew with each process. */
import { readFile } from "node:fs/promises";
import { LoomError, messageOf } from "../lib/errors.ts";
import { parseJson } from "../lib/json.ts";
import type { Clock } from "../ports/runtime.ts";
import { ServerError } from "./failures.ts";
import { parseScript, ScriptPlayer, type ScriptReply, textOf } from "./script.ts";
import type { Chunk, ServerFacts, Wire, WireCall } from "./wire.ts";

export class ScriptedWire implements Wire {
  readonly #path: string;
  readonly #clock: Clock;
  #player: Promise<ScriptPlayer> | null = null;

  constructor({ path, clock }: { readonly path: string; readonly clock: Clock }) {
    this.#path = path;
    this.#clock = clock;
  }

  async *stream(call: WireCall, signal: AbortSignal): AsyncGenerator<Chunk, void, undefined> {
    const reply = (await this.#open()).play(call);
    if (reply.delay_ms !== undefined) await this.#clock.sleepUntil(this.#clock.now() + reply.delay_ms, signal);
    if (reply.error !== undefined) throw errorOf(reply.error);
    for (const [word] of textOf(reply).matchAll(/\s*\S+\s*/g)) yield { kind: "text", text: word };
    const calls = reply.tool_calls ?? [];
    for (const { name, arguments: args } of calls) yield { kind: "tool_call", call: { id: "", name, arguments: args } };
    yield { kind: "end", finish: calls.length > 0 ? "tool_calls" : "stop" };
  }

  async facts(): Promise<ServerFacts> {
    await this.#open();
    return { contextTokens: null, tools: "native", notes: ["plays a script: no model is asked"], identity: null };
  }

  notes(): readonly string[] {
    return [];
  }

  #open(): Promise<ScriptPlayer> {
    this.#player ??= openScript(this.#path);
    return this.#player;
  }
}

async function openScript(path: string): Promise<ScriptPlayer> {
  const name = `Script ${path}`;
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new LoomError("config_invalid", `${name} cannot be read: ${messageOf(error)}`, {
      hint: "Check `script` of the model",
      cause: error,
    });
  });
  return new ScriptPlayer(parseScript(parseJson(text), name), name);
}

function errorOf({ status, retry_after_ms }: NonNullable<ScriptReply["error"]>): ServerError {
  const headers = new Headers(retry_after_ms === undefined ? {} : { "retry-after-ms": String(retry_after_ms) });
  return new ServerError(status, "the script says so", { headers });
}
