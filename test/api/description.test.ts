/** The description of the API: what /openapi.json says, and the page that shows it. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { RunningApi } from "./running-api.ts";

const Operation = z.looseObject({
  summary: z.string().min(1),
  parameters: z.array(z.looseObject({ name: z.string(), in: z.string(), schema: z.looseObject({}) })).optional(),
  requestBody: z
    .looseObject({ content: z.record(z.string(), z.looseObject({ schema: z.looseObject({}) })) })
    .optional(),
  responses: z.record(
    z.string(),
    z.looseObject({ description: z.string(), content: z.record(z.string(), z.unknown()).optional() }),
  ),
});
const Document = z.looseObject({
  openapi: z.string(),
  info: z.looseObject({ title: z.string(), version: z.string() }),
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.looseObject({ schemas: z.record(z.string(), z.looseObject({})) }),
});

/** Every route of section 1 of the contract, with its refusals. */
const contract: readonly (readonly [string, string, readonly number[]])[] = [
  ["post", "/tasks", [400, 409, 413, 415, 422, 503]],
  ["get", "/tasks", [422]],
  ["get", "/tasks/{id}", [404, 422]],
  ["get", "/tasks/{id}/stream", [404, 422]],
  ["get", "/tasks/{id}/events", [404, 422]],
  ["get", "/tasks/{id}/tokens", [404, 422]],
  ["post", "/tasks/{id}/cancel", [400, 404, 422]],
  ["delete", "/tasks/{id}", [400, 404, 422]],
  ["post", "/tasks/{id}/steer", [404, 409, 422]],
  ["patch", "/tasks/{id}", [404, 409, 422]],
  ["post", "/tasks/{id}/pause", [404, 409]],
  ["post", "/tasks/{id}/resume", [404, 409]],
  ["post", "/tasks/{id}/retry", [404, 409]],
  ["post", "/tasks/{id}/approve", [404, 409, 422]],
  ["get", "/tasks/{id}/approvals", [404]],
  ["get", "/approvals", []],
  ["get", "/tasks/{id}/questions", [404]],
  ["post", "/tasks/{id}/questions/{qid}/answer", [404, 409, 422]],
  ["post", "/tasks/{id}/feedback", [404, 422]],
  ["post", "/tasks/{id}/message", [404, 409, 422]],
  ["get", "/tasks/{id}/conversation", [404]],
  ["get", "/tasks/{id}/subtasks", [404]],
  ["get", "/tasks/{id}/subtasks/{sid}", [404]],
  ["get", "/tasks/{id}/subtasks/{sid}/trace", [404]],
  ["get", "/tasks/{id}/memory", [404, 422]],
  ["get", "/memory/search", [422]],
  ["get", "/tasks/{id}/changes", [404]],
  ["get", "/tasks/{id}/changes.diff", [404]],
  ["post", "/tasks/{id}/undo", [404, 409, 422]],
  ["get", "/tasks/{id}/files/{*}", [404, 422]],
  ["get", "/stream", [422]],
  ["get", "/models", []],
  ["get", "/tools", []],
  ["get", "/config", []],
  ["get", "/health", [503]],
  ["get", "/health/live", []],
  ["get", "/health/ready", [503]],
  ["get", "/openapi.json", []],
  ["post", "/stream-tickets", [404, 422]],
  ["get", "/processes", [422]],
  ["get", "/metrics", [422]],
  ["get", "/slo", [422]],
  ["get", "/webhooks/deliveries", [422]],
  ["post", "/webhooks/deliveries/{id}/redeliver", [400, 404, 409, 413, 415, 422]],
];

describe("the description of the API", () => {
  let api: RunningApi;
  let document: z.infer<typeof Document>;
  beforeAll(async () => {
    api = await RunningApi.open();
    document = Document.parse((await api.get("/openapi.json")).body);
  });
  afterAll(async () => await api.close());

  test("is OpenAPI 3.1, in the server's version", () => {
    expect(document.openapi).toBe("3.1.0");
    expect(document.info).toMatchObject({ title: "Loom", version: "1.2.3" });
  });

  test.each(contract)("has %s %s with its refusals", (method, path, statuses) => {
    const operation = document.paths[path]?.[method];
    for (const status of [401, 403, ...statuses]) {
      expect(Object.keys(operation?.responses ?? {})).toContain(String(status));
      const content = operation?.responses[status]?.content ?? {};
      const isHealth = status === 503 && path.startsWith("/health");
      expect(Object.keys(content)).toEqual([isHealth ? "application/json" : "application/problem+json"]);
    }
  });

  test("has nothing beside the contract", () => {
    const described = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method} ${path}`),
    );
    expect(described.toSorted()).toEqual(contract.map(([method, path]) => `${method} ${path}`).toSorted());
  });

  test("names every parameter of every path", () => {
    for (const [path, operations] of Object.entries(document.paths)) {
      const wanted = [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name ?? "");
      for (const { parameters = [] } of Object.values(operations)) {
        const named = parameters.filter((parameter) => parameter.in === "path").map(({ name }) => name);
        expect([path, named.toSorted()]).toEqual([path, wanted.toSorted()]);
      }
    }
  });

  test("has no reference that leads nowhere", () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
      ([, name]) => name ?? "",
    );
    expect(references).toContain("Problem");
    for (const name of references) expect(Object.keys(document.components.schemas)).toContain(name);
  });

  test("refuses unknown fields of a submission, and knows every type of event", () => {
    const { SubmitTask, TaskEvent } = document.components.schemas;
    expect(SubmitTask).toMatchObject({ additionalProperties: false, required: ["goal"] });
    expect(JSON.stringify(TaskEvent)).toContain('"const":"task_plan_ready"');
  });

  test("is shown as a page that loads nothing from elsewhere", async () => {
    const page = await api.get("/docs");
    expect(page.headers.get("content-type")).toContain("text/html");
    expect(page.headers.get("content-security-policy")).toContain("default-src 'self'");
    const parts = [...page.text.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, path]) => path ?? "");
    expect(parts.length).toBeGreaterThan(2);
    for (const path of parts) expect((await api.get(path)).status).toBe(200);
    expect((await api.get("/docs/")).status).toBe(200);
  });

  test("has no page beside it", async () => {
    const { status, body } = await api.get("/docs/static/nothing.js");
    expect([status, body]).toMatchObject([404, { code: "not_found" }]);
  });
});
