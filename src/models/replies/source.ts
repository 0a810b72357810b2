/** A reply while it is read: its text, the tools it may mean, and how much work it is worth, so that no text takes more than linear time. */
import { isJsonObject, type JsonObject } from "../../lib/json.ts";
import { meantTool } from "../../lib/tool-names.ts";
import type { ToolSchema } from "../../ports/model.ts";
import { type JsonFault, type JsonValue, readJsonAt } from "./tolerant-json.ts";

/** Characters that may be read in all, for each character of the text. */
const passesMax = 12;
const workAlways = 100_000;

export class Source {
  readonly text: string;
  readonly #tools: ReadonlyMap<string, ToolSchema>;
  readonly #names: readonly string[];
  readonly #known = new Map<string, { readonly from: number; readonly at: number }>();
  #left: number;

  constructor(text: string, tools: readonly ToolSchema[]) {
    this.text = text;
    this.#tools = new Map(tools.map((tool) => [tool.name, tool]));
    this.#names = [...this.#tools.keys()];
    this.#left = workAlways + passesMax * text.length;
  }

  /** More was tried than the text is worth: what is left of it stays text. */
  get isSpent(): boolean {
    return this.#left < 0;
  }

  spend(chars: number): void {
    this.#left -= chars + 1;
  }

  json(from: number): JsonValue | JsonFault {
    const read = readJsonAt(this.text, from);
    this.spend((read.kind === "value" ? read.end : read.at) - from);
    return read;
  }

  /** `indexOf` that goes over no stretch twice where nothing is. */
  find(needle: string, from: number): number {
    const known = this.#known.get(needle);
    if (known !== undefined && from >= known.from && (known.at === -1 || from <= known.at)) return known.at;
    const at = this.text.indexOf(needle, from);
    this.spend((at === -1 ? this.text.length : at) - from);
    this.#known.set(needle, { from, at });
    return at;
  }

  match(pattern: RegExp, from: number): RegExpExecArray | null {
    pattern.lastIndex = from;
    return pattern.exec(this.text);
  }

  skipSpace(from: number): number {
    return from + (this.match(/[\s\uFEFF]*/y, from)?.[0].length ?? 0);
  }

  /** The offered tool that a written name means, if only one can be meant. */
  tool(written: string): ToolSchema | null {
    const name = meantTool(written, this.#names);
    return name === null ? null : (this.#tools.get(name) ?? null);
  }
}

export function propertiesOf(tool: ToolSchema | null): JsonObject {
  const properties = tool?.parameters["properties"];
  return isJsonObject(properties) ? properties : {};
}

export function requiredOf(tool: ToolSchema | null): string[] {
  const required = tool?.parameters["required"];
  return Array.isArray(required) ? required.filter((name) => typeof name === "string") : [];
}
