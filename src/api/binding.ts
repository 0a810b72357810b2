/** Which addresses only this machine reaches, and what is said of a server that would listen beyond them with an open door. */
import { isIP } from "node:net";
import { LoomError } from "../lib/errors.ts";

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

export function openDoor(host: string): LoomError {
  return new LoomError(
    "config_invalid",
    `Loom does not listen on "${host}" without a key: anyone who reaches it could run commands here`,
    {
      hint: "Make one with `loom keys create --name me --scopes read,submit,approve,admin`, or set LOOM_SERVER__API_KEY (head -c 32 /dev/urandom | base64) or [server] api_key_file, or listen on 127.0.0.1",
    },
  );
}
