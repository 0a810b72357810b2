/**
 * Programs that change the files they name: which of their arguments those are. Only what is sure; a command may change
 * others all the same, which is told by looking at the files afterwards.
 */
import type { Argument } from "../shell-words.ts";
import { pathsBehindScript } from "./files.ts";
import { type Call, positionals, valuesOf } from "./program.ts";

type Written = (call: Call) => readonly Argument[];

const targetOptions: ReadonlySet<string> = new Set(["-t", "--target-directory"]);
const valued = (options: string): ReadonlySet<string> => new Set([...targetOptions, ...options.split(" ")]);
const placeOptions = valued("-S --suffix -m --mode -o --owner -g --group");

function named(options = ""): Written {
  return ({ args }) => positionals(args, valued(options));
}

/** To a file, or into a folder under its own name: one of them it is. */
const placed: Written = ({ args }) => {
  const words = positionals(args, placeOptions);
  const given = valuesOf(args, targetOptions);
  const folders = given.length > 0 ? given : words.slice(-1);
  const sources = given.length > 0 ? words : words.slice(0, -1);
  return folders.flatMap((folder) => [folder, ...sources.map((source) => below(folder, source))]);
};

function below(folder: Argument, source: Argument): Argument {
  const name = source.text.replace(/\/+$/, "").split("/").at(-1) ?? "";
  const isUnsure = folder.dynamic || source.dynamic;
  return { text: `${folder.text}/${name}`, dynamic: isUnsure, glob: folder.glob || source.glob };
}

const writers: Readonly<Record<string, Written>> = {
  tee: named(),
  touch: named("-d --date -r --reference -t"),
  truncate: named("-s --size -r --reference"),
  rm: named(),
  unlink: named(),
  shred: named("-n --iterations -s --size"),
  cp: placed,
  ln: placed,
  install: placed,
  mv: (call) => [...positionals(call.args, placeOptions), ...placed(call)],
  sed: (call) => (call.args.some(({ text }) => /^(-[Enrsuz]*i|--in-place)/.test(text)) ? pathsBehindScript(call) : []),
  dd: ({ args }) => valuesOf(args, new Set(["of"])),
};

/** @returns arguments that stand for files which the program, run so, changes, makes or takes away */
export function writtenBy(call: Call): readonly Argument[] {
  return Object.hasOwn(writers, call.name) ? (writers[call.name]?.(call) ?? []) : [];
}
