import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { redactedConfig, secretsOf } from "../../src/config/secrets.ts";
import { isWebhookSecret, webhookSecret } from "../../src/config/webhook-secret.ts";

const configured = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const other = `whsec_${Buffer.alloc(64, 7).toString("base64")}`;

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "loom-webhook-secret-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function load(text: string, env: Record<string, string> = {}) {
  writeFileSync(join(folder, "loom.toml"), text);
  return loadConfig({ env, cwd: folder, home: folder }).config;
}

describe("the secret of webhooks", () => {
  test("is the configured one, and then none is made", () => {
    const config = load(`[webhooks]\nsecret = "\${HOOK}"\n`, { HOOK: configured });
    expect(webhookSecret(config)).toBe(configured);
    expect(readdirSync(folder)).toEqual(["loom.toml"]);
  });

  test("is otherwise made once, beside the database, for its owner's eyes", () => {
    const config = load('[memory]\ndatabase_path = "deep/loom.db"\n');
    const made = webhookSecret(config);
    expect(isWebhookSecret(made)).toBe(true);
    expect(webhookSecret(config)).toBe(made);
    const file = join(folder, "deep/loom.db.webhook-secret");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, "utf8")).toBe(`${made}\n`);
    expect(readdirSync(join(folder, "deep"))).toEqual(["loom.db.webhook-secret"]);
  });

  test("is not guessed at when the kept one is broken or cannot be read", () => {
    const config = load('[memory]\ndatabase_path = "loom.db"\n');
    writeFileSync(join(folder, "loom.db.webhook-secret"), "");
    expect(() => webhookSecret(config)).toThrow(/loom\.db\.webhook-secret.*holds no secret/);
    expect(() => webhookSecret(load('[memory]\ndatabase_path = "loom.toml/loom.db"\n'))).toThrow(/ENOTDIR/);
  });

  test.each([
    ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false],
    ["whsec_", false],
    ["whsec_dG9vIHNob3J0", false],
    [`whsec_${Buffer.alloc(65).toString("base64")}`, false],
    ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!", false],
    [configured, true],
    [other, true],
  ])("%s is one: %s", (text, is) => {
    expect(isWebhookSecret(text)).toBe(is);
  });
});

describe("[webhooks] in loom.toml", () => {
  test("takes two secrets while one is changed, and others by receiver; none of them is ever shown", () => {
    const config = load(
      `[webhooks]\nsecret = "${configured} ${other}"\nendpoint_secrets = { "http://agent:8080" = "\${HOOK}" }\n`,
      { HOOK: configured },
    );
    expect(config.webhooks.endpoint_secrets).toEqual({ "http://agent:8080": configured });
    expect(secretsOf(config, {})).toEqual([configured, other]);
    expect(redactedConfig(config)).toMatchObject({
      webhooks: { secret: "(set)", endpoint_secrets: { "http://agent:8080": "(set)" } },
    });
    expect(redactedConfig(load(""))).toMatchObject({ webhooks: { secret: "", endpoint_secrets: {} } });
  });

  test.each([
    'secret = "too-short"',
    `secret = "${configured},${other}"`,
    'endpoint_secrets = { "http://agent:8080" = "" }',
    `endpoint_secrets = { "agent" = "${configured}" }`,
  ])("refuses %s, without showing it", (line) => {
    const refused = () => load(`[webhooks]\n${line}\n`);
    expect(refused).toThrow(/loom\.toml:2: \[webhooks\] (secret|endpoint_secrets) is "\(a secret\)"/);
  });
});
