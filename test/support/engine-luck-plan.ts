/** The plans that luck makes: of any size and shape, now and then with a flaw, now and then none. */
import type { EffectOf } from "../../src/domain/effect.ts";
import type { SubtaskSpec, Tier } from "../../src/domain/plan.ts";
import type { Report } from "../../src/domain/report.ts";
import { spec } from "./engine-samples.ts";
import type { World } from "./engine-world.ts";

/**
 * `wild`: anything may happen. `steady`: much goes wrong, and all comes out well in the end. `chain`: anything may happen, and
 * each subtask depends on the one before, so that the order in which things happen is one.
 */
export type Shape = "wild" | "steady" | "chain";

const idsMax = 5;

/** @returns what the planner proposes in this call */
export function plannedBy(world: World, shape: Shape, { key, version, call }: EffectOf<"plan">): Report {
  const luck = (...question: (string | number)[]) => world.luck("plan", version, call, ...question);
  if (luck("read") < 0.1) return { type: "PlanProposed", key, subtasks: [], flaws: ["It cannot be read"] };
  if (luck("fails") < 0.05) return { type: "Failed", key, class: "internal", feedback: "no plan" };
  const ids = Array.from(
    { length: 1 + Math.floor(luck("size") * idsMax) },
    (_, nth) => `s${nth}v${luck("new", nth) < 0.5 ? version : 1}`,
  );
  const subtasks = ids.map((id, nth): SubtaskSpec => {
    const earlier = ids.slice(0, nth).filter((_, at) => (shape === "chain" ? at === nth - 1 : luck(nth, at) < 0.4));
    return spec(id, {
      depends_on: [...earlier, ...flaw(luck, nth, ids)],
      model_tier: tier(luck(id, "tier")),
      verification_tier: tier(luck(id, "verification")),
      is_critical_path: luck(id, "critical") < 0.3,
      expected_outputs: luck(id, "outputs") < 0.3 ? [`out/${Math.floor(luck(id, "which") * 3)}`] : [],
    });
  });
  return { type: "PlanProposed", key, subtasks, flaws: [] };
}

/** Now and then a planner proposes a cycle, or what is not there. */
function flaw(luck: (...question: (string | number)[]) => number, nth: number, ids: readonly string[]): string[] {
  const chance = luck("flaw", nth);
  if (chance < 0.04) return [ids.at(-1) ?? "s0v1"];
  return chance < 0.08 ? ["nowhere"] : [];
}

function tier(luck: number): Tier {
  if (luck < 0.5) return 1;
  return luck < 0.8 ? 2 : 3;
}
