/**
 * The policy where a sandbox holds the network off: what fetches packages or talks to a remote is asked about, though it may
 * run, and what a person says yes to gets the network if its line speaks of one. Explicit rules go before: a judgement that
 * says itself whether it has the network stands.
 */
import type { Judgement, Policy } from "../ports/policy.ts";
import type { Action } from "../ports/tool.ts";

/** Program → verbs that reach out. What only may (`cargo build`, `npx`) runs without, and fails if it had to. */
const fetching: Readonly<Record<string, string>> = {
  "npm|pnpm|yarn|bun": "install|i|ci|add|update|up|upgrade|audit|outdated|create|init|dlx",
  "pip3?|pipx|pipenv": "install|download|sync|update|upgrade|lock",
  "uv|poetry|pdm|hatch|rye|conda|mamba": "add|install|sync|lock|update|upgrade|pip|create",
  "cargo|rustup": "fetch|install|update|add|search|toolchain",
  go: "get|install|mod (?:download|tidy)",
  "bundle|gem|composer|dotnet|nuget|cpan|cpanm|luarocks|mix|stack|cabal":
    "install|update|require|restore|deps\\.get|add",
  git: "push|fetch|pull|clone|ls-remote|submodule|remote update",
};
const options = "(?:-\\S+\\s+)*";
const before =
  "(?:^|[;&|(\\n{]|\\b(?:then|do|else)\\s)\\s*(?:\\w+=\\S*\\s+)*(?:(?:env|time|nice|nohup|command|exec)\\s+)*";
const fetchers = Object.entries(fetching).map(
  ([programs, verbs]) =>
    new RegExp(`${before}((?:python3?\\s+-m\\s+)?(?:${programs})\\s+${options}(?:${verbs}))(?![\\w-])`),
);
const bareYarn = new RegExp(`${before}(yarn)\\s*(?:$|[;&|)\\n])`);

const speaksOfNetwork =
  /:\/\/|@[\w.-]+:|\b(?:curl|wget|https?|ssh|scp|sftp|rsync|ftp|nc|ncat|netcat|telnet|ping|dig|host|nslookup|aria2c|apt|apt-get|apk|dnf|yum|brew|docker|gh|npx|bunx|uvx|socket|urllib|requests|fetch)\b/;

/** @param policy judges everything else */
export function withoutNetwork(policy: Policy): Policy {
  return { judge: (action, task) => confined(action, policy.judge(action, task)) };
}

function confined(action: Action, judgement: Judgement): Judgement {
  if (judgement.network !== undefined || judgement.decision === "deny") return judgement;
  const line = action.command ?? action.argv?.join(" ");
  if (line === undefined) return judgement;
  const fetched = fetchIn(line);
  if (judgement.decision === "ask")
    return { ...judgement, network: fetched !== null || action.hosts.length > 0 || speaksOfNetwork.test(line) };
  if (fetched === null) return judgement;
  return {
    decision: "ask",
    reason: `"${fetched}" needs the network, which is off in the sandbox unless someone allows it.`,
    risk: "low",
    network: true,
  };
}

/** @returns the words that fetch, or null */
function fetchIn(line: string): string | null {
  for (const pattern of [...fetchers, bareYarn]) {
    const found = pattern.exec(line)?.[1];
    if (found !== undefined) return found;
  }
  return null;
}
