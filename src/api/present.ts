/** Turns parsed input, where an absent field is `undefined` or null, into arguments where an absent field is absent. */

export type Present<T> = { readonly [K in keyof T as Absent<T[K]> extends never ? K : never]: T[K] } & {
  readonly [K in keyof T as Absent<T[K]> extends never ? never : K]?: NonNullable<T[K]>;
};

type Absent<V> = Extract<V, null | undefined>;

/** @returns the object without its members that are undefined or null; deeper ones stay */
export function present<T extends object>(value: T): Present<T> {
  const kept = Object.entries(value).filter(([, member]) => member !== undefined && member !== null);
  return Object.fromEntries(kept) as Present<T>;
}
