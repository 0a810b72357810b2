/** The command line of Loom: which commands there are, what they take, and how each ends. */
import { Command, CommanderError } from "commander";
import { accessCommands } from "./access-program.ts";
import { databaseBackup, databaseCheck, databaseMigrate, databaseStatus } from "./database-commands.ts";
import { doctor } from "./doctor.ts";
import { exitCodeOf, exits, failureLines } from "./exit-codes.ts";
import { type RunOptions, run, watch } from "./run.ts";
import type { CommonOptions } from "./settings.ts";
import { config, models, type ServeOptions, serve, showWebhookSecret, tools } from "./system-commands.ts";
import {
  type ApproveOptions,
  answer,
  approvals,
  approve,
  cancel,
  change,
  questions,
  status,
  steer,
  type UndoOptions,
  undo,
} from "./task-commands.ts";
import { say, type World } from "./world.ts";

type Json = { readonly json?: boolean };
type Finish = (code: Promise<number>) => Promise<void>;

/**
 * @param argv the words behind `loom`
 * @returns the exit code; never throws
 */
export async function cli(argv: readonly string[], world: World): Promise<number> {
  let code: number = exits.done;
  const program = programFor(world, async (ending) => {
    code = await ending;
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exits.done : exits.usage;
    say(world.stderr, ...failureLines(error));
    return exitCodeOf(error);
  }
}

function programFor(world: World, finish: Finish): Command {
  const program = new Command("loom")
    .description("Turns a goal into finished, verified work.")
    .version(world.version, "-V, --version", "print the version")
    .helpCommand(false)
    .showHelpAfterError("(loom --help shows all commands)")
    .exitOverride()
    .configureOutput({ writeOut: (text) => world.stdout.write(text), writeErr: (text) => world.stderr.write(text) })
    .addHelpText(
      "after",
      `\nExit codes: 0 done, 1 failed, 2 cancelled, 3 awaits a person, 64 usage, 69 no server, 78 configuration.`,
    );
  workCommands(program, world, finish);
  peopleCommands(program, world, finish);
  controlCommands(program, world, finish);
  systemCommands(program, world, finish);
  databaseCommands(program, world, finish);
  accessCommands(program, { world, finish, inPlace });
  return program;
}

function inPlace(command: Command): Command {
  return command.option("-c, --config <file>", "configuration file (default: ./loom.toml, then ~/.loom/loom.toml)");
}

function common(command: Command): Command {
  return inPlace(command).option("--server <url>", "address of the server (default: LOOM_URL, then the configuration)");
}

function workCommands(program: Command, world: World, finish: Finish): void {
  common(
    program
      .command("run")
      .argument("<goal>", "what is to be achieved, in plain words")
      .description("work on a goal to its end, on the server or an engine of its own"),
  )
    .option("-w, --workspace <dir>", "folder to work in (default: the current one)")
    .option("--approval-mode <mode>", "auto, manual or confidence_threshold (default: auto)")
    .option("--approve-plan", "ask before the plan is carried out")
    .option("--approvers <who>", "wait, or none: what needs a person is refused (default: as configured)")
    .option("--unattended", "the same as --approvers none")
    .option("--approval-timeout <seconds>", "how long an answer is waited for; 0: for ever (default: as configured)")
    .option("--policy <file|json>", "ask and deny rules for this task alone, beside those of the server")
    .option("--context <key=value>", "constraints, focus, preferences; may be given more than once", collected, [])
    .option("--no-wait", "end with exit code 3 when it waits for a person")
    .option("--json", "print events as JSON lines")
    .action((goal: string, options: RunOptions) => finish(run(world, goal, options)));
  common(
    program
      .command("watch")
      .argument("<task>", "its id")
      .description("follow a task to its end; Ctrl-C leaves it running"),
  )
    .option("--json", "print events as JSON lines")
    .action((id: string, options: CommonOptions & Json) => finish(watch(world, id, options)));
  common(
    program
      .command("status")
      .argument("[task]", "its id; without one, the latest tasks")
      .description("how a task stands"),
  )
    .option("--json", "print JSON")
    .action((id: string | undefined, options: CommonOptions & Json) => finish(status(world, id, options)));
}

function peopleCommands(program: Command, world: World, finish: Finish): void {
  common(
    program
      .command("approvals")
      .argument("[task]", "its id; without one, what waits in every task")
      .description("what waits for a yes or no, in full, and what was decided"),
  )
    .option("--json", "print JSON")
    .action((id: string | undefined, options: CommonOptions & Json) => finish(approvals(world, id, options)));
  common(
    program
      .command("approve")
      .argument("<task>")
      .argument("[subtask]", "needed when several wait")
      .description("say yes to what waits, or no"),
  )
    .option("--reject", "say no")
    .option("--reason <text>", "why; a rejected subtask is tried again with it")
    .option("--approval <id>", "which one, when a subtask has several")
    .action((taskId: string, subtaskId: string | undefined, options: ApproveOptions) =>
      finish(approve(world, { taskId, subtaskId }, options)),
    );
  common(program.command("questions").argument("<task>").description("what a task has asked"))
    .option("--json", "print JSON")
    .action((id: string, options: CommonOptions & Json) => finish(questions(world, id, options)));
  common(
    program
      .command("answer")
      .argument("<task>")
      .argument("<text...>", "the answer, or numbers or names of options")
      .description("answer a question"),
  )
    .option("--question <id>", "which one, when several are open")
    .action((taskId: string, words: string[], options: CommonOptions & { readonly question?: string }) =>
      finish(answer(world, { taskId, text: words.join(" ") }, options)),
    );
  common(
    program
      .command("steer")
      .argument("<task>")
      .argument("<instruction...>")
      .description("give a running task an instruction"),
  )
    .option("--mode <mode>", "next_boundary, queue or interrupt (default: next_boundary)")
    .action((taskId: string, words: string[], options: CommonOptions & { readonly mode?: string }) =>
      finish(steer(world, { taskId, instruction: words.join(" ") }, options)),
    );
}

function controlCommands(program: Command, world: World, finish: Finish): void {
  common(program.command("cancel").argument("<task>").description("stop a task; its files stay"))
    .option("--reason <text>", "why")
    .action((id: string, options: CommonOptions & { readonly reason?: string }) => finish(cancel(world, id, options)));
  const changes = {
    pause: "stop a task at its next step",
    resume: "go on with a paused task",
    retry: "go on with a failed or cancelled task",
  } as const;
  for (const to of ["pause", "resume", "retry"] as const) {
    common(program.command(to).argument("<task>").description(changes[to])).action(
      (id: string, options: CommonOptions) => finish(change(world, id, { ...options, to })),
    );
  }
  common(
    program
      .command("undo")
      .argument("<task>")
      .description("put files back as they were before a task, a subtask or a change"),
  )
    .option("--subtask <id>", "only this subtask's changes")
    .option("--change <id>", "only this change")
    .option("--preview", "say what would happen, and do nothing")
    .action((id: string, options: UndoOptions) => finish(undo(world, id, options)));
}

function systemCommands(program: Command, world: World, finish: Finish): void {
  common(program.command("serve").description("run the server"))
    .option("--host <host>", "address to listen on")
    .option("--port <port>", "port to listen on; 0: any free one")
    .action((options: ServeOptions) => finish(serve(world, options)));
  common(program.command("models").description("configured models with roles, tiers and health"))
    .option("--probe", "ask each server first whether it is there, and find out anew what it does with a request")
    .option("--json", "print JSON")
    .action((options: CommonOptions & Json & { readonly probe?: boolean }) => finish(models(world, options)));
  common(program.command("tools").description("what models may use"))
    .option("--json", "print JSON")
    .action((options: CommonOptions & Json) => finish(tools(world, options)));
  common(program.command("config").description("the configuration in force, as JSON, without secrets")).action(
    (options: CommonOptions) => finish(config(world, options)),
  );
  const webhooks = program.command("webhooks").description("what receivers of callbacks need").helpCommand(false);
  common(webhooks.command("secret").description("the secret that signs deliveries; keep it to yourself")).action(
    (options: CommonOptions) => finish(showWebhookSecret(world, options)),
  );
  common(program.command("doctor").description("check what a run needs, and say what to do")).action(
    (options: CommonOptions) => finish(doctor(world, options)),
  );
  program
    .command("demo")
    .description("show the main job on a small project, without a model server")
    .action(() => finish(world.demo(world)));
}

function databaseCommands(program: Command, world: World, finish: Finish): void {
  const database = program
    .command("db")
    .description("the database: how it stands, a backup, a check, its newest schema")
    .helpCommand(false);
  inPlace(database.command("status").description("size, tasks, schema, and whether a Loom uses it"))
    .option("--json", "print JSON")
    .action((options: CommonOptions & Json) => finish(databaseStatus(world, options)));
  inPlace(
    database
      .command("backup")
      .argument("<file>", "where it goes; nothing may stand there")
      .description("copy it as of this moment, also while a server runs"),
  ).action((file: string, options: CommonOptions) => finish(databaseBackup(world, file, options)));
  inPlace(database.command("check").description("look for damage; exit code 1 when there is any")).action(
    (options: CommonOptions) => finish(databaseCheck(world, options)),
  );
  inPlace(database.command("migrate").description("bring it to this version's schema; a start does so too")).action(
    (options: CommonOptions) => finish(databaseMigrate(world, options)),
  );
}

function collected(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
