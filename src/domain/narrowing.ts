/** Narrowing: what a rule does with one kind of a union, and leaves alone in every other. */

export function ifKind<T extends { readonly kind: string }, K extends T["kind"]>(
  value: T,
  kind: K,
  then: (value: Extract<T, { readonly kind: K }>) => void,
): void {
  if (value.kind === kind) then(value as Extract<T, { readonly kind: K }>);
}
