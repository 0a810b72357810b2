/** Programs that talk to other machines: free towards this machine, a person's call towards any other. */
import { asks, type Finding } from "../finding.ts";
import type { Argument } from "../shell-words.ts";
import { type Call, each, type Program, type Programs, positionals, valuesOf, without } from "./program.ts";

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
const wgetValued = new Set(
  (
    "-O --output-document -o --output-file -a --append-output -P --directory-prefix -t --tries -T --timeout -w --wait -U --user-agent --header --user " +
    "--password -Q --quota -l --level -A -R -D -I -X --method --body-data --post-data --post-file --body-file --limit-rate -d --dir -s -x -j --max-redirect"
  ).split(" "),
);
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
  "--post-file",
  "--body-file",
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
        ({ text }) =>
          (elsewhere.has(text.split("=")[0] ?? "") && !(text === "-i" && name === "curl")) ||
          (text === "-e" && name === "wget"),
      );
      return [
        ...(redirected === undefined ? [] : [asks(`sends its requests where ${redirected.text} says`, "medium")]),
        ...hostFindings(fetchedHosts(args, valued)),
      ];
    },
    hosts: ({ args }) => fetchedHosts(args, valued),
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

function fetchedHosts(args: readonly Argument[], valued: ReadonlySet<string>): readonly Argument[] {
  return hostsAt([...positionals(args, valued), ...valuesOf(args, new Set(["--url"]))]);
}

/** The hosts of URLs, or of `host:port/path`. */
function hostsAt(targets: readonly Argument[]): readonly Argument[] {
  return targets.map((target) => ({
    ...target,
    text: hostOf(target.text),
    dynamic: target.dynamic && /^[^/]*…|:\/\/[^/]*…/.test(target.text),
  }));
}

/** One finding for each host that is not this machine. */
export function hostFindings(hosts: readonly Argument[]): readonly Finding[] {
  return hosts.flatMap(({ text, dynamic }): Finding[] => {
    if (dynamic) return [asks("talks to a host that only the run will tell", "medium")];
    return isLocalHost(text)
      ? []
      : [{ ...asks(`talks to ${text} over the network`, "medium"), host: text.toLowerCase() }];
  });
}

/** httpie: an optional method, a URL, then items. */
const httpie: Program = {
  judge: (call) => hostFindings(httpieHosts(call)),
  paths: () => [],
  hosts: httpieHosts,
};

function httpieHosts({ args }: Call): readonly Argument[] {
  const words = positionals(args).filter(({ text }) => !/^[A-Z]+$/.test(text));
  return hostsAt(words.slice(0, 1));
}

/** Remote shells and copies: even towards this machine they leave the workspace. */
const remoteShell: Program = {
  judge: ({ name }) => asks(`opens a connection with ${name}`, "high"),
  hosts: ({ args }) =>
    positionals(args, new Set("-p -P -i -l -o -F -J -L -R -D -b -c -e -m".split(" "))).flatMap(loginHost),
};

/** `user@host`, `host:path`, `host` */
function loginHost(word: Argument): readonly Argument[] {
  const text = /^(?:[^@/]*@)?([A-Za-z0-9…][\w.…-]*)(?::.*)?$/s.exec(word.text)?.[1];
  return text === undefined ? [] : [{ ...word, text }];
}

const rawConnection: Program = {
  judge: ({ name, args }) => {
    const [host] = connectedHosts(args);
    if (args.some(({ text }) => /^-[a-z]*[lecp]/.test(text) && name !== "ping"))
      return asks(`listens or runs commands with ${name}`, "high");
    if (host === undefined) return asks(`opens a connection with ${name}`, "medium");
    return hostFindings([host]);
  },
  paths: () => [],
  hosts: ({ args }) => connectedHosts(args),
};

function connectedHosts(args: readonly Argument[]): readonly Argument[] {
  return positionals(args, new Set(["-w", "-p", "-s", "-c", "-i", "-t"])).slice(0, 1);
}

const copiesRemotely: Program = {
  judge: (call) => {
    const remote = positionals(call.args).find(({ text }) => /^[^/]+:/.test(text));
    if (remote !== undefined) return asks(`copies files to or from ${remote.text.split(":")[0]}`, "high");
    return call.args.some(({ text, dynamic }) => dynamic || text.startsWith("--delete"))
      ? asks("overwrites or deletes files that only the run will tell", "medium")
      : null;
  },
  hosts: ({ args }) =>
    positionals(args)
      .filter(({ text }) => /^[^/]+:/.test(text))
      .flatMap(loginHost),
};

export const networkPrograms: Programs = {
  curl: fetcher(curlValued),
  ...each("wget aria2c", fetcher(wgetValued)),
  ...each("http https xh", httpie),
  ...each("ssh scp sftp ftp lftp telnet mosh socat", remoteShell),
  ...each("nc ncat netcat ping dig nslookup host traceroute whois nmap", rawConnection),
  ...each("lynx w3m links elinks", fetcher(new Set())),
  rsync: copiesRemotely,
  openssl: {
    judge: ({ args }) =>
      /^s_(client|server|time)$/.test(args[0]?.text ?? "") ? asks("opens a connection with openssl", "medium") : null,
  },
};

/** The machines that a database client names. */
export function databaseHosts({ args }: Call): readonly Argument[] {
  const hosts = valuesOf(args, new Set(["-h", "--host"])).filter(({ text }) => !text.startsWith("/"));
  const urls = args.filter(({ text }) => /^[a-z][a-z0-9+]*:\/\//i.test(text));
  return hostsAt([...hosts, ...urls]);
}
