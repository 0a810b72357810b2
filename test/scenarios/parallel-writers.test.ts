import { describe, expect, test } from "vitest";
import { turnOf } from "../../src/models/script.ts";
import { type ModelServer, type ModelServerOptions, startModelServer } from "../support/model-server.ts";
import { type Client, createPlace, startScenario, type WireEvent } from "../support/scenario.ts";
import { spawnLoom } from "../support/spawned.ts";
import { calls, ending, plan, works } from "../support/story.ts";

const [first, second, third] = ["Write the first line.", "Add the second line.", "Write beside them."];
const blocked = '{"status":"blocked","reason":"another subtask holds the file"}';

/** Turns of executors that a test lets happen: `first:1` is the second request of the one that writes the first line. */
class Gates {
  readonly #gates = new Map<string, PromiseWithResolvers<void>>();

  constructor(...names: readonly string[]) {
    for (const name of names) this.#gates.set(name, Promise.withResolvers<void>());
  }

  open(name: string): void {
    this.#gates.get(name)?.resolve();
  }

  readonly before: NonNullable<ModelServerOptions["before"]> = async ({ messages }) => {
    const text = messages.map(({ content }) => content).join("\n");
    if (!text.startsWith("You are an executor")) return;
    const who = text.includes(first) ? "first" : "second";
    await this.#gates.get(`${who}:${turnOf({ messages })}`)?.promise;
  };
}

const add = (content: string, path = "shared.txt") => calls("append_file", { path, content });

/** Both write one file, the second while the first is not verified. */
const shared = [
  plan({ id: "one", description: first }, { id: "two", description: second }, { id: "three", description: third }),
  ...works(first, add("first"), "The first line is there."),
  ...works(second, add("second"), add("own", "own.txt"), blocked, add("second"), "The second line is there."),
  ...works(third, add("third", "third.txt"), "It is written."),
  ...ending,
];

const of = (type: string, id: string) => (event: WireEvent) => event.event_type === type && event.subtask_id === id;

/** The first has written, and the second is parked for it. */
async function parked(client: Client, gates: Gates, taskId: string): Promise<WireEvent> {
  await client.until(taskId, of("tool_call_completed", "one"));
  gates.open("second:0");
  return await client.until(taskId, of("subtask_waiting", "two"));
}

/** What the executor of one subtask was sent, turn by turn. */
function turnsOf({ requests }: ModelServer, description: string): string[] {
  return requests
    .map(({ messages }) => messages.map(({ content }) => content).join("\n"))
    .filter((text) => text.startsWith("You are an executor") && text.includes(description));
}

function seqOf(events: readonly WireEvent[], type: string, id: string): number {
  return events.find(of(type, id))?.seq ?? Number.NaN;
}

describe("two subtasks side by side that write one file", () => {
  test("write it one after the other: the second is refused, waits without a slot or a retry, and goes on", async () => {
    const gates = new Gates("second:0", "first:1");
    await using scenario = await startScenario(
      { script: { replies: shared }, before: gates.before },
      { extra: "[execution]\nmax_parallel_subtasks = 2" },
    );
    const { client, place, model } = scenario;
    const taskId = await client.submit({ goal: "Write both lines", workspace: place.workspace });
    const waiting = await parked(client, gates, taskId);
    expect(waiting.data).toMatchObject({
      on: "lease",
      lease: { path: "shared.txt", holder: "one", attempt: 1, turn: 3 },
    });
    await client.until(taskId, of("subtask_completed", "three"));
    const view = await client.get(`/tasks/${taskId}`);
    expect(view).toMatchObject({ status: "executing", awaiting: [{ kind: "lease", id: "two" }] });
    expect(view.plan.subtasks[1]).toMatchObject({ id: "two", status: "running", retry_count: 0 });
    expect(place.read("shared.txt")).toBe("first\n");

    gates.open("first:1");
    expect((await client.closed(taskId)).status).toBe("completed");
    expect(place.read("shared.txt")).toBe("first\nsecond\n");
    const events = await client.events(taskId);
    const refused = events.find((event) => of("tool_call_completed", "two")(event) && event.data.success === false);
    expect(refused?.data.error).toContain('path_held: "shared.txt" is held by subtask "one"');
    expect(events.filter(({ event_type }) => event_type === "subtask_failed")).toEqual([]);
    expect(events.filter(of("subtask_started", "two"))).toHaveLength(1);
    expect(seqOf(events, "subtask_started", "three")).toBeGreaterThan(waiting.seq);
    const goesOn = events.find(({ event_type, data }) => event_type === "wait_elapsed" && data.what === "two");
    expect(goesOn?.seq).toBe(seqOf(events, "subtask_completed", "one") + 1);
    expect(turnsOf(model, second)).toHaveLength(5);
  });

  test("do so also when Loom is killed while the second waits: no turn of it is asked for again", async () => {
    const gates = new Gates("second:0", "first:1");
    using place = createPlace();
    await using model = await startModelServer({ script: { replies: shared }, before: gates.before });
    const config = place.configure({ url: model.url });
    await using before = await spawnLoom({ config, home: place.home });
    const taskId = await before.client.submit({ goal: "Write both lines", workspace: place.workspace });
    await parked(before.client, gates, taskId);
    const left = model.left;
    expect(await before.end("SIGKILL")).toBe("SIGKILL");
    await model.whenLeft(left + 1);

    await using after = await spawnLoom({ config, home: place.home });
    expect((await after.client.get(`/tasks/${taskId}`)).awaiting).toMatchObject([{ kind: "lease", id: "two" }]);
    gates.open("first:1");
    expect((await after.client.closed(taskId)).status).toBe("completed");
    expect(place.read("shared.txt")).toBe("first\nsecond\n");
    const turns = turnsOf(model, second);
    expect(turns).toHaveLength(5);
    expect(new Set(turns).size).toBe(5);
  });

  test("end with the task when it is cancelled while the second waits", async () => {
    const gates = new Gates("second:0", "first:1");
    await using scenario = await startScenario({ script: { replies: shared }, before: gates.before });
    const { client, place } = scenario;
    const taskId = await client.submit({ goal: "Write both lines", workspace: place.workspace });
    await parked(client, gates, taskId);
    expect((await client.post(`/tasks/${taskId}/cancel`)).body).toMatchObject({ task_status: "cancelled" });
    const view = await client.closed(taskId);
    expect(view).toMatchObject({ status: "cancelled", awaiting: [] });
    expect(view.plan.subtasks.find(({ id }) => id === "two")?.status).toBe("skipped");
    expect(place.read("shared.txt")).toBe("first\n");
    gates.open("first:1");
  });
});

