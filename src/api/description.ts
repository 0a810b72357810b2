/**
 * The description of the API: OpenAPI 3.1 made from the schemas that validate, as JSON and as a page. It lives in a server of
 * its own that never listens and is made when first asked for: few ask, and everyone would wait for it at start.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { LoomError } from "../lib/errors.ts";
import { OpenAnswer } from "./answers.ts";
import { type App, answers } from "./door.ts";
import { pathOf } from "./problems.ts";

/** Everything the page loads comes from here; it sets its own inline styles. */
const pagePolicy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; frame-ancestors 'none'";

export interface DescriptionOptions {
  readonly version: string;
  readonly createApp: () => App;
  readonly addRoutes: (app: App) => void;
}

export function descriptionRoutes(app: App, options: DescriptionOptions): void {
  let described: Promise<App> | null = null;
  const answer = async (request: FastifyRequest, reply: FastifyReply) => {
    described ??= describe(options);
    const { statusCode, headers, rawPayload } = await (await described).inject({ method: "GET", url: request.url });
    if (statusCode !== 200) throw new LoomError("not_found", `There is nothing at "${pathOf(request.url)}".`);
    const policy = headers["content-security-policy"];
    if (policy !== undefined) reply.header("content-security-policy", policy);
    return reply.type(headers["content-type"] ?? "application/octet-stream").send(rawPayload);
  };
  openApiRoute(app, answer);
  for (const url of ["/docs", "/docs/*"]) app.get(url, { schema: { hide: true } }, answer);
}

function openApiRoute(app: App, answer: (request: FastifyRequest, reply: FastifyReply) => unknown): void {
  const response = answers({ 200: { description: "OpenAPI 3.1", schema: OpenAnswer } }, []);
  app.get("/openapi.json", { schema: { summary: "This description", tags: ["system"], response } }, answer);
}

async function describe({ version, createApp, addRoutes }: DescriptionOptions): Promise<App> {
  const [{ default: swagger }, { default: swaggerUi }, { fastifyZodOpenApiPlugin, fastifyZodOpenApiTransformers }] =
    await Promise.all([import("@fastify/swagger"), import("@fastify/swagger-ui"), import("fastify-zod-openapi")]);
  const app = createApp();
  await app.register(fastifyZodOpenApiPlugin);
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "Loom", version, description: "Goals in, finished and verified work out." },
      components: {
        securitySchemes: {
          bearer: { type: "http", scheme: "bearer" },
          key: { type: "apiKey", in: "header", name: "X-API-Key" },
        },
      },
      security: [{}, { bearer: [] }, { key: [] }],
    },
    ...fastifyZodOpenApiTransformers,
  });
  await app.register(swaggerUi, { routePrefix: "/docs", staticCSP: pagePolicy, uiConfig: { validatorUrl: null } });
  addRoutes(app);
  openApiRoute(app, (_request, reply) => reply.send(app.swagger()));
  await app.ready();
  return app;
}
