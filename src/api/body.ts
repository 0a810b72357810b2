/** Reads request bodies: JSON in UTF-8, empty where nothing is to be said, and no deeper than recursive code can follow. */
import { LoomError } from "../lib/errors.ts";

/** Deeper than anything meant; JSON.stringify and hashing recurse, and a body of brackets must not end their stack. */
const depthMax = 64;

/**
 * @returns the parsed body, or undefined when there is none
 * @throws LoomError malformed_json, invalid_request
 */
export function readJson(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  const value = parse(bytes);
  refuseOddShapes(value);
  return value;
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown;
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : "it is not UTF-8";
    throw new LoomError("malformed_json", `The body is not JSON: ${reason}`, {
      hint: "Send one JSON value, encoded as UTF-8.",
      cause: error,
    });
  }
}

/** Walks level by level, so that depth costs no stack. */
function refuseOddShapes(root: unknown): void {
  let level: readonly unknown[] = [root];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > depthMax) {
      throw new LoomError("invalid_request", `The body is nested deeper than ${depthMax} levels.`, {
        hint: "Flatten it, or send it as text.",
      });
    }
    const inner: unknown[] = [];
    for (const value of level) {
      if (typeof value !== "object" || value === null) continue;
      // Own members of this name turn into prototypes when an object is copied member by member.
      if (Object.hasOwn(value, "__proto__")) {
        throw new LoomError("invalid_request", 'The body has a field named "__proto__".', {
          hint: "Give the field another name.",
        });
      }
      for (const member of Object.values(value)) inner.push(member);
    }
    level = inner;
  }
}
