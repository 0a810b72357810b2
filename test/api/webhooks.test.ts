/** Webhooks as the API shows them: pages of deliveries with their attempts, and sending one again. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as answers from "../../src/api/answers.ts";
import type { DeliveryView } from "../../src/ports/loom.ts";
import { ProblemShape, RunningApi } from "./running-api.ts";

const at = "2025-01-01T00:00:00.000Z";
const sent = (id: string, over: Partial<DeliveryView> = {}): DeliveryView => ({
  delivery_id: id,
  task_id: "task_00000001",
  url: "http://agent:8080/done",
  type: "task.completed",
  status: "failed",
  attempts: 1,
  history: [{ at, status_code: 410, error: "answered 410" }],
  last_error: "answered 410",
  created_at: at,
  next_attempt_at: null,
  ...over,
});

let api: RunningApi;
beforeEach(async () => {
  api = await RunningApi.open();
  api.loom.sent = [sent("msg_3"), sent("msg_2", { task_id: "task_00000002" }), sent("msg_1", { status: "delivered" })];
});
afterEach(async () => await api.close());

const idsAt = async (path: string): Promise<string[]> =>
  answers.DeliveryAnswer.array()
    .parse((await api.get(path)).body)
    .map(({ delivery_id }) => delivery_id);

describe("the list of deliveries", () => {
  test("shows all, those of a task, and those of a status", async () => {
    expect(await idsAt("/webhooks/deliveries")).toEqual(["msg_3", "msg_2", "msg_1"]);
    expect(await idsAt("/webhooks/deliveries?task_id=task_00000002")).toEqual(["msg_2"]);
    expect(await idsAt("/webhooks/deliveries?status=delivered")).toEqual(["msg_1"]);
  });

  test("goes on by its Link, under the same conditions", async () => {
    const { body, headers } = await api.get("/webhooks/deliveries?task_id=task_00000001&status=failed&limit=1");
    expect(body).toMatchObject([{ delivery_id: "msg_3" }]);
    expect(headers.get("link")).toBeNull();
    const first = await api.get("/webhooks/deliveries?limit=2");
    const next = /^<(?<path>[^>]+)>; rel="next"$/.exec(first.headers.get("link") ?? "")?.groups?.["path"] ?? "";
    expect(await idsAt(next)).toEqual(["msg_1"]);
  });

  test.each(["task_id=x", "status=gone", "limit=0", "limit=201", "cursor=", "other=1"])(
    "is not had with %s",
    async (query) => {
      const { status, body } = await api.get(`/webhooks/deliveries?${query}`);
      expect([status, ProblemShape.parse(body).code]).toEqual([422, "invalid_request"]);
    },
  );
});

describe("a delivery", () => {
  test("is sent again on request", async () => {
    for (const body of [undefined, {}]) {
      const answer = await api.post("/webhooks/deliveries/msg_3/redeliver", body);
      expect(answer.status).toBe(202);
      expect(answers.RedeliveryAnswer.parse(answer.body)).toMatchObject({ status: "pending", applied_seq: 1 });
    }
  });

  test.each(["msg_9", "9", "msg_%00", "..%2f", "x".repeat(400)])("that is not there is not: %s", async (id) => {
    const { status, body } = await api.post(`/webhooks/deliveries/${id}/redeliver`);
    expect([status, ProblemShape.parse(body).code]).toEqual([404, "not_found"]);
  });

  test("hands on an Idempotency-Key, and says what was done before", async () => {
    const answer = await api.post("/webhooks/deliveries/msg_3/redeliver", {}, { "idempotency-key": "k1" });
    expect([answer.status, answer.headers.get("idempotency-replayed")]).toEqual([202, "true"]);
    expect(api.loom.calls.at(-1)).toMatchObject([
      "redeliver",
      "msg_3",
      { key: expect.stringMatching(/msg_3.* k1$/) as unknown },
    ]);
    const conditional = await api.post("/webhooks/deliveries/msg_3/redeliver", {}, { "if-match": '"t-1"' });
    expect(conditional.status).toBe(412);
  });

  test("takes no body of its own", async () => {
    expect((await api.post("/webhooks/deliveries/msg_3/redeliver", { url: "http://elsewhere" })).status).toBe(422);
  });
});
