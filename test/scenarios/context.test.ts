/** Work that is far too long for the model's window, over real HTTP: it is finished, fits at every turn, and forgets nothing that was pinned. */
import { describe, expect, test } from "vitest";
import { constraint, countTokens, decision, LongWork, steer, windowTokens } from "../support/long-work.ts";
import { startModelServer } from "../support/model-server.ts";
import { createPlace, type WireEvent } from "../support/scenario.ts";
import { spawnLoom } from "../support/spawned.ts";

const goal = "Book all sixty amounts of the year into ledger.txt.";
const limits = "[limits.runner]\nmax_tool_iterations = 70";

function started() {
  const work = new LongWork();
  return startModelServer({ answer: work.answer, count: countTokens, contextTokens: windowTokens }).then((model) => {
    const place = createPlace();
    const config = place.configure({ url: model.url, contextTokens: windowTokens, maxTokens: 1000, extra: limits });
    const body = { goal, context: { rule: constraint }, workspace: place.workspace };
    return { work, model, place, config, body };
  });
}

type Asked = LongWork["asked"][number];
const textOf = ({ request }: Asked) => request.messages.map(({ content }) => content).join("\n");
const epochOf = (asked: Asked) => Number(/# Handoff \(part (\d+)/.exec(textOf(asked))?.[1] ?? 1);

/** Within an epoch, a request begins as the one before it was. */
function expectGrown(before: Asked, asked: Asked): void {
  const grown = epochOf(before) === epochOf(asked) ? before.request.messages : [];
  expect(asked.request.messages.slice(0, grown.length)).toEqual(grown);
}

describe("a subtask of sixty turns with a model of 8 000 tokens", () => {
  test("is finished; no request exceeds the window, and each holds goal, constraint, plan and decision", async () => {
    const { work, model, place, config, body } = await started();
    await using _model = model;
    using _place = place;
    await using loom = await spawnLoom({ config, home: place.home });
    const submitted = Promise.withResolvers<string>();
    // What was extracted of the first subtask is known when the long one starts.
    work.onBetween = async () => {
      const isSettled = ({ event_type, subtask_id }: WireEvent) =>
        event_type === "extraction_settled" && subtask_id === "first";
      await loom.client.until(await submitted.promise, isSettled);
    };
    const taskId = await loom.client.submit(body);
    submitted.resolve(taskId);
    work.onTurn = async (turn) => {
      if (turn === 10) await loom.client.post(`/tasks/${taskId}/steer`, { instruction: steer });
    };
    const view = await loom.client.closed(taskId, 55);
    expect(view.status).toBe("completed");

    const all = [...work.asked, ...work.compactions, ...work.others];
    expect(model.requests).toHaveLength(all.length);
    expect(Math.max(...all.map(({ tokens }) => tokens))).toBeLessThanOrEqual(windowTokens);
    expect(work.asked).toHaveLength(60);

    const pins = [goal, constraint, decision, "# The plan", "- long, after between", "The long part is done."];
    for (const asked of work.asked) expect(pins.filter((pin) => !textOf(asked).includes(pin))).toEqual([]);
    for (const asked of work.asked.slice(10)) expect(textOf(asked)).toContain(steer);

    const epochs = work.asked.map(epochOf);
    expect(Math.max(...epochs)).toBeGreaterThan(3);
    expect(epochs).toEqual(epochs.toSorted((a, b) => a - b));
    const begins = work.asked.filter((asked, index) => epochOf(asked) > epochOf(work.asked[index - 1] ?? asked));
    expect(Math.max(...begins.map(({ tokens }) => tokens))).toBeLessThanOrEqual(windowTokens / 2);
    for (const [index, asked] of work.asked.entries()) expectGrown(work.asked[index - 1] ?? asked, asked);
    expect(work.asked.slice(-1).map(textOf).join()).toMatch(/- notes\/step-51\.txt \(\d+ bytes, sha256:/);
    const events = await loom.client.events(taskId);
    expect(events.filter(({ data }) => data.error === "context_overflow")).toEqual([]);
  }, 90_000);

  test("that is killed in a later epoch goes on in the same one, and takes no notes a second time", async () => {
    const { work, model, place, config, body } = await started();
    await using _model = model;
    using _place = place;
    await using first = await spawnLoom({ config, home: place.home });
    const arrived = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    work.onTurn = async (turn) => {
      if (turn !== 40) return;
      arrived.resolve();
      await held.promise;
    };
    const taskId = await first.client.submit(body);
    await arrived.promise;
    // A model is asked ahead of the log: only what the log has of the command before is known after a kill. @see ADR 23
    await first.client.until(taskId, ({ event_type, data }) => {
      return (
        event_type === "model_invocation" && data.phase === "start" && data.role === "executor" && data.iteration === 40
      );
    });
    expect(await first.end("SIGKILL")).toBe("SIGKILL");
    work.onTurn = () => undefined;
    held.resolve();
    const [inFlight, notes] = [work.asked.at(-1), work.compactions.length];
    expect(inFlight === undefined ? 0 : epochOf(inFlight)).toBeGreaterThan(2);

    await using second = await spawnLoom({ config, home: place.home });
    expect((await second.client.closed(taskId, 55)).status).toBe("completed");
    const again = work.asked[40];
    expect(again?.request.messages).toEqual(inFlight?.request.messages);
    expect(work.asked).toHaveLength(61);
    const sent = work.compactions.map(({ request }) => JSON.stringify(request.messages));
    expect(new Set(sent).size).toBe(sent.length);
    expect(work.compactions.length).toBeGreaterThan(notes);
    expect(Math.max(...work.asked.map(({ tokens }) => tokens))).toBeLessThanOrEqual(windowTokens);
  }, 90_000);
});
