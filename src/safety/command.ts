/**
 * Reads a shell line by what it would do: walks the parsed statements, takes wrappers off, follows `cd` and the line's own
 * variables, and records commands, paths, hosts, and what a person should see first. What cannot be followed with certainty is itself such a finding.
 * Long because it is one walk over one tree.
 */
import { unreachable } from "../lib/result.ts";
import { asks, insists } from "./finding.ts";
import { isSampleOnly, leavesWorkspace, namedPath, type Place, pathFinding, secretComponent, steps } from "./paths.ts";
import { programName, programsNamed } from "./programs/catalog.ts";
import { sqlClients, sqlFinding } from "./programs/code.ts";
import type { Call, Input, Program } from "./programs/program.ts";
import {
  declares,
  hijackingVariables,
  onlookers,
  readsNumbers,
  removers,
  reservedWords,
  runnable,
  runtimeOptions,
  searchers,
  setsVariables,
  shells,
  textMovers,
  treeReaders,
} from "./programs/traits.ts";
import { writtenBy } from "./programs/writers.ts";
import { effortMax, type Reading, Recorder, TooMuch, type TouchedPath } from "./reading.ts";
import { Bindings } from "./shell-bindings.ts";
import { parseShell, type Redirection, type SimpleCommand, type Statement } from "./shell-syntax.ts";
import { expandingParts, NotUnderstood, type Part, type Word } from "./shell-tokens.ts";
import { type Argument, assignedValue, expand, literal, unknown } from "./shell-words.ts";

