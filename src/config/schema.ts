/**
 * Every key of loom.toml: its type and range, its default, its unit, and why it is there. What Loom reads, warns about,
 * prints as `loom.example.toml` and shows at /config is made from this table.
 */
import { z } from "zod";
import { PolicyRuleList } from "../domain/policy-rules.ts";
import { isWebhookSecret } from "./webhook-secret.ts";

export interface KeySpec<S extends z.ZodType = z.ZodType> {
  readonly schema: S;
  /** `undefined`: the key is absent unless it is set. */
  readonly initial: z.infer<S> | undefined;
  readonly reason: string;
  /** Read and kept, but nothing comes of it yet: setting it to something else is worth a warning. */
  readonly reserved: boolean;
  readonly secret: boolean;
}

function key<S extends z.ZodType>(schema: S, initial: z.infer<S> | undefined, reason: string): KeySpec<S> {
  return { schema, initial, reason, reserved: false, secret: false };
}

function reserved<S extends z.ZodType>(schema: S, initial: z.infer<S>, reason: string): KeySpec<S> {
  return { ...key(schema, initial, reason), reserved: true };
}

function secret(reason: string): KeySpec<z.ZodString> {
  return { ...key(z.string().max(4000), "", reason), secret: true };
}

/** One signs; with two, both do. */
const webhookSecrets = z
  .string()
  .max(4000)
  .refine(
    (text) => text === "" || text.split(" ").every(isWebhookSecret),
    "whsec_ and the base64 of 24 to 64 bytes, or two of them with a space between",
  );

const flag = z.boolean();
const path = z.string().max(4096);
const names = z.array(z.string().min(1).max(300)).max(100);
const int = (min: number, max: number) => z.int().min(min).max(max);
const share = z.number().min(0).max(1);
const usd = z.number().min(0).max(1e6);

export const Role = z.enum(["planner", "executor", "verifier", "extractor", "compactor"]);

/** Keys of each `[models.<name>]`. */
export const modelKeys = {
  provider: key(
    z.enum(["ollama", "openai_compatible", "openai", "anthropic", "scripted"]),
    undefined,
    "what wire it speaks",
  ),
  base_url: key(z.string().max(2000), "", "with or without /v1; empty: the provider's usual address"),
  model: key(z.string().max(300), "", "the model's name at the provider"),
  api_key: secret("better read from the environment, as in the examples above; never written to the log"),
  roles: key(z.array(Role).max(5), ["executor"], "what it is asked for"),
  tier: key(int(0, 3), 0, "how strong it is, 1 to 3; 0: 2 for a planner, else 1"),
  max_tokens: key(int(1, 10_000_000), 8192, "tokens of a reply, at most"),
  temperature: key(z.number().min(0).max(2), 0.1, "low, since work is checked and not admired"),
  context_tokens: key(int(0, 100_000_000), 0, "window in tokens; 0: ask the server, else 8192"),
  max_concurrency: key(int(1, 1000), 4, "calls at a time"),
  first_token_timeout_seconds: key(int(1, 86_400), 300, "seconds; a cold local model loads for minutes"),
  idle_timeout_seconds: key(int(1, 86_400), 60, "seconds between two pieces of a reply"),
  script: key(path, "", "scripted only: the file that is played"),
  input_usd_per_million: key(
    usd,
    undefined,
    "US dollars per million input tokens; absent: not known, so no cost is counted; 0: free",
  ),
  cached_input_usd_per_million: key(usd, undefined, "for those taken from the provider's cache; absent: as the others"),
  output_usd_per_million: key(usd, undefined, "US dollars per million output tokens"),
} as const;

