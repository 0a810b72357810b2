/**
 * The full size of test/scenarios/stream-torture.test.ts, through nginx where there is one (`LOOM_NGINX` names it when it is not on the
 * path): `npm run stream-torture -- [events] [kills] [streams]`, by default 10 000, 20 and 500. A script of its own, since it takes minutes.
 */
import { startBufferingProxy } from "../support/buffering-proxy.ts";
import { startLastingLoom } from "../support/lasting-loom.ts";
import { startModelServer } from "../support/model-server.ts";
import { createPlace } from "../support/scenario.ts";
import { ending, plan } from "../support/story.ts";
import { type Outcome, type Torture, torture } from "../support/stream-torture.ts";
import { findNginx, startNginx } from "./nginx.ts";

const [events = 10_000, kills = 20, streams = 500] = process.argv.slice(2).map(Number);
const script = { replies: [plan({ id: "wait", description: "Wait." }), ...ending] };
const nginx = findNginx();

async function tortured(options: Torture): Promise<Outcome> {
  using place = createPlace();
  await using model = await startModelServer({ script });
  await using loom = await startLastingLoom({ config: place.configure({ url: model.url }), home: place.home });
  await using proxy = nginx === null ? await startBufferingProxy(loom.port) : await startNginx(nginx, loom.port);
  return await torture(loom, proxy.url, options);
}

/** @returns what is wrong, a line each */
function flawsOf({ view, recorded, received }: Outcome, { messages }: Torture): string[] {
  const lastSeq = Number(view["last_seq"]);
  const odd = received.flatMap(({ ids }, index) => {
    const missing = lastSeq - new Set(ids).size;
    const repeated = ids.length - new Set(ids).size;
    const inOrder = ids.every((id, at) => at === 0 || id > (ids[at - 1] ?? 0));
    const isWhole = missing === 0 && ids.at(0) === 1 && ids.at(-1) === lastSeq;
    return isWhole && inOrder ? [] : [`stream ${index}: ${missing} missing, ${repeated} twice, in order: ${inOrder}`];
  });
  return recorded === messages ? odd : [`${messages} messages were sent and ${recorded} recorded`, ...odd];
}

async function report(name: string, options: Torture): Promise<boolean> {
  const began = performance.now();
  const outcome = await tortured(options);
  const flaws = flawsOf(outcome, options);
  const connections = outcome.received.reduce((sum, each) => sum + each.connections, 0);
  const seconds = Math.round((performance.now() - began) / 1000);
  const facts = `${outcome.view["last_seq"]} events, ${options.kills} kills, ${options.streams} streams, ${connections} connections, ${seconds} s`;
  process.stdout.write(`${name}: ${facts}: ${flaws.length === 0 ? "all ids once, in order" : flaws.join("; ")}\n`);
  return flaws.length === 0;
}

process.stdout.write(`Proxy: ${nginx ?? "the buffering one of test/support (no nginx found)"}\n`);
const few = { messages: events, kills, streams: 1, cutAfter: () => 400 + Math.random() * 600 };
const many = { messages: events, kills, streams, cutAfter: () => 64 * 1024 };
const results = [
  await report("One stream, cut every few hundred bytes", few),
  await report("Many streams, cut every 64 KiB", many),
];
process.exitCode = results.every(Boolean) ? 0 : 1;
