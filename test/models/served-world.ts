/** One model behind a real server on loopback, called through the catalog as the roles do. */
import { expect } from "vitest";
import { LoomError } from "../../src/lib/errors.ts";
import { createModels } from "../../src/models/catalog.ts";
import type { ModelConfig } from "../../src/models/config.ts";
import type { ModelPick, ModelReply, ModelRequest, Models } from "../../src/ports/model.ts";
import type { Profiles } from "../../src/ports/profiles.ts";
import { transport } from "../../src/safety/transport.ts";
import { type ModelServer, type ModelServerOptions, startModelServer } from "../support/model-server.ts";
import { servedModel } from "../support/model-server-reply.ts";
import { KeptLog, middling, realClock } from "./world.ts";

export const pick: ModelPick = { role: "executor", tier: 1, taskId: "task_1", priority: "work" };
export const hello: ModelRequest = {
  messages: [
    { role: "system", content: "You are terse." },
    { role: "user", content: "Say hello" },
  ],
};
interface World extends AsyncDisposable {
  readonly server: ModelServer;
  readonly models: Models;
  readonly log: KeptLog;
  call(
    request?: ModelRequest,
    options?: { signal?: AbortSignal; onToken?: (text: string) => void },
  ): Promise<ModelReply>;
}

type Provider = ModelConfig["provider"];

export async function worldOf(
  provider: Provider,
  options: ModelServerOptions,
  config: Partial<ModelConfig> = {},
  profiles?: Profiles,
): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startModelServer(options));
  const log = new KeptLog();
  const base: ModelConfig = {
    name: "main",
    provider,
    base_url: server.url,
    model: servedModel,
    context_tokens: 8192,
    ...config,
  };
  const ports = { clock: realClock, random: middling, log, retry: { baseMs: 2, capMs: 4 }, send: transport };
  const models = stack.use(createModels([base], { ...ports, ...(profiles === undefined ? {} : { profiles }) }));
  const owned = stack.move();
  return {
    server,
    models,
    log,
    call: (request = hello, { signal = new AbortController().signal, onToken } = {}) =>
      models.call(pick, request, { signal, ...(onToken === undefined ? {} : { onToken }) }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export async function failureOf(promise: Promise<unknown>): Promise<LoomError> {
  const error = await promise.then(
    () => new Error("it did not fail"),
    (reason: unknown) => reason,
  );
  if (error instanceof LoomError) return error;
  throw error;
}

/** The matcher, without vitest's `any`. */
export function containing(text: string): unknown {
  return expect.stringContaining(text);
}
