/** Freezing: a value, and all that is in it, throws when it is changed. Maps and sets too, which the language leaves open. */

const seen = new WeakSet<object>();

export function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || seen.has(value)) return value;
  seen.add(value);
  if (value instanceof Map || value instanceof Set) {
    for (const member of value.values()) frozen(member);
    for (const method of ["set", "add", "delete", "clear"]) Object.defineProperty(value, method, { value: refuse });
  }
  for (const member of Object.values(value)) frozen(member);
  return Object.freeze(value);
}

function refuse(): never {
  throw new Error("A frozen map or set was changed");
}
