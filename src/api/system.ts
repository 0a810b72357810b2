/** Routes of the server itself: models, tools, health, configuration. */
import type { FastifyReply } from "fastify";
import type { z } from "zod";
import type { Health } from "../ports/loom.ts";
import { HealthAnswer, LiveAnswer, ModelsAnswer, OpenAnswer, ToolsAnswer } from "./answers.ts";
import { type App, answers, type Door, givenUp } from "./door.ts";
import { ModelsQuery, NoQuery } from "./requests.ts";

export function systemRoutes(app: App, { loom, closing }: Door): void {
  const about = (summary: string, schema: z.ZodType) => ({
    summary,
    tags: ["system"],
    querystring: NoQuery,
    response: answers({ 200: { description: summary, schema } }, [422]),
  });

  const models = { ...about("Configured models with roles, tiers and health", ModelsAnswer), querystring: ModelsQuery };
  app.get("/models", { schema: models }, async ({ query: { probe } }, reply) =>
    reply.send(
      probe === false
        ? loom.models()
        : await loom.probeModels(probe === "again" ? "again" : "first", givenUp(reply, closing)),
    ),
  );

  const tools = about("Tools with JSON schemas and risk", ToolsAnswer);
  app.get("/tools", { schema: tools }, async (_request, reply) => reply.send(loom.tools()));

  const config = about("The configuration in force, secrets replaced", OpenAnswer);
  app.get("/config", { schema: config }, async (_request, reply) => reply.send(loom.config()));

  const healthy = (summary: string) => ({
    summary,
    tags: ["system"],
    response: answers(
      {
        200: { description: summary, schema: HealthAnswer },
        503: { description: "Going down, or not ready", schema: HealthAnswer },
      },
      [],
    ),
  });
  app.get("/health", { schema: healthy("How the server is") }, async (_request, reply) => {
    const health = loom.health();
    return sendHealth(reply, health, health.status !== "draining");
  });
  app.get("/health/ready", { schema: healthy("Whether it takes tasks") }, async (_request, reply) => {
    const health = loom.health();
    return sendHealth(reply, health, health.ready && health.status !== "draining");
  });
  const live = {
    summary: "Whether it answers at all",
    tags: ["system"],
    response: answers({ 200: { description: "It does", schema: LiveAnswer } }, []),
  };
  app.get("/health/live", { schema: live }, async (_request, reply) => reply.send({ status: "ok" }));
}

function sendHealth(reply: FastifyReply, health: Health, good: boolean): FastifyReply {
  return reply.code(good ? 200 : 503).send(health);
}
