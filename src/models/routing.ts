/** Which models may serve a pick, and in what order. Pure: who is up is found out by calling. @see DECISIONS 10 */
import type { Tier } from "../domain/plan.ts";
import type { ModelPick, Role } from "../ports/model.ts";

export interface Routed {
  readonly name: string;
  readonly roles: readonly Role[];
  readonly tier: Tier;
}

/** Who stands in for a role that no model of its own serves, or whose models are down. */
const standIns: Readonly<Record<Role, readonly Role[]>> = {
  planner: [],
  executor: [],
  verifier: ["planner", "executor"],
  extractor: ["executor"],
  compactor: ["executor"],
};

const neededRoles: readonly Role[] = ["planner", "executor"];

/**
 * Models of the role itself first, then stand-ins; in each, the lowest tier at or above the wanted one, then the highest
 * below, then the order of the configuration. Those to avoid come last, but come.
 */
export function route<M extends Routed>(models: readonly M[], pick: Pick<ModelPick, "role" | "tier" | "avoid">): M[] {
  const ranked = [pick.role, ...standIns[pick.role]].flatMap((role) =>
    models
      .filter(({ roles }) => roles.includes(role))
      .toSorted((a, b) => distance(a.tier, pick.tier) - distance(b.tier, pick.tier)),
  );
  const unique = [...new Set(ranked)];
  const isAvoided = ({ name }: M): boolean => pick.avoid?.includes(name) ?? false;
  return [...unique.filter((model) => !isAvoided(model)), ...unique.filter(isAvoided)];
}

export function missingRoles(models: readonly Routed[]): Role[] {
  return neededRoles.filter((role) => !models.some(({ roles }) => roles.includes(role)));
}

/** Any tier above the wanted one is nearer than any below. */
function distance(tier: Tier, wanted: Tier): number {
  return tier >= wanted ? tier - wanted : 10 + wanted - tier;
}
