/** How many tasks a submitter may have open: those that are, and those on their way. */
import { describe, expect, test } from "vitest";
import { Places } from "../../src/engine/places.ts";
import type { Supervisor } from "../../src/engine/supervisor.ts";

/** Of a supervisor, only whose tasks are open. */
function opened(...submitters: string[]) {
  const openDrivers = () => submitters.map((submitted_by) => ({ task: { brief: { submitted_by } } }));
  // The members that are looked at are there.
  return new Places({ supervisor: { openDrivers } as unknown as Pick<Supervisor, "openDrivers"> });
}

describe("a submitter with a quota", () => {
  test("is refused when it is spent, and told what to do; others are not", async () => {
    const places = opened("ci", "ci", "anna");
    const open = async () => "opened";
    await expect(places.within({ by: "ci", openTasksMax: 2 }, open)).rejects.toMatchObject({
      code: "quota_exceeded",
      status: 429,
      message: '"ci" has 2 tasks open, and may have 2',
      retryAfterMs: 10_000,
    });
    expect(await places.within({ by: "ci", openTasksMax: 3 }, open)).toBe("opened");
    expect(await places.within({ by: "anna", openTasksMax: 2 }, open)).toBe("opened");
    expect(await places.within({ by: "ci", openTasksMax: undefined }, open)).toBe("opened");
  });

  test("cannot get past it by asking for many at once", async () => {
    const places = opened();
    const held = Promise.withResolvers<void>();
    const asking = Array.from({ length: 5 }, () => places.within({ by: "ci", openTasksMax: 2 }, () => held.promise));
    held.resolve();
    const outcomes = (await Promise.allSettled(asking)).map(({ status }) => status);
    expect(outcomes.filter((status) => status === "fulfilled")).toHaveLength(2);
    await expect(places.within({ by: "ci", openTasksMax: 1 }, async () => 1)).resolves.toBe(1);
  });
});
