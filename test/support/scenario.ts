/** A whole Loom over HTTP for scenarios: the real composition root on a free port, a temporary home, and a scripted model on the wire. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { serveLoom } from "../../src/app.ts";
import { loadConfig } from "../../src/config/load.ts";
import { type ModelServer, type ModelServerOptions, startModelServer } from "./model-server.ts";

export type Wire = "openai_compatible" | "ollama" | "anthropic";

export interface Place extends Disposable {
  readonly home: string;
  readonly workspace: string;
  write(path: string, content: string): void;
  read(path: string): string;
  /** loom.toml with models of `wire` at `url`. @returns its path */
  configure(options: {
    readonly url: string;
    readonly wire?: Wire;
    readonly extra?: string;
    readonly contextTokens?: number;
    readonly maxTokens?: number;
    /** Further keys of each model. */
    readonly modelKeys?: string;
  }): string;
}

/** A temporary home with a workspace in it. */
export function createPlace(): Place {
  const home = mkdtempSync(join(tmpdir(), "loom-scenario-"));
  const workspace = join(home, "workspace");
  mkdirSync(workspace);
  return {
    home,
    workspace,
    write: (path, content) => {
      const file = join(workspace, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    },
    read: (path) => readFileSync(join(workspace, path), "utf8"),
    configure: ({ url, ...options }) => {
      const file = join(home, "loom.toml");
      writeFileSync(file, configText({ home, url, ...usual, ...options }));
      return file;
    },
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  };
}

const usual = {
  wire: "openai_compatible",
  extra: "",
  contextTokens: 32_768,
  maxTokens: 8192,
  modelKeys: "",
} as const;

function configText(at: {
  readonly home: string;
  readonly url: string;
  readonly wire: Wire;
  readonly extra: string;
  readonly contextTokens: number;
  readonly maxTokens: number;
  readonly modelKeys: string;
}): string {
  const model = (name: string, roles: string, tier: number) =>
    `[models.${name}]\nprovider = "${at.wire}"\nbase_url = "${at.url}"\nmodel = "${name}"\napi_key = "not-a-real-key-${name}"\nroles = ${roles}\ntier = ${tier}\ncontext_tokens = ${at.contextTokens}\nmax_tokens = ${at.maxTokens}\nmax_concurrency = 8\n${at.modelKeys}\n`;
  return [
    "[server]\nport = 0",
    `[memory]\ndatabase_path = "${join(at.home, "loom.db")}"`,
    `[workspace]\nscratch_dir = "${join(at.home, "scratch")}"`,
    '[logging]\nlevel = "silent"',
    model("hands", '["executor", "extractor"]', 1),
    model("head", '["planner", "verifier"]', 2),
    at.extra,
  ].join("\n\n");
}

export interface Client {
  readonly url: string;
  get<T = Json>(path: string): Promise<T>;
  post<T = Json>(path: string, body?: unknown): Promise<Answer<T>>;
  submit(body: Readonly<Record<string, unknown>>): Promise<string>;
  /** The view once the task is closed; throws with the view when it is not within `seconds`. */
  closed(taskId: string, seconds?: number): Promise<View>;
  /** Waits, by the long-poll twin of the stream, for the first event that fits. */
  until(taskId: string, fits: (event: WireEvent) => boolean): Promise<WireEvent>;
  events(taskId: string): Promise<readonly WireEvent[]>;
}

// biome-ignore lint/suspicious/noExplicitAny: answers are what a client reads of them; a test's expectations are the check
export type Json = any;

export interface Answer<T> {
  readonly status: number;
  readonly body: T;
}

export interface WireEvent {
  readonly seq: number;
  readonly event_type: string;
  readonly subtask_id?: string;
  readonly timestamp: string;
  readonly data: Json;
}

export interface View {
  readonly status: string;
  readonly plan: {
    readonly subtasks: readonly { readonly id: string; readonly status: string; readonly summary: string }[];
  };
  readonly errors: readonly { readonly error: string }[];
  readonly [field: string]: Json;
}

export function clientOf(url: string): Client {
  const get = async <T>(path: string): Promise<T> => (await (await fetch(`${url}${path}`)).json()) as T;
  const post = async <T>(path: string, body: unknown = {}): Promise<Answer<T>> => {
    const answer = await fetch(`${url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { status: answer.status, body: (await answer.json()) as T };
  };
  return {
    url,
    get,
    post,
    submit: async (body) => {
      const { status, body: answer } = await post<{ task_id: string }>("/tasks", body);
      if (status !== 201) throw new Error(`POST /tasks: ${status} ${JSON.stringify(answer)}`);
      return answer.task_id;
    },
    closed: async (taskId, seconds = 15) => {
      const view = await get<View>(`/tasks/${taskId}?wait=${seconds}`);
      if (["completed", "failed", "cancelled"].includes(view.status)) return view;
      throw new Error(`Task ${taskId} is still ${view.status}: ${JSON.stringify(view, null, 1)}`);
    },
    until: async (taskId, fits) => {
      for (let after = 0; ; ) {
        const events = await get<WireEvent[]>(`/tasks/${taskId}/events?after=${after}&limit=200&wait=10`);
        const found = events.find(fits);
        if (found !== undefined) return found;
        if (events.length === 0)
          throw new Error(`Nothing more happened to ${taskId}: ${JSON.stringify(await get(`/tasks/${taskId}`))}`);
        after = events.at(-1)?.seq ?? after;
      }
    },
    events: (taskId) => get(`/tasks/${taskId}/events?limit=1000`),
  };
}

export interface Scenario extends AsyncDisposable {
  readonly client: Client;
  readonly place: Place;
  readonly model: ModelServer;
  /** Ends this Loom as SIGTERM would, and starts the next on the same home. */
  restart(): Promise<void>;
}

export async function startScenario(
  model: ModelServerOptions,
  options: {
    readonly wire?: Wire;
    readonly extra?: string;
    readonly maxTokens?: number;
    readonly modelKeys?: string;
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<Scenario> {
  const place = createPlace();
  const server = await startModelServer(model);
  const path = place.configure({ url: server.url, ...options });
  const { env = {} } = options;
  const open = () =>
    serveLoom(loadConfig({ path, env: {}, cwd: place.home, home: place.home }).config, { env, problems: [] });
  let served = await open();
  let client = clientOf(served.url);
  return {
    get client() {
      return client;
    },
    place,
    model: server,
    restart: async () => {
      await served[Symbol.asyncDispose]();
      served = await open();
      client = clientOf(served.url);
    },
    [Symbol.asyncDispose]: async () => {
      await served[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      place[Symbol.dispose]();
    },
  };
}
