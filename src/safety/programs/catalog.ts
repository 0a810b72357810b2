/** All programs the judge knows, by name. What is not listed may run: its arguments are still looked at as paths. */

import type { Argument } from "../shell-words.ts";
import { codePrograms } from "./code.ts";
import { filePrograms } from "./files.ts";
import { gitPrograms } from "./git.ts";
import { installPrograms } from "./installs.ts";
import { networkPrograms } from "./network.ts";
import { each, type Program, type Programs, without } from "./program.ts";
import { refusedPrograms } from "./refused.ts";
import { linePrograms, wrapperPrograms } from "./wrappers.ts";

/** Words that these programs take as text, never as a file. */
const textPrograms: Programs = each(
  "echo printf true false : expr seq sleep basename dirname tr date set unset shift exit return break continue wait read type which hash umask ulimit pwd let jobs",
  { paths: () => [] },
);

function textValues(options: string): Program {
  const names = new Set(options.split(" "));
  return { paths: ({ args }) => without(args, names) };
}

const textOptions: Programs = {
  cut: textValues("-d --delimiter"),
  sort: textValues("-t --field-separator -k"),
  paste: textValues("-d"),
  column: textValues("-s -o"),
  ...each("pytest tox nox", textValues("-k -m")),
  ...each("jest vitest mocha ava jasmine playwright cypress", textValues("-t --testNamePattern -g --grep")),
  go: textValues("-run -bench -ldflags -tags"),
};

const tables: readonly Programs[] = [
  textPrograms,
  textOptions,
  wrapperPrograms,
  linePrograms,
  refusedPrograms,
  filePrograms,
  networkPrograms,
  installPrograms,
  codePrograms,
  gitPrograms,
];

/** Everything known of a program: a name may stand in several tables (`npm` wraps and publishes). */
export function programsNamed(name: string): readonly Program[] {
  return tables.flatMap((table) => (Object.hasOwn(table, name) ? (table[name] ?? []) : []));
}

/** `/usr/bin/python3.12` → `python`, `mkfs.ext4` → `mkfs`, `./run.sh` → `run.sh`. */
export function programName(word: Argument): string {
  const base = word.text.split("/").at(-1)?.toLowerCase() ?? "";
  if (/^pypy[\d.]*$/.test(base)) return "python";
  if (/^(python|pip|ruby|perl|php|lua|node)[\d.]*(\.exe)?$/.test(base)) return base.replace(/[\d.]+(exe)?$/, "");
  if (base.startsWith("mkfs.")) return "mkfs";
  return base.replace(/^g(?=(sed|awk|rm|find|chmod|dd|xargs|tar)$)/, "").replace(/\.exe$/, "");
}
