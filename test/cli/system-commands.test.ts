/** Commands about Loom itself: serve, models, tools, config, doctor, demo, help. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { nodeCheck } from "../../src/cli/doctor.ts";
import { LoomError } from "../../src/lib/errors.ts";
import { oneModel, PlayedLoom, serveFake, Terminal } from "./terminal.ts";

describe("loom serve", () => {
  test("says where it listens, runs until it is told to stop, and is closed", async () => {
    let closed = 0;
    using terminal = new Terminal({
      env: oneModel,
      stdout: {
        write: (text) => {
          terminal.out += text;
          terminal.interrupt.abort();
        },
      },
      serve: async ({ server }) => ({
        url: `http://${server.host}:${server.port}`,
        [Symbol.asyncDispose]: async () => {
          closed += 1;
        },
      }),
    });
    expect(await terminal.run("serve", "--host", "127.0.0.2", "--port", "0")).toBe(0);
    expect(terminal.out).toContain("listens on http://127.0.0.2:0");
    expect(terminal.err).toContain("configuration: defaults");
    expect(closed).toBe(1);
  });

  test("exits 64 for a port that is none, 78 for a configuration that is wrong", async () => {
    using terminal = new Terminal({ env: oneModel });
    expect(await terminal.run("serve", "--port", "http")).toBe(64);
    expect(await terminal.run("serve", "--port", "70000")).toBe(64);
    expect(await terminal.run("serve", "--config", "missing.toml")).toBe(78);
    writeFileSync(join(terminal.home, "loom.toml"), "[server]\nport = 'high'\n");
    expect(await terminal.run("config")).toBe(0);
    using plain = new Terminal({ cwd: terminal.home, env: { LOOM_SERVER__PORT: undefined } });
    expect(await plain.run("config")).toBe(78);
    expect(plain.err).toMatch(/loom\.toml:2: .*port is "high"/);
  });

  test("hands on why it could not start", async () => {
    using terminal = new Terminal({
      env: oneModel,
      serve: () => Promise.reject(new LoomError("storage_locked", "Another Loom has the database")),
    });
    expect(await terminal.run("serve")).toBe(69);
    expect(terminal.err).toContain("loom: Another Loom has the database");
  });
});

describe("loom models and loom tools", () => {
  test("ask the server, or open an engine where there is none", async () => {
    const loom = new PlayedLoom();
    await using server = await serveFake(loom);
    for (const world of [{ env: { LOOM_URL: server.url } }, { env: oneModel, open: async () => loom }]) {
      using terminal = new Terminal(world);
      expect(await terminal.run("models")).toBe(0);
      expect(await terminal.run("models", "--probe")).toBe(0);
      const line = (health: string) => `executor  scripted  fake-1  tier 1  executor  ${health}  http://127.0.0.1:1\n`;
      const profile = [
        "",
        "executor at its server:",
        "  tools reach the prompt    yes                       (the server says so)",
        "  a schema binds the reply  yes                       (probed, 2026-11-21 10:00 UTC)",
        "  window                    8192 tokens               (configured)",
        "  a prefix is reused        the server does not tell  (probed, 2026-11-21 10:00 UTC)",
        "  so it is spoken to in     native calls              (the server says so)",
        "",
      ].join("\n");
      expect(terminal.out).toBe(line("unknown") + profile + line("up") + profile);
      terminal.out = "";
      expect(await terminal.run("tools")).toBe(0);
      expect(terminal.out).toBe("read_file  low  Reads a file\n");
      terminal.out = "";
      expect(await terminal.run("models", "--json")).toBe(0);
      expect(JSON.parse(terminal.out)).toMatchObject([{ name: "executor", max_tokens: 4096 }]);
      terminal.out = "";
      expect(await terminal.run("tools", "--json")).toBe(0);
      expect(JSON.parse(terminal.out)).toMatchObject([{ name: "read_file" }]);
    }
    expect(loom.disposed).toBe(5);
  });

  test("say so when no model is configured", async () => {
    const loom = new PlayedLoom();
    loom.models = () => [];
    await using server = await serveFake(loom);
    using terminal = new Terminal({ env: { LOOM_URL: server.url } });
    expect(await terminal.run("models")).toBe(0);
    expect(terminal.out).toContain("No model is configured");
  });
});

describe("loom webhooks secret", () => {
  test("shows what receivers verify with: the same each time", async () => {
    using terminal = new Terminal({ env: oneModel });
    expect(await terminal.run("webhooks", "secret")).toBe(0);
    const first = terminal.out;
    expect(first).toMatch(/^whsec_[A-Za-z0-9+/]{43}=\n$/);
    terminal.out = "";
    expect(await terminal.run("webhooks", "secret")).toBe(0);
    expect(terminal.out).toBe(first);
    expect(await terminal.run("webhooks")).toBe(64);
  });
});

describe("loom config", () => {
  test("prints what is in force as JSON without secrets, and where it comes from", async () => {
    using terminal = new Terminal({ env: { ...oneModel, LOOM_SERVER__API_KEY: "a-very-secret-key" } });
    writeFileSync(join(terminal.home, "loom.toml"), "[server]\nprot = 1\n");
    expect(await terminal.run("config")).toBe(0);
    expect(JSON.parse(terminal.out)).toMatchObject({ server: { port: 1 } });
    expect(terminal.out).not.toContain("a-very-secret-key");
    expect(terminal.err).toContain("loom.toml");
    expect(terminal.err).toContain("did you mean port?");
  });
});

describe("loom doctor", () => {
  test("says that all is well, that there is no sandbox, and what is worth knowing", async () => {
    const loom = new PlayedLoom();
    loom.probeModels = async () => [
      {
        ...(loom.models()[0] as ReturnType<typeof loom.models>[number]),
        roles: ["planner", "executor"],
        health: "up",
        tool_protocol: "json_schema",
        notes: ["drops tools"],
      },
    ];
    using terminal = new Terminal({
      env: { ...oneModel, LOOM_MODELS__EXECUTOR__API_KEY: "short" },
      open: async () => loom,
    });
    expect(await terminal.run("doctor")).toBe(0);
    for (const text of [
      `ok   node: ${process.versions.node}`,
      "ok   configuration: no loom.toml",
      "(will be made)",
      "GiB free",
      "note redaction: [models.executor] api_key is too short",
      "note server: none answers at http://127.0.0.1:1",
      "ok   model: executor: fake-1 at http://127.0.0.1:1 is up, tier 1, for planner, executor; tools travel as JSON",
      "note model: executor: drops tools",
      "note sandbox: none: this is a test. Commands that models write reach everything",
    ])
      expect(terminal.out).toContain(text);
  });

  test("exits 78 and says what to do when a model is down, a role is missing or nothing can be opened", async () => {
    const loom = new PlayedLoom();
    loom.probeModels = async () => loom.models().map((model) => ({ ...model, health: "down" as const, base_url: "" }));
    await using server = await serveFake(loom);
    using down = new Terminal({ env: { LOOM_URL: server.url } });
    expect(await down.run("doctor")).toBe(78);
    expect(down.out).toContain("ok   server: answers at");
    expect(down.out).toContain("BAD  model: executor: fake-1 at scripted is down");
    expect(down.out).toContain("BAD  models: no model has the role planner");
    using closed = new Terminal({
      env: oneModel,
      open: () => Promise.reject(new LoomError("storage_failed", "The disk is gone")),
    });
    expect(await closed.run("doctor")).toBe(78);
    expect(closed.out).toContain("BAD  models: loom: The disk is gone");
  });

  test("exits 78 when the database's place cannot be written", async () => {
    using terminal = new Terminal();
    const file = join(terminal.home, "a-file");
    writeFileSync(file, "");
    using blocked = new Terminal({
      env: { ...oneModel, LOOM_MEMORY__DATABASE_PATH: join(file, "loom.db") },
      open: async () => new PlayedLoom(),
    });
    expect(await blocked.run("doctor")).toBe(78);
    expect(blocked.out).toContain("set [memory] database_path");
  });

  test("knows a Node that is too old", () => {
    expect(nodeCheck("20.19.0")).toMatchObject({
      state: "bad",
      text: expect.stringContaining("install Node 24") as string,
    });
  });
});

describe("the words behind loom", () => {
  test("print help and version with exit code 0", async () => {
    using terminal = new Terminal();
    expect(await terminal.run("--help")).toBe(0);
    for (const name of [
      "serve",
      "run",
      "status",
      "watch",
      "cancel",
      "approve",
      "steer",
      "undo",
      "pause",
      "resume",
      "models",
      "tools",
      "config",
      "doctor",
      "demo",
      "questions",
      "answer",
    ]) {
      expect(terminal.out).toMatch(new RegExp(`^  ${name}\\b`, "m"));
    }
    expect(terminal.out).toContain("Exit codes: 0 done");
    terminal.out = "";
    expect(await terminal.run("--version")).toBe(0);
    expect(terminal.out).toBe("1.2.3\n");
    expect(await terminal.run("run", "--help")).toBe(0);
    expect(terminal.out).toContain("--no-wait");
  });

  test("are refused with 64 when they are none", async () => {
    using terminal = new Terminal();
    expect(await terminal.run("rnu", "x")).toBe(64);
    expect(terminal.err).toContain("unknown command 'rnu'");
    expect(await terminal.run()).toBe(64);
  });

  test("start the demo, whose exit code is theirs", async () => {
    using terminal = new Terminal({ demo: async () => 1 });
    expect(await terminal.run("demo")).toBe(1);
  });

  test("tell a bug as a bug, with its stack", async () => {
    using terminal = new Terminal({ demo: () => Promise.reject(new Error("oh no")) });
    expect(await terminal.run("demo")).toBe(1);
    expect(terminal.err).toMatch(/should not happen.*\n.*Error: oh no\n\s+at /);
  });
});
