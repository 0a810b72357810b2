/** nginx in front of a Loom, set up as badly for streams as it can be: buffering whatever the headers ask, cutting after a second. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { StreamProxy } from "../support/buffering-proxy.ts";
import { freePort } from "../support/free-port.ts";

/** @returns the program: `LOOM_NGINX`, or the one on the path; null when there is none */
export function findNginx(): string | null {
  const program = process.env["LOOM_NGINX"] ?? "nginx";
  return spawnSync(program, ["-v"]).status === 0 ? program : null;
}

export async function startNginx(program: string, upstreamPort: number): Promise<StreamProxy> {
  const home = mkdtempSync(join(tmpdir(), "loom-nginx-"));
  const port = await freePort();
  mkdirSync(join(home, "logs"));
  writeFileSync(join(home, "nginx.conf"), configOf({ home, port, upstreamPort }));
  const child = spawn(program, ["-p", home, "-c", join(home, "nginx.conf"), "-e", join(home, "error.log")], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const url = `http://127.0.0.1:${port}`;
  while ((await fetch(`${url}/health`).catch(() => null))?.status !== 200) {
    if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}`);
    await sleep(20);
  }
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      await gone;
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function configOf(at: { readonly home: string; readonly port: number; readonly upstreamPort: number }): string {
  const folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${join(at.home, name)};`)
    .join("\n  ");
  const asked = process.getuid?.() === 0 ? "user root;\n" : "";
  return `${asked}daemon off;
worker_processes 1;
pid ${join(at.home, "nginx.pid")};
error_log ${join(at.home, "error.log")} crit;
events { worker_connections 4096; }
http {
  access_log off;
  ${folders}
  server {
    listen 127.0.0.1:${at.port} backlog=1024;
    location / {
      proxy_pass http://127.0.0.1:${at.upstreamPort};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering on;
      proxy_ignore_headers X-Accel-Buffering;
      proxy_read_timeout 1s;
      proxy_max_temp_file_size 0;
    }
  }
}
`;
}
