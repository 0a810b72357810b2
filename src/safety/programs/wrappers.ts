/** Programs that run another command: taken off, so that what they run is judged. An option not known here is not guessed at. */

import { asks, insists } from "../finding.ts";
import { NotUnderstood } from "../shell-tokens.ts";
import type { Argument } from "../shell-words.ts";
import { type Call, each, type Program, type Programs, type Run, unknownArgument, valuesOf } from "./program.ts";
import { hijackingVariables } from "./traits.ts";

interface Shape {
  /** Options that take the next word. */
  readonly valued?: string;
  /** Options that stand alone. */
  readonly plain?: string;
  /** Words before the command: a duration, a file. */
  readonly skip?: number;
  /** `NAME=value` may stand before the command. */
  readonly assigns?: boolean;
  /** The command gets further arguments that only the run will tell. */
  readonly feeds?: boolean;
  /** With one of these options nothing runs. */
  readonly inert?: string;
  /** The subcommand that runs what follows; others run nothing that is named here. */
  readonly verbs?: string;
}

function wrapper(shape: Shape): Program {
  return { runs: (call) => unwrap(call, shape), paths: (call) => leading(call, unwrap(call, shape)) };
}

/** What stands before the command that is run. */
function leading({ args }: Call, runs: readonly Run[]): readonly Argument[] {
  const [run] = runs;
  const command = run?.kind === "command" ? run.words[0] : undefined;
  return args
    .slice(0, command === undefined ? args.length : args.indexOf(command))
    .filter(({ text }) => !/^[A-Za-z_]\w*=/.test(text));
}

function unwrap(call: Call, shape: Shape): readonly Run[] {
  const args = shape.verbs === undefined ? call.args : behindVerb(call.args, shape.verbs);
  const words = args.slice(firstWord({ ...call, args }, shape) + (shape.skip ?? 0));
  if (words.length === 0) return [];
  return [{ kind: "command", words: shape.feeds === true ? fed(words, args) : words }];
}

/** Words that hold the mark for what is fed in, `{}` or what `-I` names, are as unknown as what is added at the end. */
function fed(words: readonly Argument[], args: readonly Argument[]): readonly Argument[] {
  const glued = args.find(({ text }) => /^-I./.test(text))?.text.slice(2);
  const mark = valuesOf(args, new Set(["-I", "--replace", "-J"]))[0]?.text ?? glued ?? "{}";
  return [...words.map((word) => (word.text.includes(mark) ? unknownArgument : word)), unknownArgument];
}

/** @returns where options and assignments end; behind everything when an option says that nothing runs */
function firstWord({ name, args }: Call, shape: Shape): number {
  for (let at = 0; at < args.length; at += 1) {
    const text = args[at]?.text ?? "";
    if (text === "--") return at + 1;
    if (listed(shape.inert, text)) return args.length;
    if (text.startsWith("-")) at += optionWidth(name, text, shape);
    else if (!(shape.assigns === true && /^[A-Za-z_]\w*=/.test(text))) return at;
  }
  return args.length;
}

/** @returns how many further words the option takes */
function optionWidth(name: string, option: string, shape: Shape): number {
  if (listed(shape.valued, option)) return 1;
  const letter = option.slice(0, 2);
  const joined = option.includes("=")
    ? listed(shape.valued, option.split("=")[0] ?? "")
    : !option.startsWith("--") && listed(shape.valued, letter);
  const cluster =
    /^-[A-Za-z0-9]+$/.test(option) &&
    option
      .slice(1)
      .split("")
      .every((character) => listed(shape.plain, `-${character}`));
  if (joined || cluster || listed(shape.plain, option.split("=")[0] ?? "")) return 0;
  throw new NotUnderstood(`"${name} ${option}" is an option that this reader does not know`);
}

function behindVerb(args: readonly Argument[], verbs: string): readonly Argument[] {
  const at = args.findIndex(({ text }) => !text.startsWith("-"));
  return at !== -1 && listed(verbs, args[at]?.text ?? "") ? args.slice(at + 1) : [];
}

function listed(words: string | undefined, word: string): boolean {
  return words?.split(" ").includes(word) ?? false;
}

const packageRunner: Shape = {
  plain: "-y --yes --no-install -q --quiet --no --bun --silent --offline --prefer-offline",
  valued: "-p --package --from --with --python",
};

export const wrapperPrograms: Programs = {
  env: {
    ...wrapper({
      valued: "-u --unset -C --chdir",
      plain: "-i - --ignore-environment -0 --null -v --debug",
      assigns: true,
    }),
    judge: ({ args }) =>
      args
        .filter(({ text }) => /^\w+=/.test(text) && hijackingVariables.test(text.split("=")[0] ?? ""))
        .map(({ text }) => asks(`sets ${text.split("=")[0]}, which makes other programs run something else`, "medium")),
  },
  nice: wrapper({ valued: "-n --adjustment", plain: "-1 -5 -10 -15 -19" }),
  ionice: wrapper({ valued: "-c -n -p --class --classdata", plain: "-t" }),
  timeout: wrapper({
    valued: "-s --signal -k --kill-after",
    plain: "--foreground --preserve-status -v --verbose -f -p",
    skip: 1,
  }),
  ...each(
    "nohup setsid builtin unbuffer chronic caffeinate",
    wrapper({ plain: "-i -s -d -m -w -f -c --wait --fork --ctty" }),
  ),
  time: wrapper({ plain: "-p -v -l -h --verbose --portability", valued: "-f --format -o --output" }),
  stdbuf: wrapper({ valued: "-i -o -e --input --output --error" }),
  ...each("chrt taskset", wrapper({ skip: 1, plain: "-f -r -o -b -i -c" })),
  command: wrapper({ plain: "-p", inert: "-v -V" }),
  exec: wrapper({ valued: "-a", plain: "-c -l" }),
  flock: wrapper({ skip: 1, plain: "-n -x -s -u --nonblock --exclusive --shared", valued: "-w --timeout -E" }),
  watch: wrapper({ valued: "-n --interval", plain: "-d -t -g -e -x" }),
  busybox: wrapper({}),
  xargs: wrapper({
    valued: "-a --arg-file -d --delimiter -E -I --replace -L --max-lines -n --max-args -P --max-procs -s --max-chars",
    plain: "-0 --null -r --no-run-if-empty -t --verbose -p -x --exit -i -J",
    feeds: true,
  }),
  parallel: {
    ...wrapper({ valued: "-j --jobs", plain: "-k -0 --keep-order --null", feeds: true }),
    judge: ({ args, input }) =>
      input.kind !== "none" && args.every(({ text }) => text.startsWith("-"))
        ? insists("feeds lines to parallel, which runs them", "high")
        : null,
  },
  ...each("npx bunx uvx pnpx", wrapper(packageRunner)),
  ...each("npm pnpm yarn bun", wrapper({ ...packageRunner, verbs: "exec x dlx" })),
  ...each("poetry pipenv uv rye hatch pdm pipx mise", wrapper({ ...packageRunner, verbs: "run" })),
  bundle: wrapper({ verbs: "exec" }),
};

/** What a trap or a runner's `-c` holds is a line of its own. */
export const linePrograms: Programs = {
  trap: {
    runs: ({ args }) => {
      const line = args[0];
      if (line === undefined || args.length < 2 || line.text === "-" || line.text === "") return [];
      if (line.dynamic) throw new NotUnderstood("a trap runs what only the run will tell");
      return [{ kind: "script", text: line.text }];
    },
    paths: () => [],
  },
};
