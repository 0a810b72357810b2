/**
 * A story too long for its window: a task whose one subtask takes many turns with large results, told by a model server that
 * counts as a tokenizer does. It says what it was asked last; a request that comes again gets the same answer again.
 */
import { isJsonObject } from "../../src/lib/json.ts";
import type { ServedReply } from "./model-server-reply.ts";
import type { ServedRequest } from "./model-server-wires.ts";

export const windowTokens = 8000;
export const constraint = "Never touch the file called legacy.cfg.";
export const decision = "Amounts are kept in cents.";
export const steer = "Round half to even.";
const turnsOfWork = 60;

/** Words in pieces, digits and symbols one by one, and a template around each message: no rule of Loom's. */
export function countTokens({ body }: Pick<ServedRequest, "body">): number {
  const messages = Array.isArray(body["messages"]) ? body["messages"].filter(isJsonObject) : [];
  const texts = messages.flatMap(({ content, tool_calls }) => [
    typeof content === "string" ? content : "",
    tool_calls === undefined ? "" : JSON.stringify(tool_calls),
  ]);
  const tools = body["tools"] === undefined ? [] : [JSON.stringify(body["tools"])];
  return [...texts, ...tools].reduce((sum, text) => sum + tokensIn(text), 6 * messages.length + 12);
}

function tokensIn(text: string): number {
  let tokens = 0;
  for (const [piece = ""] of text.matchAll(/[A-Za-z]+|\d|\n+| {2,}|[^\sA-Za-z\d]/g))
    tokens += /^[A-Za-z]/.test(piece) ? Math.ceil(piece.length / 7) : 1;
  return tokens;
}

interface Asked {
  readonly request: ServedRequest;
  readonly tokens: number;
}

export class LongWork {
  /** Requests of the executor at the long subtask, as they came. */
  readonly asked: Asked[] = [];
  readonly compactions: Asked[] = [];
  readonly others: Asked[] = [];
  #turn = 0;
  #last = "";

  /** Called with each turn before it is answered. */
  onTurn: (turn: number) => void | Promise<void> = () => undefined;

  /** Called before the subtask between the first and the long one is answered. */
  onBetween: () => void | Promise<void> = () => undefined;

  readonly answer = async (request: ServedRequest): Promise<ServedReply> => {
    const [system = "", user = ""] = request.messages.map(({ content }) => content);
    const asked = { request, tokens: countTokens(request) };
    if (system.startsWith("You keep the notes of an executor")) {
      this.compactions.push(asked);
      return { json: { decisions: [`Note ${this.compactions.length}.`], open: ["The rest."], done: [], facts: [] } };
    }
    if (system.startsWith("You are an executor") && user.includes("# Subtask long")) return this.#worked(asked);
    this.others.push(asked);
    if (system.startsWith("You are an executor") && user.includes("# Subtask between")) await this.onBetween();
    return other(system, user, request);
  };

  async #worked(asked: Asked): Promise<ServedReply> {
    this.asked.push(asked);
    const said = JSON.stringify(asked.request.messages);
    if (said !== this.#last) this.#turn += 1;
    this.#last = said;
    await this.onTurn(this.#turn);
    return turnOf(this.#turn);
  }
}

/** Reads, writes, numbers and prose, each turn unlike any other. */
function turnOf(turn: number): ServedReply {
  if (turn >= turnsOfWork) return { text: "All sixty steps are done; the ledger is in ledger.txt." };
  const shell = (command: string) => ({ name: "shell_execute", arguments: { command } });
  if (turn % 10 === 1)
    return {
      text: `Step ${turn}: I note it.`,
      toolCalls: [
        { name: "write_file", arguments: { path: `notes/step-${turn}.txt`, content: `step ${turn}\n`.repeat(40) } },
      ],
    };
  if (turn % 10 === 4) return { toolCalls: [shell(`seq ${turn}000 ${turn}900`)] };
  if (turn % 10 === 7)
    return { toolCalls: [shell(`echo first ${turn}`), shell(`yes "row ${turn} of a long table" | head -n 400`)] };
  return {
    toolCalls: [
      shell(`for i in $(seq 1 120); do echo "turn ${turn} line $i: the quick brown fox jumps over the dog"; done`),
    ],
  };
}

function other(system: string, user: string, { body }: ServedRequest): ServedReply {
  if (system.startsWith("You are the planner"))
    return {
      json: { subtasks: [subtaskOf("first", []), subtaskOf("between", ["first"]), subtaskOf("long", ["between"])] },
    };
  if (system.startsWith("You are an executor")) {
    const isDone = JSON.stringify(body["messages"]).includes('"role":"tool"');
    return isDone
      ? { text: "Decided." }
      : {
          toolCalls: [
            { name: "write_file", arguments: { path: `${/# Subtask (\w+)/.exec(user)?.[1]}.txt`, content: "cents" } },
          ],
        };
  }
  if (system.startsWith("You are an extractor"))
    return { json: { entries: user.includes("# Subtask first") ? [{ type: "decision", summary: decision }] : [] } };
  if (system.startsWith("You write the final answer")) return { json: { summary: "Done.", answer: "Done." } };
  return { json: { passed: true, outcome: "pass", confidence: 0.9, feedback: "", issues: [] } };
}

function subtaskOf(id: string, depends_on: readonly string[]) {
  return {
    id,
    description: `Do the ${id} part.`,
    depends_on: [...depends_on],
    model_tier: 1,
    verification_tier: 1,
    is_critical_path: true,
    is_synthesis: false,
    acceptance_criteria: `The ${id} part is done.`,
    kind: "change",
  };
}
