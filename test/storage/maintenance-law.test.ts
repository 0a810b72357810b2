/** The law of retention and collection: over random tasks and blobs, what is old and closed goes, what anything needs stays. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Blob } from "../../src/ports/event-store.ts";
import { blob, delivery } from "../contracts/batches.ts";
import { addTask, dayMs, type Maintained, naming, openMaintained, retentionDays } from "./maintained.ts";

const all = { after: 0, limit: 1_000_000 };
const large = (name: string): Blob => blob(`${name} `.repeat(40_000));

describe("whatever happened", () => {
  interface Made {
    readonly closed: boolean;
    readonly ageDays: number;
    readonly blobs: readonly number[];
    readonly owed: boolean;
  }
  const tasks = fc.array(
    fc.record<Made>({
      closed: fc.boolean(),
      ageDays: fc.integer({ min: 0, max: 2 * retentionDays }),
      blobs: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 }),
      owed: fc.boolean(),
    }),
    { maxLength: 12 },
  );
  const contents = Array.from({ length: 6 }, (_, nth) => (nth < 4 ? blob(`small ${nth}`) : large(`large ${nth}`)));

  const isKept = ({ closed, owed, ageDays }: Made): boolean => !closed || owed || ageDays < retentionDays;
  const make = async (file: Maintained, made: readonly Made[]): Promise<void> => {
    for (const [nth, { closed, ageDays, blobs, owed }] of made.entries()) {
      const named = [...new Set(blobs)].flatMap((at) => contents[at] ?? []);
      const taskId = `task_${nth}`;
      const row = { updatedAt: file.clock.now() - ageDays * dayMs };
      const outbox = owed ? [delivery(`d${nth}`, { taskId })] : [];
      await addTask(file.storage, taskId, { closed, blobs: named, steps: [naming("s", named)], row, outbox });
    }
  };

  interface Kept {
    readonly tasks: readonly { readonly events: number; readonly steps: number }[];
    readonly blobs: readonly (Uint8Array | null)[];
  }
  const expected = (made: readonly Made[]): Kept => {
    const kept = new Set(made.filter(isKept).flatMap(({ blobs }) => blobs));
    return {
      tasks: made.map((task) =>
        isKept(task) ? { events: 4 + Number(task.closed), steps: 1 } : { events: 0, steps: 0 },
      ),
      blobs: contents.map(({ bytes }, at) => (kept.has(at) ? bytes : null)),
    };
  };
  const found = async ({ storage }: Maintained, made: readonly Made[]): Promise<Kept> => ({
    tasks: await Promise.all(
      made.map(async (_, nth) => ({
        events: (await storage.read(`task_${nth}`, all)).length,
        steps: (await storage.steps(`task_${nth}`, "work:a:1")).length,
      })),
    ),
    blobs: await Promise.all(contents.map(({ digest }) => storage.get(digest))),
  });

  test("retention takes no open task and nothing that one needs, and collection no blob that anything names", async () => {
    await fc.assert(
      fc.asyncProperty(tasks, async (made) => {
        await using file = openMaintained();
        await file.clock.advance(2 * retentionDays * dayMs);
        await make(file, made);
        for (let round = 0; round < 3; round += 1) await file.maintenance.round();
        expect(await found(file, made)).toEqual(expected(made));
      }),
      { numRuns: 30 },
    );
  });
});
