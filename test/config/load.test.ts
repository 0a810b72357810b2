import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exampleToml } from "../../src/config/example.ts";
import { type Loaded, loadConfig } from "../../src/config/load.ts";
import { redactedConfig, secretsOf } from "../../src/config/secrets.ts";
import { LoomError } from "../../src/lib/errors.ts";

let cwd = "";
let home = "";

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "loom-config-"));
  home = join(cwd, "home");
  mkdirSync(join(home, ".loom"), { recursive: true });
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

function load(text: string | null, env: Record<string, string> = {}): Loaded {
  if (text !== null) writeFileSync(join(cwd, "loom.toml"), text);
  return loadConfig({ env, cwd, home });
}

function refusal(text: string, env: Record<string, string> = {}): string {
  try {
    load(text, env);
  } catch (error) {
    if (error instanceof LoomError && error.code === "config_invalid") return `${error.message} | ${error.hint}`;
    throw error;
  }
  throw new Error("it was taken");
}

describe("the policy", () => {
  test("is rules in lists, written as tables or inline", () => {
    expect(load('[[policy.deny]]\ncommand = "git push"\n').config.policy.deny).toEqual([{ command: "git push" }]);
    const inline = '[policy]\nallow = [{ host = "pypi.org" }]\nask = [{ path = "infra/**" }]\n';
    expect(load(inline).config.policy).toEqual({
      allow: [{ host: "pypi.org" }],
      ask: [{ path: "infra/**" }],
      deny: [],
    });
  });

  test("names the rule that is wrong, and its line", () => {
    expect(refusal('[server]\n[[policy.deny]]\ncommand = "a; b"\n')).toMatch(
      /loom\.toml:2: \[policy\] deny.*at 0\.command: names one command/,
    );
    expect(refusal('[policy]\nask = [{ reason = "x" }]\n')).toMatch(
      /loom\.toml:2: .*at 0: states no condition: give at least one of tool, command/,
    );
    expect(refusal('[policy]\nask = [{ comand = "x" }]\n')).toContain("at 0: no comand");
  });
});

describe("a configuration", () => {
  test("is the guide's defaults when there is no file", () => {
    const { config, source, warnings } = load(null);
    expect(source).toBeNull();
    expect(warnings).toEqual([]);
    expect(config.server).toMatchObject({ host: "127.0.0.1", port: 9000 });
    expect(config.execution).toMatchObject({
      max_subtask_retries: 3,
      max_loop_iterations: 50,
      max_parallel_subtasks: 3,
      auto_approve_confidence_threshold: 0.8,
    });
    expect(config.verification).toEqual({
      tier1_enabled: true,
      tier2_enabled: true,
      tier3_enabled: false,
      tier3_vote_count: 3,
    });
    expect(config.memory.database_path).toBe(join(home, ".loom/loom.db"));
    expect(config.models).toEqual({});
  });

  test("is read from ./loom.toml before ~/.loom/loom.toml, and from --config before both", () => {
    writeFileSync(join(home, ".loom", "loom.toml"), "[server]\nport = 9001\n");
    expect(load(null).config.server.port).toBe(9001);
    expect(load("[server]\nport = 9002\n").config.server.port).toBe(9002);
    writeFileSync(join(cwd, "other.toml"), "[server]\nport = 9003\n");
    expect(loadConfig({ path: "other.toml", env: {}, cwd, home }).config.server.port).toBe(9003);
  });

  test("takes the guide's example as it stands", () => {
    const { config, warnings } = load(guide);
    expect(warnings).toEqual([]);
    expect(config.models["executor"]).toMatchObject({
      provider: "ollama",
      model: "qwen3:8b",
      roles: ["executor", "extractor"],
      max_tokens: 8192,
      temperature: 0.1,
    });
    expect(config.models["planner"]?.roles).toEqual(["planner", "verifier"]);
  });

  test("is overridden by LOOM_SECTION__KEY, by type", () => {
    const { config, warnings } = load("[server]\nport = 1\n", {
      LOOM_SERVER__PORT: "9009",
      LOOM_VERIFICATION__TIER2_ENABLED: "false",
      LOOM_SERVER__ALLOWED_HOSTS: '["loom.lan"]',
      LOOM_LIMITS__RUNNER__MAX_TOOL_ITERATIONS: "7",
      LOOM_MODELS__SMALL__PROVIDER: "ollama",
      LOOM_NOWHERE__KEY: "1",
    });
    expect(config.server).toMatchObject({ port: 9009, allowed_hosts: ["loom.lan"] });
    expect(config.verification.tier2_enabled).toBe(false);
    expect(config["limits.runner"].max_tool_iterations).toBe(7);
    expect(config.models["small"]?.provider).toBe("ollama");
    expect(warnings).toEqual([expect.stringContaining("LOOM_NOWHERE__KEY")]);
  });

  test("reads variables from the environment, and says which one is missing", () => {
    const variable = "MY_KEY";
    const text = `[models.a]\nprovider = "anthropic"\nmodel = "m"\napi_key = "\${${variable}}"\n`;
    expect(load(text, { MY_KEY: "s3cret-value" }).config.models["a"]?.api_key).toBe("s3cret-value");
    expect(refusal(text)).toContain(`loom.toml:4: [models.a] api_key reads \${${variable}}, which is not set`);
  });

  test("puts paths of the file beside the file", () => {
    const { config } = load(
      '[memory]\ndatabase_path = "data/loom.db"\n[models.s]\nprovider = "scripted"\nscript = "play.json"\n',
    );
    expect(config.memory.database_path).toBe(join(cwd, "data/loom.db"));
    expect(config.models["s"]?.script).toBe(join(cwd, "play.json"));
  });

  test("takes the server's key from a file of its own", () => {
    writeFileSync(join(cwd, "key"), "a-long-enough-key\n");
    expect(load('[server]\napi_key_file = "key"\n').config.server.api_key).toBe("a-long-enough-key");
    expect(refusal('[server]\napi_key_file = "nowhere"\n')).toContain("cannot read a key from");
  });
});

