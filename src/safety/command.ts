/**
 * Judges a shell line by what it would do: walks the parsed statements, takes wrappers off, follows `cd` and the line's own
 * variables, and collects what a person should see first. What cannot be followed with certainty is itself such a finding.
 */
import { unreachable } from "../lib/result.ts";
import type { Finding } from "./finding.ts";
import { isSampleOnly, leavesWorkspace, namedPath, type Place, pathFinding, secretComponent, steps } from "./paths.ts";
import { programName, programsNamed } from "./programs/catalog.ts";
import { sqlClients, sqlFinding } from "./programs/code.ts";
import { asks, type Call, type Input } from "./programs/program.ts";
import { declares, hijackingVariables, searchers, textMovers } from "./programs/traits.ts";
import { parseShell, type Redirection, type SimpleCommand, type Statement } from "./shell-syntax.ts";
import { expandingParts, NotUnderstood, type Part, type Word } from "./shell-tokens.ts";
import { type Argument, expand, expandMarked, literal } from "./shell-words.ts";

const depthMax = 12;
const lineCharsMax = 200_000;
const noInput: Input = { kind: "none" };

/**
 * @param root absolute root of the workspace, when known
 * @returns what a person should see before the line runs; empty when nothing speaks against it
 */
export function commandFindings(line: string, root: string | undefined): readonly Finding[] {
  if (line.length > lineCharsMax || line.includes("\0"))
    return [asks("is too long or holds characters that cannot be read", "medium")];
  return new Walk(root).line(line);
}

/** The same for an argument vector that runs without a shell. */
export function argvFindings(argv: readonly string[], root: string | undefined): readonly Finding[] {
  return new Walk(root).vector(argv.map(literal));
}

interface Pipe {
  readonly names: string[];
  readonly texts: string[];
}

class Walk {
  readonly #root: string | undefined;
  readonly #findings: Finding[] = [];
  readonly #variables = new Map<string, string[]>();
  #cwd: readonly string[] = [];
  #depth = 0;
  #pipe: Pipe = { names: [], texts: [] };
  #substituted = 0;

  constructor(root: string | undefined) {
    this.#root = root;
  }

  line(source: string): readonly Finding[] {
    return this.#understood(() => this.#script(source));
  }

  vector(words: readonly Argument[]): readonly Finding[] {
    return this.#understood(() => this.#run(words, noInput));
  }

  #understood(walk: () => void): readonly Finding[] {
    try {
      walk();
    } catch (error) {
      if (!(error instanceof NotUnderstood)) throw error;
      this.#findings.push(asks(`cannot be read with certainty: ${error.message}`, "medium"));
    }
    return this.#findings;
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
        this.#remember(
          statement.name,
          statement.words.length === 0
            ? ["\uE006"]
            : statement.words.flatMap((word) => expandMarked(word, this.#variables)),
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
    if (sql !== null) this.#findings.push(sql);
    this.#pipe = outer;
  }

  #block(block: Extract<Statement, { kind: "block" }>, input: Input): void {
    this.#redirections(block.redirections);
    const before = this.#cwd;
    this.#all(block.body, this.#inputOf(block.input, input));
    if (block.runs === "subshell") this.#cwd = before;
    if (block.runs === "loop" && this.#cwd.join("/") !== before.join("/")) {
      throw new NotUnderstood("a loop changes the folder with each round");
    }
  }

