/**
 * Where secrets are taken out: at the tools, whose output may hold anything, at the models, to whom nothing goes that is not
 * theirs to know, and at the store. Each wraps a port and changes nothing but texts.
 */
import type { Audit } from "../ports/access.ts";
import type { EventStore } from "../ports/event-store.ts";
import type { ModelRequest, Models } from "../ports/model.ts";
import type { Redaction } from "../ports/policy.ts";
import type { CommandRunner, PreparedCall, Tool, ToolResult, Tools } from "../ports/tool.ts";

/** What a tool says; what it does, and to which files, stays as it is. */
export function redactingTools(tools: Tools, redaction: Redaction): Tools {
  const wrapped = new Map<Tool, Tool>();
  const wrap = (tool: Tool): Tool => {
    const known = wrapped.get(tool) ?? redactingTool(tool, redaction);
    wrapped.set(tool, known);
    return known;
  };
  return {
    all: () => tools.all().map(wrap),
    forTask: async (task) => (await tools.forTask(task)).map(wrap),
  };
}

function redactingTool(tool: Tool, redaction: Redaction): Tool {
  const result = ({ output, ...rest }: ToolResult): ToolResult => ({
    ...rest,
    output: redaction.text(output),
    ...(rest.whole === undefined ? {} : { whole: redaction.text(rest.whole) }),
    ...(rest.error === undefined ? {} : { error: redaction.text(rest.error) }),
    ...(rest.data === undefined ? {} : { data: redaction.value(rest.data) }),
  });
  const call = (prepared: PreparedCall): PreparedCall => ({
    ...prepared,
    ...(prepared.failure === undefined ? {} : { failure: result(prepared.failure) }),
    run: async (signal, grant) => result(await prepared.run(signal, grant)),
  });
  return {
    ...tool,
    prepare: async (args, context) => {
      const prepared = await tool.prepare(args, context);
      return prepared.ok
        ? { ok: true, value: call(prepared.value) }
        : { ok: false, error: redaction.text(prepared.error) };
    },
  };
}

export function redactingCommands(commands: CommandRunner, redaction: Redaction): CommandRunner {
  return {
    run: async (command, options) => {
      const end = await commands.run(command, options);
      return { ...end, output: redaction.text(end.output) };
    },
    reap: (prefix) => commands.reap(prefix),
  };
}

/** No model is told a secret, its own key included; and what it makes up that is one goes no further, token by token neither. */
export function redactingModels(models: Models, redaction: Redaction): Models {
  const messages = redactingMessages(redaction);
  return {
    call: async (pick, request, { signal, onToken }) => {
      const tokens = redaction.tokens();
      const show = (text: string): void => (text === "" ? undefined : onToken?.(text));
      const listening = onToken === undefined ? {} : { onToken: (token: string) => show(tokens.push(token)) };
      const reply = await models.call(
        pick,
        { ...request, messages: messages(request.messages) },
        { signal, ...listening },
      );
      show(tokens.end());
      return { ...reply, text: redaction.text(reply.text), toolCalls: redaction.value(reply.toolCalls) };
    },
    first: (pick) => models.first(pick),
    window: (pick, signal) => models.window(pick, signal),
    terms: (pick) => models.terms(pick),
    missingRoles: () => models.missingRoles(),
    list: () => redaction.value(models.list()),
    readJson: (text) => models.readJson(text),
    probe: async (depth, signal) => redaction.value(await models.probe(depth, signal)),
  };
}

/** A conversation sends its messages again with every turn: each is looked through once. */
function redactingMessages(redaction: Redaction): (messages: ModelRequest["messages"]) => ModelRequest["messages"] {
  const known = new WeakMap<ModelRequest["messages"][number], ModelRequest["messages"][number]>();
  return (messages) =>
    messages.map((message) => {
      const clean = known.get(message) ?? redaction.value(message);
      known.set(message, clean);
      return clean;
    });
}

/** The journal's steps; events come here clean, since they are folded as they are kept. */
export function redactingStore<T extends EventStore>(store: T, redaction: Redaction): T {
  const append: T["append"] = (batch) =>
    store.append(batch.steps === undefined ? batch : { ...batch, steps: redaction.value(batch.steps) });
  return { ...store, append };
}

/** Someone may send a secret where an id should stand. */
export function redactingAudit(audit: Audit, redaction: Redaction): Audit {
  return { record: (facts) => audit.record(redaction.value(facts)) };
}
