/** Package managers that fetch from elsewhere than their registry: a URL, a repository, an index of someone else's. */
import { asks, type Finding } from "../finding.ts";
import { hostFindings, hostOf } from "./network.ts";
import { type Call, each, type Program, type Programs, positionals } from "./program.ts";

const fetching: ReadonlySet<string> = new Set(
  "install i add get update upgrade download dlx exec x create init pip tool ci".split(" "),
);
const elsewhereOptions = /^(--trusted-host|--git)(=|$)/;
const shorthand = /^(git\+|git:|github:|gitlab:|bitbucket:|gist:)/;

function installer(options: { readonly repositories: boolean; readonly always: boolean }): Program {
  return {
    judge: (call) => {
      const [verb, ...packages] = positionals(call.args);
      if (setsOptions(call)) return asks(`changes from where ${call.name} fetches, or what it runs`, "medium");
      if (!options.always && !fetching.has(verb?.text ?? "")) return null;
      const words = options.always ? positionals(call.args).slice(0, 1) : packages;
      const isRepository = options.repositories && words.some(({ text }) => /^[\w-][\w.-]*\/[\w.-]+(#.*)?$/.test(text));
      const isFar = isRepository || call.args.some(({ text }) => shorthand.test(text) || elsewhereOptions.test(text));
      return [
        ...urlFindings(call),
        ...(isFar ? [asks("installs what no registry keeps", "medium")] : []),
        ...(isGlobal(call) ? [asks("installs for every project of this machine", "medium")] : []),
      ];
    },
  };
}

function urlFindings({ args }: Call): readonly Finding[] {
  return args.flatMap((arg) => {
    const url = /[a-z][a-z0-9+.-]*:\/\/\S+/i.exec(arg.text)?.[0];
    if (url === undefined || url.startsWith("file://")) return [];
    return hostFindings([{ ...arg, text: hostOf(url.replace(/^git\+/, "")) }]);
  });
}

/** `npm config set …`, `go env -w …` */
function setsOptions({ name, args }: Call): boolean {
  const [verb, word] = positionals(args);
  if (name === "go") return verb?.text === "env" && args.some(({ text }) => text === "-w");
  return verb?.text === "config" && /^(set|edit|--global|delete)$/.test(word?.text ?? "");
}

function isGlobal({ name, args }: Call): boolean {
  return /^(npm|pnpm|yarn|bun)$/.test(name) && args.some(({ text }) => /^(-g|--global|global)$/.test(text));
}

export const installPrograms: Programs = {
  ...each("npm pnpm yarn bun", installer({ repositories: true, always: false })),
  ...each("npx bunx pnpx", installer({ repositories: true, always: true })),
  ...each(
    "pip uv poetry pdm pipx pipenv cargo gem go composer conda mamba",
    installer({ repositories: false, always: false }),
  ),
};
