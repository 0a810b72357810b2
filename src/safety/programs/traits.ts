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
  /^(LD_|DYLD_|GIT_(SSH|EXTERNAL_DIFF|EDITOR|SEQUENCE_EDITOR|PAGER|ASKPASS|PROXY|CONFIG|DIR$|WORK_TREE|TEMPLATE_DIR|EXEC_PATH)|BASH_ENV$|ENV$|PROMPT_COMMAND$|PYTHONSTARTUP$|PERL5(OPT|DB)$|RUBYOPT$|EDITOR$|VISUAL$|(MAN)?PAGER$|BROWSER$|LESS(OPEN|CLOSE)$)/;
/** Variables whose value is options by which a runtime loads further code. */
export const runtimeOptions = /^(NODE_OPTIONS|_?JAVA_(TOOL_)?OPTIONS|JDK_JAVA_OPTIONS)$/;
/** Programs that run nothing and change nothing: what they name in .git is only looked at. */
export const onlookers: ReadonlySet<string> = new Set(
  "cat ls head tail grep egrep rg wc stat test [ [[ find git du diff file tree cd cmp sort basename dirname realpath readlink".split(
    " ",
  ),
);
/** Names that, as an argument of a program that is not known here, may be a command that it runs. */
export const runnable: ReadonlySet<string> = new Set(
  (
    "rm rimraf del-cli shred sudo doas su pkexec chmod chown dd mkfs truncate eval curl wget nc ncat ssh scp find xargs git docker podman kubectl " +
    "npm npx env nice timeout nohup python node perl ruby php kill pkill killall crontab systemctl reboot shutdown"
  ).split(" "),
);
export const shells: ReadonlySet<string> = new Set("sh bash zsh dash ksh fish ash".split(" "));
export const declares: ReadonlySet<string> = new Set(["export", "local", "declare", "readonly", "typeset"]);

/** Programs that set the variables they name to what comes in. */
export const setsVariables: ReadonlySet<string> = new Set("read mapfile readarray printf getopts let unset".split(" "));
/** Programs that read numbers, and in them an index, and in that a command. */
export const readsNumbers: ReadonlySet<string> = new Set([...setsVariables, "test", "[", "[["]);
/** Words of the grammar: as a program they mean that this reader took the line otherwise than a shell does. */
export const reservedWords: ReadonlySet<string> = new Set(
  "! { } if then elif else fi do done while until for in case esac select function coproc".split(" "),
);
/** Programs that take away what they name, and what lies below it. */
export const removers: ReadonlySet<string> = new Set(["rm", "mv", "rmdir"]);
/** Programs that read what lies below the folder they name. */
export const treeReaders: ReadonlySet<string> = new Set(
  "grep egrep fgrep rg ag ack find cp tar zip 7z rsync scp fd diff".split(" "),
);
