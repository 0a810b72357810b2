/** ReAct: `Action: name`, then `Action Input: {…}`; and Command-R's `Action:` with a list in a fence. */
import { type Block, broken } from "./found.ts";
import { faultOf } from "./python-call.ts";
import type { Source } from "./source.ts";
import { readBodies } from "./wrapped.ts";

const named =
  /[ \t*]{0,8}`?([A-Za-z_][\w.:-]{0,120})`?[ \t*]{0,8}(?:\r?\n\s{0,20}\**Action Input\**[ \t]{0,4}:[ \t*]{0,8}\s{0,8})/y;
/** A plain text is whole only where the model went on behind it: a second line of it may have been lost. */
const line = /[ \t]*([^\n]{1,4000})\n\s{0,20}(?=\**Observation\**:)/y;

/** @param from behind `Action:` */
export function readReact(source: Source, from: number): Block | null {
  const head = source.match(named, from);
  const name = head?.[1];
  if (head === null || name === undefined) return readBodies(source, from, true);
  if (source.tool(name) === null) return { found: [broken(name, "there is no such tool")], end: from + head[0].length };
  const at = from + head[0].length;
  const fenced = source.match(/```\w{0,20}\s*/y, at)?.[0].length ?? 0;
  if (/^(?:[{[]|"\{)/.test(source.text.slice(at + fenced, at + fenced + 2))) return jsonInput(source, name, at, fenced);
  const text = source.match(line, at);
  if (text?.[1] === undefined) return { found: [broken(name, "its input is cut")], end: source.text.length };
  const value = text[1].trim().replace(/^(["'`])(.*)\1$/s, "$2");
  const found = [{ kind: "call", name, arguments: [value], repaired: [], isOpen: false } as const];
  return { found, end: at + text[0].length };
}

function jsonInput(source: Source, name: string, at: number, fenced: number): Block {
  const json = source.json(at + fenced);
  if (json.kind === "fault") return { found: [broken(name, faultOf(json))], end: json.at };
  const closed = fenced > 0 ? (source.match(/\s*```/y, json.end)?.[0].length ?? 0) : 0;
  const isOpen = json.ranOut && json.open > 0;
  return {
    found: [{ kind: "call", name, arguments: json.value, repaired: json.repaired, isOpen }],
    end: json.end + closed,
  };
}
