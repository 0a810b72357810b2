/**
 * Leases: which subtask set out first to change a path. It holds the path until it comes to its end, so that nobody builds
 * on what is not verified. Pure; who still counts as a holder is for `holders.ts` to say.
 */
import { type FileChange, isBulk } from "./change.ts";

/** Made by the event with this `seq`. Claims on one path stand in their order: the first that still counts is its holder. */
export interface Claim {
  readonly holder: string;
  readonly seq: number;
}

/**
 * Claims by path, in maps of which each is at least twice as large as the newer one before it: adding a path costs the same
 * on the average however many are held, and an older state stays as it is.
 */
export type Leases = {
  readonly claims: ReadonlyMap<string, readonly Claim[]>;
  readonly older: Leases;
} | null;

export function claimsOn(leases: Leases, path: string): readonly Claim[] {
  for (let layer = leases; layer !== null; layer = layer.older) {
    const found = layer.claims.get(path);
    if (found !== undefined) return found;
  }
  return [];
}

/** @param isLive does an earlier claim still count? Those that do go before this one */
export function claimed(
  leases: Leases,
  { paths, claim }: { readonly paths: readonly string[]; readonly claim: Claim },
  isLive: (claim: Claim) => boolean,
): Leases {
  const fresh = new Map<string, readonly Claim[]>();
  for (const path of paths) {
    const standing = claimsOn(leases, path).filter(isLive);
    if (!standing.some(({ holder }) => holder === claim.holder)) fresh.set(path, [...standing, claim]);
  }
  return fresh.size === 0 ? leases : layered(fresh, leases);
}

function layered(claims: ReadonlyMap<string, readonly Claim[]>, older: Leases): Leases {
  if (older === null || older.claims.size > 2 * claims.size) return { claims, older };
  return layered(new Map([...older.claims, ...claims]), older.older);
}

/** A folder that is made for a file is everyone's; what tools fill is nobody's. */
export function leasedBy(changes: readonly FileChange[]): string[] {
  return changes.filter((change) => !isFolderMade(change) && !isBulk(change.path)).map(({ path }) => path);
}

function isFolderMade({ before, after }: FileChange): boolean {
  return after.kind === "folder" && (before.kind === "absent" || before.kind === "folder");
}
