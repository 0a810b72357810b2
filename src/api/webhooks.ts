/** Routes of webhooks: what was sent to whom and how that went, and sending it again. */
import { DeliveryAnswer, RedeliveryAnswer } from "./answers.ts";
import { termsOf, writeHeaders } from "./conditional.ts";
import { type App, answers, bodyProblems, type Door } from "./door.ts";
import { present } from "./present.ts";
import { DeliveriesQuery, DeliveryPath, EmptyBody, NoQuery } from "./requests.ts";

export function webhookRoutes(app: App, { loom }: Door): void {
  const listed = {
    summary: "Webhook deliveries with their attempts, newest first; the next page is in Link",
    tags: ["webhooks"],
    querystring: DeliveriesQuery,
    response: answers({ 200: { description: "One page", schema: DeliveryAnswer.array() } }, [422]),
  };
  app.get("/webhooks/deliveries", { schema: listed }, async ({ query }, reply) => {
    const { task_id: taskId, status, limit, cursor } = query;
    const { deliveries, nextCursor } = await loom.deliveries({ limit, ...present({ taskId, status, cursor }) });
    if (nextCursor !== null) {
      const asked = { ...present({ task_id: taskId, status }), limit: String(limit), cursor: nextCursor };
      reply.header("link", `</webhooks/deliveries?${new URLSearchParams(asked).toString()}>; rel="next"`);
    }
    return reply.send(deliveries);
  });

  const redelivered = {
    summary: "Deliver a webhook again, under the same webhook-id: now, and by the schedule until it is taken",
    tags: ["webhooks"],
    params: DeliveryPath,
    querystring: NoQuery,
    headers: writeHeaders.omit({ "if-match": true }),
    body: EmptyBody,
    response: answers({ 202: { description: "It is owed again", schema: RedeliveryAnswer } }, [
      ...bodyProblems,
      404,
      409,
    ]),
  };
  app.post("/webhooks/deliveries/:id/redeliver", { schema: redelivered }, async (request, reply) => {
    const { delivery, appliedSeq, replayed } = await loom.redeliver(request.params.id, termsOf(request));
    if (replayed === true) reply.header("idempotency-replayed", "true");
    return reply.code(202).send({ ...delivery, applied_seq: appliedSeq });
  });
}
