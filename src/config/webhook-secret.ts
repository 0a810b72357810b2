/**
 * The secret that signs webhooks: as it is configured, else one that is made once and kept beside the database, readable by
 * its owner only. @see DECISIONS 33
 */
import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { LoomError, messageOf } from "../lib/errors.ts";

const prefix = "whsec_";
const madeBytes = 32;

/** Standard Webhooks: `whsec_` and the base64 of 24 to 64 bytes. */
export function isWebhookSecret(text: string): boolean {
  if (!text.startsWith(prefix)) return false;
  const encoded = text.slice(prefix.length);
  const bytes = Buffer.from(encoded, "base64");
  return bytes.toString("base64") === encoded && bytes.length >= 24 && bytes.length <= 64;
}

interface Where {
  readonly memory: { readonly database_path: string };
  readonly webhooks: { readonly secret: string };
}

/** @throws LoomError config_invalid, when the kept one cannot be read or made */
export function webhookSecret({ memory, webhooks }: Where): string {
  if (webhooks.secret !== "") return webhooks.secret;
  const file = `${memory.database_path}.webhook-secret`;
  try {
    const kept = (readKept(file) ?? make(file)).trim();
    if (kept.split(" ").every(isWebhookSecret)) return kept;
    throw new Error("it holds no secret of webhooks");
  } catch (error) {
    throw new LoomError("config_invalid", `Cannot keep the secret of webhooks in "${file}": ${messageOf(error)}`, {
      hint: "Remove the file to have a new one made, or set [webhooks] secret to whsec_ and the base64 of 32 random bytes",
      cause: error,
    });
  }
}

function readKept(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

/** Whole or not at all, also when two processes make one at a time: the first one counts. */
function make(file: string): string {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}`;
  try {
    writeFileSync(draft, `${prefix}${randomBytes(madeBytes).toString("base64")}\n`, { mode: 0o600, flush: true });
    linkSync(draft, file);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return readFileSync(file, "utf8");
}