  #command(command: SimpleCommand, input: Input): void {
    this.#substitutions([
      ...command.assignments.map(({ value }) => value),
      ...command.words,
      ...command.redirections.map(({ target }) => target),
    ]);
    for (const { name, value } of command.assignments) this.#assign(name, expandMarked(value, this.#variables));
    this.#redirections(command.redirections);
    if (command.words.length > 0) this.#settings(command);
    const words = command.words.flatMap((word) => expand(word, this.#variables));
    if (words.length > 0) this.#run(words, this.#inputOf(command.input, input, command.redirections));
  }

  /** `NAME=value` before a command: a file of keys may be handed over this way. */
  #settings({ assignments }: SimpleCommand): void {
    for (const { text } of assignments.flatMap(({ value }) => expand(value, this.#variables))) {
      if (secretComponent(text) !== undefined)
        this.#findings.push(asks(`hands over "${text}", where keys or credentials are kept`, "high"));
    }
  }

  #assign(name: string, values: readonly string[]): void {
    if (hijackingVariables.test(name))
      this.#findings.push(asks(`sets ${name}, which makes other programs run something else`, "medium"));
    if (name === "IFS" && values.some((value) => value !== ""))
      throw new NotUnderstood("IFS changes how words are split");
    this.#remember(name, values);
  }

  #remember(name: string, values: readonly string[]): void {
    this.#variables.set(name, [...(this.#variables.get(name) ?? []), ...values].slice(0, 64));
  }

  /** Commands inside words run too. */
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
      for (const file of expand(target, this.#variables)) this.#redirection(operator, file);
    }
  }

  #redirection(operator: string, file: Argument): void {
    if (operator.endsWith("&") && /^(\d+-?|-)$/.test(file.text)) return;
    const writes = operator.includes(">");
    if (file.dynamic || file.glob) {
      if (writes || leavesWorkspace(file.text, this.#place))
        this.#findings.push(asks(`redirects to a file that only the run will tell ("${file.text}")`, "medium"));
      return;
    }
    const isNull = /^\/dev\/(null|stdout|stderr|tty)$/.test(file.text);
    if (writes && file.text.startsWith("/dev/") && !isNull)
      this.#findings.push(asks(`writes to the device ${file.text}`, "critical"));
    else if (writes && file.text.split("/").includes(".git"))
      this.#findings.push(asks(`writes into "${file.text}", which git may run`, "high"));
    else this.#path(file, false);
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
      .flatMap(({ target }) => expand(target, this.#variables));
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
    const name = programName(program);
    if (!/^\/(usr\/)?(local\/)?s?bin\/[^/]+$/.test(program.text) && program.text.includes("/"))
      this.#path(program, false);
    this.#pipe.names.push(name);
    this.#deeper(() => this.#judge({ name, args, input }));
  }

  #judge(call: Call): void {
    if (declares.has(call.name)) this.#declare(call.args);
    else if (call.name === "cd" || call.name === "pushd") this.#changeFolder(call.args);
    else if (call.name === "popd") throw new NotUnderstood("popd returns to a folder that this reader does not follow");
    else this.#program(call);
  }

  #program(call: Call): void {
    const known = programsNamed(call.name);
    for (const { judge, runs } of known) {
      const finding = judge?.(call) ?? null;
      if (finding !== null) this.#findings.push(finding);
      for (const run of runs?.(call) ?? []) {
        if (run.kind === "command") this.#run(run.words, call.input);
        else this.#script(run.text);
      }
    }
    const choosing = known.flatMap(({ paths }) => paths ?? []);
    // What an echo prints inside $( ) becomes a word of another command.
    const all = choosing.length === 0 || (this.#substituted > 0 && textMovers.has(call.name));
    const paths = all ? call.args : choosing.flatMap((pathsOf) => pathsOf(call));
    for (const arg of paths) this.#path(arg, searchers.has(call.name));
    this.#sql(call);
  }

  #sql({ name, args, input }: Call): void {
    const text = [...args.map((arg) => arg.text), input.kind === "text" ? input.text : ""].join(" ");
    if (textMovers.has(name)) this.#pipe.texts.push(text);
    else if (!sqlClients.has(name)) {
      const finding = sqlFinding(text, false);
      if (finding !== null) this.#findings.push(finding);
    }
  }

  #path(arg: Argument, reads: boolean): void {
    const path = namedPath(arg.text);
    if (path === undefined || (reads && isSampleOnly(path))) return;
    const finding = pathFinding(path, { place: this.#place, glob: arg.glob });
    if (finding !== null) this.#findings.push(finding);
  }

  #declare(args: readonly Argument[]): void {
    for (const { text, dynamic } of args) {
      const match = /^([A-Za-z_]\w*)=(.*)$/s.exec(text);
      if (match !== null) this.#assign(match[1] ?? "", [dynamic ? "\uE006" : (match[2] ?? "")]);
    }
  }

  #changeFolder(args: readonly Argument[]): void {
    const target = args.find(({ text }) => !/^-[LPe@]$/.test(text));
    if (target === undefined) {
      this.#findings.push(asks("goes to the home folder, which is outside the workspace", "medium"));
      return;
    }
    if (target.dynamic || target.glob || target.text === "-")
      throw new NotUnderstood("which folder it goes to is told only by the run");
    const root = this.#root?.replace(/\/+$/, "");
    const absolute = root !== undefined && (target.text === root || target.text.startsWith(`${root}/`));
    const there = absolute ? steps(target.text.slice(root.length), []) : steps(target.text, this.#cwd);
    this.#path(target, false);
    if (there !== undefined) this.#cwd = there;
  }
}
