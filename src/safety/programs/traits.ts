/** Traits that programs and variables share across the tables: who only moves text, who only looks, what turns a program into another. */

/** Programs that pass text on or look for it: SQL words in it are no deed until a client gets them. */
export const textMovers: ReadonlySet<string> = new Set([
  "echo",
  "printf",
  "cat",
  "tee",
  "grep",
  "egrep",
  "fgrep",
  "rg",
  "ag",
  "ack",
  "git",
  "sed",
  "awk",
]);
export const searchers: ReadonlySet<string> = new Set(["cat", "head", "tail", "ls", "diff", "wc", "cp", "grep", "rg"]);
export const hijackingVariables =
  /^(LD_|DYLD_|GIT_(SSH|EXTERNAL_DIFF|EDITOR|PAGER|ASKPASS|PROXY)|BASH_ENV$|ENV$|PROMPT_COMMAND$|PYTHONSTARTUP$|PERL5OPT$|RUBYOPT$|EDITOR$|VISUAL$|PAGER$)/;
export const declares: ReadonlySet<string> = new Set(["export", "local", "declare", "readonly", "typeset"]);
