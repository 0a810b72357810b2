/**
 * A replica: the same job, done once more by someone who sees nothing of how it was done before, in a copy of the files as
 * they stood before it. Model calls are steps of the journal; the tools run again in a replay, to the same end.
 */
import type { FileState } from "../../../domain/change.ts";
import type { SubtaskKind } from "../../../domain/plan.ts";
import type { Execution } from "../../../ports/executor.ts";
import type { Message, ModelPick, Models, ToolCall, ToolSchema } from "../../../ports/model.ts";
import type { Policy } from "../../../ports/policy.ts";
import type { Clock } from "../../../ports/runtime.ts";
import type { Tool, ToolResult } from "../../../ports/tool.ts";
import type { Workspace, Workspaces } from "../../../ports/workspace.ts";
import { askModel } from "../../model-step.ts";
import type { Reply } from "../../records.ts";
import { resultText } from "../../working/call-outcome.ts";
import { explained, toolFor } from "../../working/call-plan.ts";
import { Guidance } from "../../working/guidance.ts";
import { Repetition } from "../../working/repetition.ts";
import { filesOf } from "./copied-files.ts";
import { outcomeOf, type PlayOutcome } from "./outcome.ts";

export interface ReplicaPorts {
  readonly models: Pick<Models, "call" | "terms">;
  readonly policy: Policy;
  readonly clock: Pick<Clock, "now">;
  readonly workspaces: Pick<Workspaces, "createCopy">;
}

export interface Job {
  readonly execution: Execution<"verify">;
  readonly pick: ModelPick;
  /** The system message and the first turn, as the executor had them but for what earlier attempts left. */
  readonly plain: string;
  readonly briefing: string;
  /** What it is about, to tell what was found from what was asked. */
  readonly text: string;
  readonly kind: SubtaskKind;
  readonly tools: readonly Tool[];
  readonly root: string;
  readonly windowTokens: number;
  /** Files as they stood before. */
  readonly before: ReadonlyMap<string, Uint8Array>;
}

const turnsMax = 6;
const replyTokensMax = 600;

export type Replica =
  | { readonly kind: "ended"; readonly outcome: PlayOutcome; readonly model: string }
  /** It came to no end, or to something that is not to be done in a copy. */
  | { readonly kind: "endless" }
  /** Its model needs to be shown nothing, and so may as well be asked what it thinks. */
  | { readonly kind: "unneeded" };

const endless: Replica = { kind: "endless" };

interface ReplicaAt {
  readonly step: string;
  readonly variant: number;
  readonly temperature?: number;
}

export async function playReplica(ports: ReplicaPorts, job: Job, at: ReplicaAt): Promise<Replica> {
  await using copy = await ports.workspaces.createCopy(job.before);
  return await new Play(ports, { job, at, copy }).run();
}

class Play {
  readonly #ports: ReplicaPorts;
  readonly #job: Job;
  readonly #at: ReplicaAt;
  readonly #copy: Workspace;
  readonly #schemas: readonly ToolSchema[];
  readonly #guidance: Guidance;
  readonly #messages: Message[];
  readonly #seen = new Map<string, FileState>();
  readonly #repetition = new Repetition((text) => text);

