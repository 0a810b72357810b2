/** Deadlines on the clock of the port. */
import { describe, expect, test } from "vitest";
import { deadlineIn, waitAtMost } from "../../src/engine/deadline.ts";
import { Watchers } from "../../src/engine/watchers.ts";
import { StepClock } from "../support/clock.ts";

describe("a deadline", () => {
  test("fires when its time has come, and not before", async () => {
    const clock = new StepClock();
    using deadline = deadlineIn(clock, 100);
    await clock.advance(99);
    expect(deadline.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(deadline.signal.aborted).toBe(true);
  });

  test("fires when the caller gives up, with the caller's reason", () => {
    const caller = new AbortController();
    using deadline = deadlineIn(new StepClock(), 100, caller.signal);
    const reason = new Error("gone");
    caller.abort(reason);
    expect(deadline.signal.reason).toBe(reason);
  });

  test("leaves no sleeper and no one waiting when it is disposed of", async () => {
    const clock = new StepClock();
    const watchers = new Watchers();
    const deadline = deadlineIn(clock, 100);
    const watching = watchers.wait("task", deadline.signal);
    deadline[Symbol.dispose]();
    await watching;
    expect([clock.sleepers, watchers.size]).toEqual([0, 0]);
  });
});

test("waiting at most so long ends with the work, or without it", async () => {
  const clock = new StepClock();
  await waitAtMost(clock, 100, Promise.resolve());
  const late = waitAtMost(clock, 100, new Promise(() => undefined));
  await clock.advance(100);
  await late;
  expect(clock.sleepers).toBe(0);
});

describe("watchers", () => {
  test("wake those of the task that changed", async () => {
    const watchers = new Watchers();
    const never = new AbortController().signal;
    const woken: string[] = [];
    const one = watchers.wait("one", never).then(() => woken.push("one"));
    void watchers.wait("two", never).then(() => woken.push("two"));
    watchers.wake("one");
    await one;
    expect(woken).toEqual(["one"]);
    expect(watchers.size).toBe(1);
    watchers.wakeAll();
    expect(watchers.size).toBe(0);
  });

  test("do not wait on a signal that has fired", async () => {
    const watchers = new Watchers();
    await watchers.wait("one", AbortSignal.abort());
    expect(watchers.size).toBe(0);
  });
});
