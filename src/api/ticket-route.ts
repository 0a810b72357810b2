/** The route where a page that has a key gets a ticket for one stream. */
import { TicketAnswer } from "./answers.ts";
import { callerOf } from "./caller.ts";
import { type App, answers, bodyProblems, type Door } from "./door.ts";
import { NoQuery, TicketBody } from "./requests.ts";

export function issueTicketRoute(app: App, { loom, tickets }: Door): void {
  const schema = {
    summary: "A ticket for one stream, for browsers: EventSource sends no key",
    description:
      "To be used within 60 s; then good for that stream's reconnects, until 60 s after the task's end, at most 24 h.",
    tags: ["events"],
    querystring: NoQuery,
    body: TicketBody,
    response: answers({ 201: { description: "The ticket, and the URL with it", schema: TicketAnswer } }, [
      ...bodyProblems,
      404,
    ]),
  };
  app.post("/stream-tickets", { schema }, async (request, reply) => {
    const { stream } = request.body;
    const taskId = /^\/tasks\/(?<id>[^/]+)\//.exec(stream)?.groups?.["id"];
    if (taskId !== undefined) await loom.view(taskId);
    const { ticket, expiresAt } = tickets.issue(stream, callerOf(request));
    const url = `${stream}?ticket=${ticket}`;
    return reply.code(201).send({ ticket, stream, url, expires_at: new Date(expiresAt).toISOString() });
  });
}