  constructor(
    ports: ReplicaPorts,
    { job, at, copy }: { readonly job: Job; readonly at: ReplicaAt; readonly copy: Workspace },
  ) {
    this.#ports = ports;
    this.#job = job;
    this.#at = at;
    this.#copy = copy;
    this.#schemas = job.tools.map(({ schema }) => schema);
    const { briefing, kind, plain, text, tools, windowTokens } = job;
    this.#guidance = new Guidance({
      tools,
      windowTokens,
      variant: at.variant,
      plain,
      kind,
      job: text,
      hasMaterial: false,
    });
    this.#messages = [
      { role: "system", content: plain },
      { role: "user", content: briefing },
    ];
  }

  async run(): Promise<Replica> {
    for (let turn = 1; turn <= turnsMax; turn += 1) {
      const reply = await this.#ask(turn);
      if (reply.protocol === undefined) return { kind: "unneeded" };
      if (reply.finish === "length") return endless;
      const [call] = reply.toolCalls;
      if (call === undefined) return await this.#ended(reply);
      const done = await carriedOut(this.#ports, this.#job, { call, copy: this.#copy, seen: this.#seen });
      if (done === null) return endless;
      this.#take(call, done);
    }
    return endless;
  }

  async #ask(turn: number): Promise<Reply> {
    const { execution, pick } = this.#job;
    const { effect, journal, stop } = execution;
    const { step, temperature } = this.#at;
    const terms = this.#ports.models.terms(pick);
    const guidance = await this.#guidance.parts(this.#copy, terms, this.#repetition.stuck);
    return await askModel(journal, this.#ports, {
      step: `${step}-turn-${turn}`,
      pick,
      request: {
        messages: [...this.#messages],
        tools: this.#schemas,
        ...guidance,
        maxTokens: replyTokensMax,
        ...(temperature === undefined ? {} : { temperature }),
      },
      at: { subtaskId: effect.subtaskId, attempt: effect.attempt, iteration: turn },
      signal: stop.aborted,
    });
  }

  async #ended({ model, text: said }: Reply): Promise<Replica> {
    const { before, text } = this.#job;
    const after = await filesOf(this.#copy);
    if (after === null) return endless;
    return {
      kind: "ended",
      outcome: outcomeOf(text, { before, after, said, shown: this.#guidance.shown.map(({ output }) => output) }),
      model,
    };
  }

  #take({ id, name, arguments: args }: ToolCall, { tool, mayChange, result }: Done): void {
    const content = resultText(result);
    this.#guidance.saw([{ ...result, tool }]);
    for (const [path, state] of Object.entries(result.seen ?? {})) this.#seen.set(path, state);
    this.#repetition.add([{ name, arguments: args, result: content, mayChange }]);
    this.#messages.push(
      { role: "assistant", content: "", toolCalls: [{ id, name, arguments: args }] },
      { role: "tool", toolCallId: id, name, content },
    );
  }
}

interface Done {
  /** Its own name, however the call spelt it. */
  readonly tool: string;
  readonly result: ToolResult;
  readonly mayChange: boolean;
}

interface CallIn {
  readonly call: ToolCall;
  readonly copy: Workspace;
  readonly seen: Map<string, FileState>;
}

/** @returns null for what is not to be done in a copy, or would not be done without a person */
async function carriedOut(
  { policy }: ReplicaPorts,
  { execution, tools, root }: Job,
  { call, copy, seen }: CallIn,
): Promise<Done | null> {
  const tool = toolFor(tools, call.name);
  if (tool === null) return null;
  const done = (result: ToolResult, mayChange = false): Done => ({ tool: tool.schema.name, result, mayChange });
  const failed = (error: string): Done => done({ success: false, output: "", error });
  const { task, effect, stop } = execution;
  const signal = AbortSignal.any([stop.aborted, AbortSignal.timeout(tool.timeoutMs)]);
  const context = { taskId: task.id, subtaskId: effect.subtaskId, workspace: copy, seen, signal, marker: "" };
  try {
    const prepared = await tool.prepare(call.arguments, context);
    if (!prepared.ok) return failed(prepared.error);
    const { action, failure, arguments: understood } = prepared.value;
    if (failure !== undefined) return done(failure);
    const asked = { ...action, root, ...(understood === undefined ? {} : { arguments: understood }) };
    if (policy.judge(asked, task.brief.policy).decision !== "allow") return null;
    const result = await prepared.value.run(signal);
    return done(result, result.success && tool.effectClass !== "pure");
  } catch (error) {
    stop.aborted.throwIfAborted();
    return failed(explained(error));
  }
}