describe("a mistake in the configuration", () => {
  test("names file, line, key, what was found and what is allowed", () => {
    expect(refusal('[server]\nhost = "a"\nport = "http"\n')).toContain(
      `${join(cwd, "loom.toml")}:3: [server] port is "http"; allowed: a number`,
    );
    expect(refusal("[execution]\nmax_parallel_subtasks = 0\n")).toContain(
      "max_parallel_subtasks is 0; allowed: at least 1",
    );
    expect(refusal("[execution]\nmax_parallel_subtasks = 1000\n")).toContain("at most 64");
    expect(refusal('[approval]\non_timeout = "approve"\n')).toContain('allowed: "reject", "pause"');
    expect(refusal('[models.x]\nmodel = "m"\n')).toContain(
      "[models.x] provider is nothing; allowed: ollama, openai_compatible",
    );
    expect(refusal("models = 3\n")).toContain("is 3; allowed: a table");
    expect(refusal("[models]\nx = 3\n")).toContain("[models] x is 3; allowed: a table");
  });

  test("never shows a secret", () => {
    expect(refusal("[server]\napi_key = 12345678\n")).not.toContain("12345678");
  });

  test("in the TOML itself names line and column", () => {
    expect(refusal("[server]\nport = = 3\n")).toMatch(/loom\.toml:2:\d+ is not valid TOML/);
  });

  test("in the path of --config says so", () => {
    expect(() => loadConfig({ path: "missing.toml", env: {}, cwd, home })).toThrow(
      /There is no configuration file at ".*missing\.toml"/,
    );
    mkdirSync(join(cwd, "folder"));
    expect(() => loadConfig({ path: "folder", env: {}, cwd, home })).toThrow(/Cannot read/);
  });

  test("that is only an unknown name is a warning with the nearest known one", () => {
    const { warnings } = load("[server]\nprot = 9000\n[excution]\nx = 1\n[limits]\nqqqqqqqqqq = 1\n");
    expect(warnings.join("\n")).toContain("prot is not a key of Loom and was ignored; did you mean port?");
    expect(warnings.join("\n")).toContain(
      "[excution] is not a section of Loom and was ignored; did you mean [execution]?",
    );
  });

  test("that asks for what is not built yet is a warning", () => {
    expect(load("[execution]\ndelegate_task_timeout_seconds = 30\n").warnings).toEqual([
      expect.stringContaining("delegate_task_timeout_seconds is not available yet"),
    ]);
    expect(load("[execution]\ndelegate_task_timeout_seconds = 3600\n").warnings).toEqual([]);
  });
});

