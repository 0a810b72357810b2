import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { eventsPage } from "../../scripts/events-page.ts";

test("docs/events.md is what the schemas say (npm run docs)", () => {
  expect(readFileSync("docs/events.md", "utf8")).toBe(eventsPage());
});