const depthMax = 12;
const lineCharsMax = 200_000;
/** An index that runs a command where a shell takes the text for a number. */
const runningIndex = /\w\[[^\]]*(\$\(|`)/;
const guessesMax = 2;
/** Arguments of one program that may each be the beginning of a command. */
const beginsMax = 12;
const noInput: Input = { kind: "none" };

/**
 * Never throws, and takes time in proportion to the line.
 *
 * @param root absolute root of the workspace, when known
 */
export function readLine(line: string, root: string | undefined): Reading {
  return new Walk(root).line(line);
}

/** The same for an argument vector that runs without a shell. */
export function readVector(argv: readonly string[], root: string | undefined): Reading {
  return new Walk(root).vector(argv.map(literal));
}

interface Pipe {
  readonly names: string[];
  readonly texts: string[];
}

class Walk {
  readonly #root: string | undefined;
  readonly #record: Recorder;
  /** How often an argument was taken for a command on the way here. */
  readonly #guesses: number;
  readonly #bindings = new Bindings();
  #cwd: readonly string[] = [];
  #depth = 0;
  #pipe: Pipe = { names: [], texts: [] };
  #substituted = 0;

  constructor(root: string | undefined, within?: { readonly record: Recorder; readonly guesses: number }) {
    this.#root = root;
    this.#record = within?.record ?? new Recorder();
    this.#guesses = within?.guesses ?? 0;
  }

  line(source: string): Reading {
    return this.#understood(() => {
      if (source.length > lineCharsMax || source.includes("\0"))
        this.#record.gaveUp("is too long or holds characters that cannot be read");
      else this.#script(source);
    });
  }

  vector(words: readonly Argument[]): Reading {
    return this.#understood(() => this.#run(words, noInput));
  }

  #understood(walk: () => void): Reading {
    try {
      walk();
    } catch (error) {
      if (error instanceof TooMuch) this.#record.gaveUp("runs more commands than can be looked over");
      else if (error instanceof NotUnderstood) this.#record.gaveUp(`cannot be read with certainty: ${error.message}`);
      else throw error;
    }
    return this.#record.reading;
  }

  #script(source: string): void {
    this.#deeper(() => this.#all(parseShell(source), noInput));
  }

  #deeper(walk: () => void): void {
    this.#depth += 1;
    if (this.#depth > depthMax) throw new NotUnderstood("commands are nested too deeply");
    walk();
    this.#depth -= 1;
  }

  #all(statements: readonly Statement[], input: Input): void {
    for (const statement of statements) this.#statement(statement, input);
  }

  #statement(statement: Statement, input: Input): void {
    switch (statement.kind) {
      case "command":
        this.#command(statement, input);
        break;
      case "pipeline":
        this.#pipeline(statement.commands);
        break;
      case "for":
        this.#substitutions(statement.words);
        this.#bindings.remember(
          statement.name,
          statement.words.length === 0 ? [unknown] : this.#bindings.valuesOf(statement.words),
        );
        break;
      case "block":
        this.#block(statement, input);
        break;
      default:
        unreachable(statement);
    }
  }

  #pipeline(commands: readonly Statement[]): void {
    const outer = this.#pipe;
    this.#pipe = { names: [], texts: [] };
    for (const [index, command] of commands.entries())
      this.#statement(command, index === 0 ? noInput : { kind: "pipe" });
    const sql = this.#pipe.names.some((name) => sqlClients.has(name))
      ? sqlFinding(this.#pipe.texts.join("\n"), true)
      : null;
    if (sql !== null) this.#record.found(sql);
    this.#pipe = outer;
  }

  #block(block: Extract<Statement, { kind: "block" }>, input: Input): void {
    this.#substitutions(block.redirections.map(({ target }) => target));
    this.#redirections(block.redirections);
    const before = this.#cwd;
    const inner = this.#inputOf(block.input, input);
    if (block.runs === "loop") this.#bindings.untilStable(() => this.#all(block.body, inner));
    else this.#all(block.body, inner);
    if (block.runs === "subshell") this.#cwd = before;
    if (block.runs === "loop" && this.#cwd.join("/") !== before.join("/")) {
      throw new NotUnderstood("a loop changes the folder with each round");
    }
  }

  #command(command: SimpleCommand, input: Input): void {
    const values = command.assignments.map(({ value }) => value);
    this.#substitutions([...values, ...command.words, ...command.redirections.map(({ target }) => target)]);
    for (const { name, value, appends } of command.assignments)
      this.#assign(
        name,
        appends ? [unknown] : this.#bindings.choices([value]).map((choice) => assignedValue(value, choice)),
      );
    this.#redirections(command.redirections);
    if (command.words.length > 0) this.#settings(values);
    for (const choice of this.#bindings.choices(command.words)) {
      const words = command.words.flatMap((word) => expand(word, choice));
      const read = this.#inputOf(command.input, input, command.redirections);
      if (words.length > 0) this.#run(words, read);
    }
  }

  /** `NAME=value` before a command: a file of keys may be handed over this way. */
  #settings(values: readonly Word[]): void {
    for (const { text } of values.flatMap((value) => this.#bindings.argumentsOf(value))) {
      if (secretComponent(text) !== undefined)
        this.#record.found(insists(`hands over "${text}", where keys or credentials are kept`, "high"));
    }
  }

  #assign(name: string, values: readonly string[]): void {
    if (hijackingVariables.test(name))
      this.#record.found(asks(`sets ${name}, which makes other programs run something else`, "medium"));
    if (name === "IFS" && values.some((value) => value !== ""))
      throw new NotUnderstood("IFS changes how words are split");
    if (values.some((value) => runningIndex.test(value))) throw new NotUnderstood("an index runs a command");
    if (runtimeOptions.test(name)) this.#optionPaths(values);
    this.#bindings.remember(name, values);
  }

  #optionPaths(values: readonly string[]): void {
    for (const text of values.flatMap((value) => value.split(/[\s=:,]+/)).filter((word) => /[/~]/.test(word)))
      this.#path(literal(text), "");
  }

  #substitutions(words: readonly Word[]): void {
    for (const part of words.flatMap(({ parts }): readonly Part[] => parts)) {
      if (part.kind !== "substitution") continue;
      this.#substituted += 1;
      this.#script(part.source);
      this.#substituted -= 1;
    }
  }

  #redirections(redirections: readonly Redirection[]): void {
    for (const { operator, target } of redirections) {
      if (operator === "<<<") continue;
      for (const file of this.#bindings.argumentsOf(target)) this.#redirection(operator, file);
    }
  }

  #redirection(operator: string, file: Argument): void {
    if (operator.endsWith("&") && /^(\d+-?|-)$/.test(file.text)) return;
    const writes = operator.includes(">");
    if (writes) this.#record.write(file, this.#place);
    if (file.dynamic || file.glob) {
      this.#record.path(file, { place: this.#place, below: "no" });
      if (writes || leavesWorkspace(file.text, this.#place))
        this.#record.found(asks(`redirects to a file that only the run will tell ("${file.text}")`, "medium"));
      return;
    }
    const isNull = /^\/dev\/(null|stdout|stderr|tty)$/.test(file.text);
    if (writes && file.text.startsWith("/dev/") && !isNull)
      this.#record.found(insists(`writes to the device ${file.text}`, "critical"));
    else if (writes && file.text.split("/").includes(".git"))
      this.#record.found(asks(`writes into "${file.text}", which git may run`, "high"));
    else this.#path(file, "");
  }

  #inputOf(here: SimpleCommand["input"], outer: Input, redirections: readonly Redirection[] = []): Input {
    const texts = here.map(({ body, expands }) => {
      if (!expands) return body;
      const parts = expandingParts(body);
      this.#substitutions([{ parts, source: "" }]);
      return parts.map((part) => (part.kind === "text" ? part.text : "…")).join("");
    });
    const strings = redirections
      .filter(({ operator }) => operator === "<<<")
      .flatMap(({ target }) => this.#bindings.argumentsOf(target));
    if (strings.some(({ dynamic }) => dynamic)) return { kind: "pipe" };
    const all = [...texts, ...strings.map(({ text }) => text)];
    if (all.length > 0) return { kind: "text", text: all.join("\n") };
    return redirections.some(({ operator }) => operator === "<") ? { kind: "pipe" } : outer;
  }

  get #place(): Place {
    return { root: this.#root, cwd: this.#cwd };
  }

  #run(words: readonly Argument[], input: Input): void {
    const [program, ...args] = words;
    if (program === undefined) return;
    if (program.dynamic || program.glob || !/^\S+$/.test(program.text))
      throw new NotUnderstood("which program runs is told only by the run");
    if (reservedWords.has(program.text)) throw new NotUnderstood(`"${program.text}" stands behind another command`);
    const name = programName(program);
    this.#pipe.names.push(name);
    this.#record.command({ name, words, isSwayed: this.#bindings.isSwayed }, () => {
      if (!/^\/(usr\/)?(local\/)?s?bin\/[^/]+$/.test(program.text) && program.text.includes("/"))
        this.#path(program, "");
      this.#deeper(() => this.#judge({ name, args, input }));
    });
  }

  #judge(call: Call): void {
    if (readsNumbers.has(call.name) && call.args.some(({ text }) => runningIndex.test(text)))
      throw new NotUnderstood("an index runs a command");
    if (setsVariables.has(call.name)) this.#unknowns(call.args);
    if (declares.has(call.name)) this.#declare(call.args);
    else if (call.name === "cd" || call.name === "pushd") this.#changeFolder(call.args);
    else if (call.name === "popd") throw new NotUnderstood("popd returns to a folder that this reader does not follow");
    else this.#program(call);
  }

  #program(call: Call): void {
    const known = programsNamed(call.name);
    for (const program of known) this.#known(program, call);
    if (known.length === 0 && this.#guesses < guessesMax) this.#guess(call);
    const choosing = known.flatMap(({ paths }) => paths ?? []);
    // What an echo prints inside $( ) becomes a word of another command.
    const all = choosing.length === 0 || (this.#substituted > 0 && textMovers.has(call.name));
    const paths = all ? call.args : choosing.flatMap((pathsOf) => pathsOf(call));
    for (const arg of paths) this.#path(arg, call.name);
    for (const arg of writtenBy(call)) this.#record.write(arg, this.#place);
    for (const { text } of call.args) {
      const host = /^[^\s"']*?\b[a-z][a-z0-9+.-]*:\/\/(?:[^/?#\s@]*@)?(\[[^\]\s]*\]|[^/?#:\s"']+)/i.exec(text)?.[1];
      if (host !== undefined) this.#record.host({ text: host, dynamic: host.includes("…"), glob: false });
    }
    this.#sql(call);
  }

  #known({ judge, runs, hosts }: Program, call: Call): void {
    const findings = judge?.(call) ?? [];
    for (const finding of [findings].flat()) this.#record.found({ ...finding, isAboutProgram: true });
    for (const host of hosts?.(call) ?? []) this.#record.host(host);
    for (const run of runs?.(call) ?? []) {
      if (run.kind === "command") this.#run(run.words, call.input);
      else this.#script(run.text);
    }
  }

  /** A program that is not known may run what it is given: as words from one of them on, or as a line in one of them. */
  #guess({ args }: Call): void {
    const begins = args.flatMap((arg, at) => (mayBegin(arg, args[at + 1]) ? at : []));
    if (begins.length > beginsMax) throw new TooMuch();
    for (const at of begins) this.#suspect((walk) => walk.vector(args.slice(at)));
    for (const { text } of args) if (/\s/.test(text)) this.#suspect((walk) => walk.line(text));
  }

  #suspect(read: (walk: Walk) => Reading): void {
    const record = this.#record.branch();
    const { findings, effort } = read(new Walk(this.#root, { record, guesses: this.#guesses + 1 }));
    if (effort > effortMax) throw new TooMuch();
    for (const { command: _command, ...finding } of findings)
      if (finding.isAboutProgram === true) this.#record.found(finding);
  }

  /** Programs that set variables to what only the run will tell. */
  #unknowns(args: readonly Argument[]): void {
    for (const { text } of args) if (/^[A-Za-z_]\w*$/.test(text)) this.#bindings.remember(text, [unknown]);
  }

  #sql({ name, args, input }: Call): void {
    const text = [...args.map((arg) => arg.text), input.kind === "text" ? input.text : ""].join(" ");
    if (textMovers.has(name)) this.#pipe.texts.push(text);
    else if (!sqlClients.has(name)) {
      const finding = sqlFinding(text, false);
      if (finding !== null) this.#record.found(finding);
    }
  }

  /** @param program whose argument it is */
  #path(arg: Argument, program: string): void {
    const path = namedPath(arg.text);
    if (path === undefined) return;
    this.#record.path({ ...arg, text: path }, { place: this.#place, below: belowOf(program) });
    if (searchers.has(program) && isSampleOnly(path)) return;
    if (!onlookers.has(program) && path.split("/").includes(".git"))
      this.#record.found(asks(`changes or runs "${path}", on which git relies`, "high"));
    const finding = pathFinding(path, { place: this.#place, glob: arg.glob });
    if (finding !== null) this.#record.found(finding);
  }

  #declare(args: readonly Argument[]): void {
    for (const { text, dynamic } of args) {
      if (/^-[A-Za-z]*[nif]/.test(text))
        throw new NotUnderstood(`a declaration with ${text} is more than this reader follows`);
      const match = /^([A-Za-z_]\w*)=(.*)$/s.exec(text);
      if (match !== null) this.#assign(match[1] ?? "", [dynamic ? unknown : (match[2] ?? "")]);
    }
  }

  #changeFolder(args: readonly Argument[]): void {
    const target = args.find(({ text }) => !/^-[LPe@]$/.test(text));
    if (target === undefined) {
      this.#record.found(asks("goes to the home folder, which is outside the workspace", "medium"));
      return;
    }
    if (target.dynamic || target.glob || target.text === "-")
      throw new NotUnderstood("which folder it goes to is told only by the run");
    const root = this.#root?.replace(/\/+$/, "");
    const absolute = root !== undefined && (target.text === root || target.text.startsWith(`${root}/`));
    const there = absolute ? steps(target.text.slice(root.length), []) : steps(target.text, this.#cwd);
    this.#path(target, "");
    if (there !== undefined) this.#cwd = there;
  }
}

function mayBegin(word: Argument, next: Argument | undefined): boolean {
  const name = programName(word);
  return runnable.has(name) || (shells.has(name) && /^-[a-z]*c/.test(next?.text ?? ""));
}

function belowOf(program: string): TouchedPath["below"] {
  if (removers.has(program)) return "removes";
  return treeReaders.has(program) ? "reads" : "no";
}
