/** Streams through everything that cuts them: the short form; `npm run stream-torture` runs the long one, with nginx where there is one. */
import { describe, expect, test } from "vitest";
import { startBufferingProxy } from "../support/buffering-proxy.ts";
import { startLastingLoom } from "../support/lasting-loom.ts";
import { startModelServer } from "../support/model-server.ts";
import { createPlace } from "../support/scenario.ts";
import { ending, plan } from "../support/story.ts";
import { type Torture, torture } from "../support/stream-torture.ts";

const script = { replies: [plan({ id: "wait", description: "Wait." }), ...ending] };

describe("streams through a proxy that buffers and cuts, of a server that is killed", () => {
  test.each<Torture>([
    { messages: 120, kills: 2, streams: 1, cutAfter: () => 500 + Math.random() * 500 },
    { messages: 300, kills: 1, streams: 20, cutAfter: () => 16 * 1024 },
  ])("carry every event once, in order: %o", { timeout: 60_000 }, async (options) => {
    using place = createPlace();
    await using model = await startModelServer({ script });
    await using loom = await startLastingLoom({ config: place.configure({ url: model.url }), home: place.home });
    await using proxy = await startBufferingProxy(loom.port);
    const { view, recorded, received } = await torture(loom, proxy.url, options);
    expect(recorded).toBe(options.messages);
    const all = Array.from({ length: view["last_seq"] as number }, (_, index) => index + 1);
    for (const { ids } of received) expect(ids).toEqual(all);
  });
});
