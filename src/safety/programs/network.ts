/** Programs that talk to other machines: free towards this machine, a person's call towards any other. */
import type { Argument } from "../shell-words.ts";
import { asks, type Call, each, type Program, type Programs, positionals, valuesOf, without } from "./program.ts";

/** Names and addresses of this machine. */
export function isLocalHost(host: string): boolean {
  const name = host
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "");
  return (
    name === "localhost" ||
    name.endsWith(".localhost") ||
    /^127(\.\d{1,3}){3}$/.test(name) ||
    name === "::1" ||
    name === "0.0.0.0" ||
    name === ""
  );
}

/** @returns the host of a URL or of `host:port/path`; "…" when it cannot be told */
export function hostOf(target: string): string {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(target)
    ? target
    : `http://${target.replace(/^:(?=\d|\/|$)/, "localhost:")}`;
  return URL.canParse(text) ? new URL(text.replace(/^[a-z][a-z0-9+.-]*:/i, "http:")).hostname : "…";
}

const curlValued = new Set(
  (
    "-o --output -H --header -d --data --data-raw --data-binary --data-urlencode --json -X --request -A --user-agent -b --cookie -c --cookie-jar -e --referer " +
    "-F --form -T --upload-file -u --user -w --write-out -m --max-time --connect-timeout --retry --retry-delay --retry-max-time -O --output-document " +
    "-t --tries --timeout -P --directory-prefix --method --body-data --post-data -r --range -D --dump-header -E --cert --key --cacert --limit-rate -z --url"
  ).split(" "),
);
curlValued.delete("-O");
const wgetValued = new Set([...curlValued, "-O"]);
const elsewhere: ReadonlySet<string> = new Set([
  "-x",
  "--proxy",
  "-K",
  "--config",
  "--resolve",
  "--connect-to",
  "-i",
  "--input-file",
  "--execute",
  "--use-askpass",
  "--preproxy",
]);
const fileOptions: ReadonlySet<string> = new Set([
  "-o",
  "--output",
  "-O",
  "--output-document",
  "-T",
  "--upload-file",
  "-c",
  "--cookie-jar",
  "-b",
  "--cookie",
  "-P",
  "--directory-prefix",
  "--cacert",
  "-E",
  "--cert",
  "--key",
  "-D",
  "--dump-header",
]);
const bodyOptions: ReadonlySet<string> = new Set([
  "-d",
  "--data",
  "--data-binary",
  "--data-urlencode",
  "--json",
  "-F",
  "--form",
  "--data-ascii",
  "--post-file",
  "--body-file",
]);

function fetcher(valued: ReadonlySet<string>): Program {
  return {
    judge: ({ name, args }) => {
      const redirected = args.find(
        ({ text }) => elsewhere.has(text.split("=")[0] ?? "") && !(text === "-i" && name === "curl"),
      );
      if (redirected !== undefined) return asks(`sends its requests where ${redirected.text} says`, "medium");
      return remoteFinding([...positionals(args, valued), ...valuesOf(args, new Set(["--url"]))]);
    },
    paths: ({ name, args }) => [
      ...valuesOf(without(args, name === "curl" ? new Set(["-O"]) : new Set()), fileOptions),
      ...valuesOf(args, bodyOptions).flatMap((value) => sentFile(value)),
    ],
  };
}

/** `@file` and `field=@file` send a file. */
function sentFile(value: Argument): readonly Argument[] {
  const at = /^(?:[^=@]*=)?[@<](.+)$/s.exec(value.text)?.[1];
  return at === undefined || at === "-" ? [] : [{ ...value, text: at }];
}

function remoteFinding(targets: readonly Argument[]) {
  for (const { text, dynamic } of targets) {
    const host = hostOf(text);
    if (dynamic && /^…|:\/\/…/.test(text)) return asks("talks to a host that only the run will tell", "medium");
    if (!isLocalHost(host)) return asks(`talks to ${host} over the network`, "medium");
  }
  return null;
}

/** httpie: an optional method, a URL, then items. */
const httpie: Program = {
  judge: ({ args }) =>
    remoteFinding(
      positionals(args)
        .filter(({ text }) => !/^[A-Z]+$/.test(text))
        .slice(0, 1),
    ),
  paths: () => [],
};

/** Remote shells and copies: even towards this machine they leave the workspace. */
const remoteShell: Program = { judge: ({ name }) => asks(`opens a connection with ${name}`, "high") };

const rawConnection: Program = {
  judge: ({ name, args }) => {
    const host = positionals(args, new Set(["-w", "-p", "-s", "-c", "-i", "-t"]))[0];
    if (args.some(({ text }) => /^-[a-z]*[lecp]/.test(text) && name !== "ping"))
      return asks(`listens or runs commands with ${name}`, "high");
    if (host === undefined) return asks(`opens a connection with ${name}`, "medium");
    return host.dynamic || !isLocalHost(host.text) ? asks(`talks to ${host.text} over the network`, "medium") : null;
  },
  paths: () => [],
};

const copiesRemotely: Program = {
  judge: (call) => {
    const remote = positionals(call.args).find(({ text }) => /^[^/]+:/.test(text));
    if (remote !== undefined) return asks(`copies files to or from ${remote.text.split(":")[0]}`, "high");
    return call.args.some(({ text, dynamic }) => dynamic || text.startsWith("--delete"))
      ? asks("overwrites or deletes files that only the run will tell", "medium")
      : null;
  },
};

export const networkPrograms: Programs = {
  curl: fetcher(curlValued),
  ...each("wget aria2c", fetcher(wgetValued)),
  ...each("http https xh", httpie),
  ...each("ssh scp sftp ftp lftp telnet mosh socat", remoteShell),
  ...each("nc ncat netcat ping dig nslookup host traceroute whois nmap", rawConnection),
  ...each("lynx w3m links elinks", fetcher(new Set())),
  rsync: copiesRemotely,
};

/** Database clients that name another machine. */
export function remoteDatabase({ args }: Call) {
  const hosts = valuesOf(args, new Set(["-h", "--host"])).filter(({ text }) => !text.startsWith("/"));
  const urls = args.filter(({ text }) => /^[a-z][a-z0-9+]*:\/\//i.test(text));
  return remoteFinding([...hosts, ...urls]);
}
