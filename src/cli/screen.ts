/** Progress of one task on the way out: lines, and on a terminal one last line that lives: who works, tokens, time. */
import { renderEvent } from "./render.ts";
import type { Style } from "./style.ts";
import type { WireEvent } from "./wire.ts";
import { say, type World } from "./world.ts";

const tickMs = 1000;
const clearLine = "\r\u001B[K";

export interface Screen extends Disposable {
  event(event: WireEvent): void;
  lines(...lines: readonly string[]): void;
  /** Takes the living line away while someone types, and keeps events back; the returned function brings both. */
  hold(): () => void;
}

export function styleOf(world: Pick<World, "isTerminal" | "env">): Style {
  const { NO_COLOR: noColor, TERM: term } = world.env;
  return { color: world.isTerminal && (noColor === undefined || noColor === "") && term !== "dumb" };
}

/** One JSON object a line: each event as it is, tokens left out. */
export function jsonScreen(world: World): Screen {
  return {
    event: (event) => {
      if (event.event_type !== "token_streamed") say(world.stdout, JSON.stringify(event));
    },
    lines: (...lines) => say(world.stderr, ...lines),
    hold: () => () => undefined,
    [Symbol.dispose]: () => undefined,
  };
}

export function plainScreen(world: World): Screen {
  const style = styleOf(world);
  return {
    event: (event) => {
      const line = renderEvent(event, style);
      if (line !== null) say(world.stdout, line);
    },
    lines: (...lines) => say(world.stdout, ...lines),
    hold: () => () => undefined,
    [Symbol.dispose]: () => undefined,
  };
}

/** @param now epoch milliseconds */
export function liveScreen(world: World, now: () => number): Screen {
  const plain = plainScreen(world);
  const began = now();
  const running = new Set<string>();
  let tokens = 0;
  let held = false;
  const missed: WireEvent[] = [];
  const draw = () => {
    if (held) return;
    const who = running.size === 0 ? "working" : [...running].join(", ");
    const seconds = Math.round((now() - began) / tickMs);
    world.stdout.write(`${clearLine}  ${who.slice(0, 60)} · ${tokens} tokens · ${seconds} s`);
  };
  const above = (print: () => void) => {
    if (!held) world.stdout.write(clearLine);
    print();
    draw();
  };
  const timer = setInterval(draw, tickMs);
  timer.unref();
  return {
    event: (event) => {
      track(running, event);
      if (event.event_type === "token_streamed") tokens += 1;
      else if (held) missed.push(event);
      else above(() => plain.event(event));
    },
    lines: (...lines) => above(() => plain.lines(...lines)),
    hold: () => {
      world.stdout.write(clearLine);
      held = true;
      return () => {
        held = false;
        for (const event of missed.splice(0)) plain.event(event);
        draw();
      };
    },
    [Symbol.dispose]: () => {
      clearInterval(timer);
      if (!held) world.stdout.write(clearLine);
    },
  };
}

function track(running: Set<string>, { event_type: type, subtask_id: id }: WireEvent): void {
  if (id === undefined) return;
  if (type === "subtask_started") running.add(id);
  else if (/^(subtask_(completed|failed|blocked|skipped|waiting)|approval_requested|ask_user_requested)$/.test(type))
    running.delete(id);
}
