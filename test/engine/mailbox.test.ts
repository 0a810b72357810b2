/** The mailbox: order, batches, and that every message is answered once. */
import { describe, expect, test } from "vitest";
import { type Envelope, Mailbox } from "../../src/engine/mailbox.ts";

function mailbox(): { readonly box: Mailbox<string, string>; readonly batches: string[][]; release: () => void } {
  const batches: string[][] = [];
  let gate = Promise.withResolvers<void>();
  const box = new Mailbox<string, string>(async (batch) => {
    batches.push(batch.map(({ message }) => message));
    await gate.promise;
    for (const { message, answer } of batch) answer(`${message}!`);
  });
  const release = () => {
    gate.resolve();
    gate = Promise.withResolvers();
    gate.resolve();
  };
  return { box, batches, release };
}

describe("a message that nobody waits for", () => {
  test("is taken with the next urgent one, in its order", async () => {
    const batches: string[][] = [];
    const never = Promise.withResolvers<void>();
    const box = new Mailbox<string, string>(
      async (batch) => {
        batches.push(batch.map(({ message }) => message));
        for (const { answer } of batch) answer("taken");
      },
      () => never.promise,
      ({ message }) => (message === "end" ? "soon" : "now"),
    );
    const patient = box.post("end");
    await new Promise((resolve) => setImmediate(resolve));
    expect(batches).toEqual([]);
    await box.post("start");
    await patient;
    expect(batches).toEqual([["end", "start"]]);
  });

  test("is taken alone when it has lingered, also where the lingering was cut short, and when the box is drained", async () => {
    const batches: string[][] = [];
    let lingering = Promise.withResolvers<void>();
    const box = new Mailbox<string, string>(
      async (batch) => {
        batches.push(batch.map(({ message }) => message));
        for (const { answer } of batch) answer("taken");
      },
      () => lingering.promise,
      () => "soon",
    );
    const first = box.post("a");
    lingering.resolve();
    await first;
    await box.drained();
    lingering = Promise.withResolvers<void>();
    const second = box.post("b");
    lingering.reject(new Error("going down"));
    await second;
    await box.drained();
    lingering = Promise.withResolvers<void>();
    const third = box.post("c");
    await box.drained();
    await third;
    expect(batches).toEqual([["a"], ["b"], ["c"]]);
  });
});

describe("messages of one turn", () => {
  test("are taken together, in the order in which they came", async () => {
    const { box, batches, release } = mailbox();
    const answers = Promise.all(["one", "two", "three"].map((message) => box.post(message)));
    release();
    expect(await answers).toEqual(["one!", "two!", "three!"]);
    expect(batches).toEqual([["one", "two", "three"]]);
  });

  test("that come while a batch is handled make the next batch", async () => {
    const { box, batches, release } = mailbox();
    const first = box.post("one");
    await Promise.resolve();
    await Promise.resolve();
    const rest = [box.post("two"), box.post("three")];
    release();
    await Promise.all([first, ...rest]);
    expect(batches).toEqual([["one"], ["two", "three"]]);
  });
});

describe("a mailbox", () => {
  test("is drained when nothing waits and nothing is handled", async () => {
    const { box, release } = mailbox();
    await box.drained();
    let isDrained = false;
    const posted = box.post("one");
    const drained = box.drained().then(() => {
      isDrained = true;
    });
    await Promise.resolve();
    expect(isDrained).toBe(false);
    release();
    await Promise.all([posted, drained]);
    expect(isDrained).toBe(true);
  });

  test("outlives a taker that throws: the batch fails, the next one is taken", async () => {
    let isBroken = true;
    const box = new Mailbox<string, string>((batch: readonly Envelope<string, string>[]) => {
      if (isBroken) throw new Error("broken");
      for (const { answer } of batch) answer("well");
      return Promise.resolve();
    });
    await expect(box.post("one")).rejects.toThrow("broken");
    isBroken = false;
    expect(await box.post("two")).toBe("well");
  });

  test("gives up what waits to who asks for it", async () => {
    const { box, batches, release } = mailbox();
    const first = box.post("one");
    await Promise.resolve();
    await Promise.resolve();
    const taken = box.post("two");
    const left = box.post("three");
    for (const { fail } of box.takeOut((message) => message === "two")) fail(new Error("not now"));
    release();
    await expect(taken).rejects.toThrow("not now");
    await Promise.all([first, left]);
    expect(batches).toEqual([["one"], ["three"]]);
  });
});
