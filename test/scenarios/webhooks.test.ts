/** Webhooks from end to end: a real server, its restart, a receiver on a real socket, and the verifier that receivers use. */

import { statSync } from "node:fs";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { DeliveryAnswer } from "../../src/api/answers.ts";
import { loadConfig } from "../../src/config/load.ts";
import { webhookSecret } from "../../src/config/webhook-secret.ts";
import { openReceiver } from "../feed/receiver.ts";
import { freePort } from "../support/free-port.ts";
import { startModelServer } from "../support/model-server.ts";
import { type Client, createPlace, type Scenario, startScenario } from "../support/scenario.ts";
import { spawnLoom } from "../support/spawned.ts";
import { calls, ending, plan, works } from "../support/story.ts";

const story = [
  plan({ id: "one", description: "Write the file." }),
  ...works("Write the file.", calls("write_file", { path: "one.txt", content: "1" }), "one.txt is written."),
  ...ending,
];

async function deliveriesOf(client: Client, taskId: string): Promise<z.infer<typeof DeliveryAnswer>[]> {
  return DeliveryAnswer.array().parse(await client.get(`/webhooks/deliveries?task_id=${taskId}`));
}

const secretIn = ({ home }: Scenario["place"]): string =>
  webhookSecret(loadConfig({ path: join(home, "loom.toml"), env: {}, cwd: home, home }).config);

describe("a receiver that is down for the whole life of its task", () => {
  test("is told after the server was killed and started again, once, with a signature that it can verify; and again on request", async () => {
    using place = createPlace();
    await using model = await startModelServer({ script: { replies: story } });
    const config = place.configure({ url: model.url });
    const port = await freePort();
    await using first = await spawnLoom({ config, home: place.home });
    const taskId = await first.client.submit({
      goal: "Write a file",
      workspace: place.workspace,
      callback_url: `http://127.0.0.1:${port}/done`,
    });
    expect((await first.client.closed(taskId)).status).toBe("completed");
    await expect.poll(async () => (await deliveriesOf(first.client, taskId))[0]?.attempts, { timeout: 5000 }).toBe(1);
    const [owed] = await deliveriesOf(first.client, taskId);
    expect(owed).toMatchObject({ status: "pending", history: [{ status_code: null }] });
    expect(owed?.last_error).toContain("ECONNREFUSED");
    expect(await first.end("SIGKILL")).toBe("SIGKILL");

    await using receiver = await openReceiver((_request, response) => void response.writeHead(204).end(), port);
    await using second = await spawnLoom({ config, home: place.home });
    const told = await second.client.until(taskId, ({ event_type }) => event_type === "webhook_delivered");
    expect(receiver.received).toHaveLength(1);
    const [request] = receiver.received;
    const headers = z.record(z.string(), z.string()).parse(request?.headers);
    const secret = secretIn(place);
    expect(statSync(join(place.home, "loom.db.webhook-secret")).mode & 0o777).toBe(0o600);
    expect(new Webhook(secret).verify(request?.text ?? "", headers)).toMatchObject({
      type: "task.completed",
      task_id: taskId,
      status: "completed",
      subtasks_completed: 1,
      subtasks_failed: 0,
      workspace_changes: { files_created: 1, files_modified: 0, files_deleted: 0 },
    });
    const [done, ...others] = await deliveriesOf(second.client, taskId);
    expect(others).toEqual([]);
    expect(done).toMatchObject({ status: "delivered", attempts: 2, next_attempt_at: null, last_error: null });
    expect(done?.history.map(({ status_code }) => status_code)).toEqual([null, 204]);
    expect(told.data).toMatchObject({ delivery_id: done?.delivery_id, attempts: 2, status_code: 204 });

    const again = await second.client.post(`/webhooks/deliveries/${done?.delivery_id}/redeliver`);
    expect([again.status, again.body]).toMatchObject([202, { status: "pending", applied_seq: told.seq }]);
    await receiver.cameTo(2);
    await second.client.until(taskId, ({ seq, event_type }) => event_type === "webhook_delivered" && seq > told.seq);
    expect(new Set(receiver.received.map((one) => one.headers["webhook-id"]))).toEqual(new Set([done?.delivery_id]));
    expect(JSON.stringify(await second.client.get("/config"))).not.toContain(secret);
  });
});

describe("a callback to a forbidden address", () => {
  test("fails the submission, and says where it is allowed", async () => {
    const extra = "[webhooks]\nallow_private = false\n";
    await using scenario = await startScenario({ script: { replies: story } }, { extra });
    const { client, place } = scenario;
    for (const callback_url of ["http://127.0.0.1:9/done", "http://localhost:9/done", "http://[::ffff:10.0.0.1]/"]) {
      const { status, body } = await client.post("/tasks", { goal: "x", workspace: place.workspace, callback_url });
      expect([status, body]).toMatchObject([
        422,
        {
          code: "callback_refused",
          errors: [{ pointer: "#/callback_url" }],
          hint: expect.stringContaining("allow_private") as unknown,
        },
      ]);
    }
    expect(await client.get("/tasks")).toEqual([]);
  });
});