describe("a variable of the environment", () => {
  const secretIn = (name: string, value: string) => secretsOf(load("").config, { [name]: value });

  test.each([
    ["GITHUB_TOKEN", "ghp_0123456789"],
    ["DB_PASSWORD", "hunter2hunter2"],
    ["PGPASSWORD", "hunter2hunter2"],
    ["DB_PWD", "correct horse"],
    ["SECRET_KEY_BASE", "0123456789abcdef"],
    ["client_secret", "0123456789abcdef"],
    ["AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG"],
    ["OPENAI_API_KEY", "sk-0123456789"],
    ["STRIPE_API_KEY_2", "sk_live_0123456789"],
    ["SSH_KEY_PASSPHRASE", "open sesame please"],
    ["SIGNING_KEY", "abcdefghijklmnopqrstuvwx"],
  ])("%s is a secret", (name, value) => expect(secretIn(name, value)).toEqual([value]));

  test.each([
    ["PWD", "/home/somebody/project"],
    ["OLDPWD", "/home/somebody"],
    ["AWS_ACCESS_KEY_ID", "AKIA0123456789"],
    ["SSH_AUTH_SOCK", "/tmp/ssh-XXXX/agent.1"],
    ["SORT_KEY", "created_at"],
    ["PASSWORD_MIN_LENGTH", "12345678"],
    ["GOOGLE_TOKEN_FILE", "/run/secrets/token"],
    ["TOKENIZERS_PARALLELISM", "disabled-here"],
    ["AUTHOR", "somebody@example.org"],
    ["MONKEY", "0123456789abcdef"],
    ["HOME", "/home/somebody"],
  ])("%s is none", (name, value) => expect(secretIn(name, value)).toEqual([]));

  test("may carry a password in an address, which is one as it stands and as it is meant", () => {
    expect(secretIn("DATABASE_URL", "postgres://app:p%40ssw0rd-x@db:5432/app")).toEqual(["p%40ssw0rd-x", "p@ssw0rd-x"]);
    expect(secretIn("PROXY", "http://user:100%-sure-of-it@proxy")).toEqual(["100%-sure-of-it"]);
    expect(secretIn("HOMEPAGE", "https://example.org/a:b@c")).toEqual([]);
  });
});

describe("the configuration as anyone may see it", () => {
  test("holds no secret and no credentials in addresses", () => {
    const { config } = load(
      '[server]\napi_key = "key-of-the-server"\n[models.a]\nprovider = "openai"\nbase_url = "https://me:pass@host/v1"\napi_key = "key-of-a-model"\n',
    );
    const shown = JSON.stringify(redactedConfig(config));
    for (const value of ["key-of-the-server", "key-of-a-model", "me:pass"]) expect(shown).not.toContain(value);
    expect(shown).toContain("https://host/v1");
    const cleaned = redactedConfig(config, (text) => text.replaceAll("host", "[x]"));
    expect(JSON.stringify(cleaned)).toContain("https://[x]/v1");
    expect(secretsOf(config, { GITHUB_TOKEN: "ghp_0123456789", PATH: "/bin", MONKEY: "no" })).toEqual([
      "key-of-the-server",
      "key-of-a-model",
      "pass",
      "ghp_0123456789",
    ]);
  });
});

describe("loom.example.toml", () => {
  test("is what the table of keys says, key by key", () => {
    expect(readFileSync("loom.example.toml", "utf8")).toBe(exampleToml());
  });

  test("is taken without a warning and changes nothing", () => {
    const { config, warnings } = load(exampleToml());
    expect(warnings).toEqual([]);
    rmSync(join(cwd, "loom.toml"));
    expect(config).toEqual(load(null).config);
  });
});

const guide = `
[server]
host = "127.0.0.1"
port = 9000

[models.executor]
provider = "ollama"
base_url = "http://localhost:11434"
model = "qwen3:8b"
roles = ["executor", "extractor"]

[models.planner]
provider = "ollama"
base_url = "http://localhost:11434"
model = "minimax-m2.1"
roles = ["planner", "verifier"]
max_tokens = 8192

[execution]
max_subtask_retries = 3
max_loop_iterations = 50
max_parallel_subtasks = 3     # Independent subtasks run concurrently
auto_approve_confidence_threshold = 0.8

[verification]
tier1_enabled = true
tier2_enabled = true
tier3_enabled = false
tier3_vote_count = 3

[memory]
database_path = "~/.loom/loom.db"

[workspace]
default_path = "~/projects"
scratch_dir = "~/.loom/scratch"
`;