export const sections = {
  server: {
    host: key(z.string().min(1).max(300), "127.0.0.1", "beyond loopback Loom starts only with a key"),
    port: key(int(0, 65_535), 9000, "0: any free one"),
    api_key: secret(
      "clients send it as Authorization: Bearer or X-API-Key; better: LOOM_SERVER__API_KEY or api_key_file",
    ),
    api_key_file: key(path, "", "a file that holds the key and nothing else"),
    allowed_hosts: key(names, [], "further names under which browsers may reach this server"),
    allowed_origins: key(names, [], "origins of web pages that may call it, like https://tools.example"),
  },
  execution: {
    max_subtask_retries: key(
      int(0, 20),
      3,
      "attempts of a subtask beyond the first; the third goes one tier up, the fourth to tier 3",
    ),
    max_loop_iterations: key(int(1, 10_000), 50, "attempts of all subtasks of a task"),
    max_parallel_subtasks: key(int(1, 64), 3, "independent subtasks of one task at a time"),
    auto_approve_confidence_threshold: key(share, 0.8, "for approval_mode confidence_threshold"),
    max_replans: key(int(0, 20), 2, "new plans after failures"),
    max_open_tasks: key(int(1, 10_000), 16, "tasks that run at a time; further ones are pending"),
    model_wait_seconds: key(int(0, 604_800), 3600, "seconds a task waits for a model that is down, in a row"),
    on_uncertain: key(
      z.enum(["tell_model", "ask"]),
      "tell_model",
      "after a crash in the middle of a command: tell the model, or ask a person",
    ),
    delegate_task_timeout_seconds: reserved(int(1, 604_800), 3600, "seconds; for delegated tasks over MCP"),
  },
  verification: {
    tier1_enabled: key(flag, true, "deterministic checks: free and instant"),
    tier2_enabled: key(flag, true, "an independent model looks at what was done"),
    tier3_enabled: key(flag, false, "several votes that differ"),
    tier3_vote_count: key(int(1, 9), 3, "votes of tier 3"),
  },
  approval: {
    timeout_seconds: key(int(0, 31_536_000), 0, "seconds until an approval expires; 0: never"),
    on_timeout: key(z.enum(["reject", "pause"]), "reject", "no answer is never a yes"),
    approvers: key(z.enum(["wait", "none"]), "wait", "none: nobody answers, so what needs a yes is refused at once"),
  },
  keys: {
    tokens_per_day: key(
      int(0, 1e15),
      0,
      "tokens that the tasks of one key may use in a day of UTC, unless it was made with its own; 0: any number",
    ),
    usd_per_day: key(z.number().min(0).max(1e9), 0, "US dollars, the same; every model then needs its prices"),
  },
  policy: {
    deny: key(
      PolicyRuleList,
      [],
      'never runs, and nobody is asked: [{ command = "git push", reason = "a person pushes" }]',
    ),
    ask: key(
      PolicyRuleList,
      [],
      'waits for a person: [{ path = "infra/**" }, { tool = "web_fetch", host = "*.internal" }]',
    ),
    allow: key(
      PolicyRuleList,
      [],
      'no longer asks, but for the floor: [{ command = "docker compose up *" }, { host = "pypi.org" }]',
    ),
  },
  memory: {
    database_path: key(path, "~/.loom/loom.db", "the one SQLite file; larger blobs lie in a folder beside it"),
    retention_days: key(int(0, 36_500), 0, "days that closed tasks are kept, then only their last view; 0: for ever"),
  },
  workspace: {
    default_path: key(path, "~/projects", "where `loom run` looks for a workspace that is named, not given as a path"),
    scratch_dir: key(path, "~/.loom/scratch", "tasks without a workspace get a fresh folder here"),
    shared: key(flag, false, "let two tasks work in one workspace at a time"),
  },
  undo: {
    max_files: key(
      int(0, 1_000_000),
      20_000,
      "files and folders that are kept track of while commands run; beyond, undo is partial",
    ),
    max_bytes: key(int(0, 1e12), 536_870_912, "bytes of them, kept beside the database while a task runs commands"),
  },
  webhooks: {
    secret: {
      ...key(
        webhookSecrets,
        "",
        "whsec_…: signs deliveries; two with a space between: both do. Empty: one is made, `loom webhooks secret` shows it",
      ),
      secret: true,
    },
    endpoint_secrets: {
      ...key(z.record(z.url(), webhookSecrets.min(1)), {}, 'others, by receiver: { "http://agent:8080" = "whsec_…" }'),
      secret: true,
    },
    allow_private: key(
      flag,
      undefined,
      "callbacks to private and loopback addresses; absent: only while Loom itself is bound to loopback",
    ),
  },
  sandbox: {
    mode: key(
      z.enum(["auto", "require", "off"]),
      "auto",
      "commands run in a sandbox where there is one; require: else Loom does not start; off: never",
    ),
    network: key(flag, false, "let every command reach the network, not only those that someone allowed to"),
    memory_mib: key(int(0, 10_000_000), 4096, "MiB of memory of a command; 0: no limit"),
    processes: key(int(0, 1_000_000), 512, "processes of a command at a time; 0: no limit"),
    file_mib: key(int(0, 10_000_000), 4096, "MiB of any one file that a command writes; 0: no limit"),
    readable: key(names, [], 'further folders that commands may read, like "~/toolchains"'),
  },
  web: {
    allow_private: key(flag, false, "let web_fetch reach private and loopback addresses"),
  },
  logging: {
    level: key(z.enum(["debug", "info", "warn", "error", "silent"]), "info", "JSON lines on stderr"),
  },
  "limits.runner": {
    max_tool_iterations: key(int(1, 500), 50, "model turns of an attempt"),
    tool_result_chars: key(
      int(500, 200_000),
      8000,
      "characters of a tool's output that a model sees; head and tail are kept",
    ),
    enable_filetype_ingest_router: reserved(flag, true, "ingest by file type"),
    enable_artifact_telemetry_events: reserved(flag, true, "events about artifacts"),
    artifact_telemetry_max_metadata_chars: reserved(int(120, 100_000), 1200, "characters"),
    enable_model_overflow_fallback: reserved(flag, true, "compaction when a prompt is too long"),
    ingest_artifact_retention_max_age_days: reserved(int(0, 36_500), 14, "days"),
    ingest_artifact_retention_max_files_per_scope: reserved(int(1, 1_000_000), 96, "files"),
    ingest_artifact_retention_max_bytes_per_scope: reserved(int(1024, 1e15), 268_435_456, "bytes"),
  },
} as const;

type Values<Keys extends Readonly<Record<string, KeySpec>>> = {
  readonly [K in keyof Keys]: Keys[K]["initial"] extends undefined
    ? z.infer<Keys[K]["schema"]> | undefined
    : z.infer<Keys[K]["schema"]>;
};

export type SectionName = keyof typeof sections;
export type ModelEntry = Omit<Values<typeof modelKeys>, "provider"> & {
  readonly provider: z.infer<(typeof modelKeys)["provider"]["schema"]>;
};

export type Config = { readonly [S in SectionName]: Values<(typeof sections)[S]> } & {
  readonly models: Readonly<Record<string, ModelEntry>>;
};

/** The defaults of a table of keys. */
export function initialValues(keys: Readonly<Record<string, KeySpec>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(keys).flatMap(([name, spec]) => (spec.initial === undefined ? [] : [[name, spec.initial]])),
  );
}