describe("two subtasks that each hold what the other wants", () => {
  test("do not wait for each other: the later one in the plan lets go, and both edits of both files are there", async () => {
    const gates = new Gates("first:1", "second:1");
    const crossed = [
      plan({ id: "one", description: first }, { id: "two", description: second }),
      ...works(first, add("1", "x.txt"), add("1", "y.txt"), blocked, add("1", "y.txt"), "Both are written."),
      ...works(second, add("2", "y.txt"), add("2", "x.txt"), blocked, add("2", "x.txt"), "Both are written."),
      ...ending,
    ];
    await using scenario = await startScenario({ script: { replies: crossed }, before: gates.before });
    const { client, place } = scenario;
    const taskId = await client.submit({ goal: "Write both files", workspace: place.workspace });
    await client.until(taskId, of("tool_call_completed", "one"));
    await client.until(taskId, of("tool_call_completed", "two"));
    gates.open("first:1");
    await client.until(taskId, of("subtask_waiting", "one"));
    gates.open("second:1");
    expect((await client.closed(taskId)).status).toBe("completed");
    expect([place.read("x.txt"), place.read("y.txt")]).toEqual(["1\n2\n", "2\n1\n"]);
    const events = await client.events(taskId);
    expect(events.find(of("subtask_waiting", "two"))?.data.lease).toMatchObject({ holder: "one", let_go: "two" });
    expect(events.filter(({ event_type }) => event_type === "subtask_failed")).toEqual([]);
    expect(seqOf(events, "subtask_completed", "one")).toBeLessThan(seqOf(events, "subtask_completed", "two"));
  });
});

/** The first two turns of so many executors: none is answered before all have asked. */
function together(count: number): NonNullable<ModelServerOptions["before"]> {
  const rounds = [0, 1].map(() => ({ asked: 0, all: Promise.withResolvers<void>() }));
  return async ({ messages }) => {
    const isExecutor = messages[0]?.content.startsWith("You are an executor") === true;
    const round = isExecutor ? rounds[turnOf({ messages })] : undefined;
    if (round === undefined) return;
    round.asked += 1;
    if (round.asked === count) round.all.resolve();
    await round.all.promise;
  };
}

describe("six subtasks that write one file at the same moment", () => {
  test("each write it once, one after the other, and none of them fails an attempt", async () => {
    const ids = [1, 2, 3, 4, 5, 6].map((n) => `w${n}`);
    const told = (id: string) => `Write line ${id}.`;
    const line = (id: string) => ({ role: "executor", ...add(id) });
    const crowd = [
      plan(...ids.map((id) => ({ id, description: told(id) }))),
      ...ids.flatMap((id) => [
        { ...line(id), when: told(id), turn: 0 },
        { role: "executor", text: blocked, when: [told(id), "path_held"], turn: 1 },
        { ...line(id), when: [told(id), "is free for you now"], turn: 2 },
        { role: "executor", text: "The line is there.", when: told(id) },
      ]),
      ...ending,
    ];
    await using scenario = await startScenario(
      { script: { replies: crowd }, before: together(ids.length) },
      { extra: "[execution]\nmax_parallel_subtasks = 6" },
    );
    const { client, place } = scenario;
    const taskId = await client.submit({ goal: "Write all lines", workspace: place.workspace });
    expect((await client.closed(taskId)).status).toBe("completed");
    expect(place.read("shared.txt").trimEnd().split("\n").toSorted()).toEqual(ids);
    const events = await client.events(taskId);
    expect(events.filter(({ event_type }) => event_type === "subtask_failed")).toEqual([]);
    expect(events.filter(({ event_type }) => event_type === "subtask_waiting")).toHaveLength(ids.length - 1);
    const turns = events.filter(
      ({ event_type }) => event_type === "files_changed" || event_type === "subtask_completed",
    );
    const order = turns.map(({ event_type, subtask_id }) => `${event_type} ${subtask_id}`);
    const written = turns.flatMap(({ event_type, subtask_id }) => (event_type === "files_changed" ? [subtask_id] : []));
    expect(order).toEqual(written.flatMap((id) => [`files_changed ${id}`, `subtask_completed ${id}`]));
  });
});
