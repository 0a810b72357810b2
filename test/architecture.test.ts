/** Holds the sources to docs/ARCHITECTURE.md section 3, and shows on small bad samples that each rule can fail. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  badNames,
  importCycles,
  impurities,
  layerBreaches,
  longFiles,
  missingHeaders,
  sharedPackages,
} from "./support/architecture.ts";
import { parseModule, readModules } from "./support/source.ts";

const root = join(import.meta.dirname, "..");
const sources = readModules(root, ["src/**/*.ts"]);
const everything = [...sources, ...readModules(root, ["{test,bench,scripts}/**/*.ts"])];

describe("the sources", () => {
  test("are found", () => expect(sources.length).toBeGreaterThan(0));
  test("import only what the row of their layer allows", () => expect(layerBreaches(sources)).toEqual([]));
  test("know each external package in one folder only", () => expect(sharedPackages(sources)).toEqual([]));
  test("do no I/O and read no clock in the pure layers", () => expect(impurities(sources)).toEqual([]));
  test("have no import cycle", () => expect(importCycles(sources)).toEqual([]));
  test("open with what they are for", () => expect(missingHeaders(sources)).toEqual([]));
  test("are short, tests and scripts included", () => expect(longFiles(everything)).toEqual([]));
  test("have names that say something, tests and scripts included", () => expect(badNames(everything)).toEqual([]));
});

describe("the layer rule", () => {
  test.each([
    ["src/domain/task.ts", "../engine/driver.ts"],
    ["src/ports/model.ts", "../models/openai.ts"],
    ["src/models/openai.ts", "../storage/database.ts"],
    ["src/api/server.ts", "../engine/driver.ts"],
    ["src/engine/driver.ts", "../roles/plan.ts"],
    ["src/lib/json.ts", "zod"],
    ["src/engine/driver.ts", "better-sqlite3"],
    ["src/cli/run.ts", "fastify"],
    ["src/api/server.ts", "openai"],
    ["src/app.ts", "openai"],
    ["src/elsewhere/thing.ts", "../lib/json.ts"],
    ["src/other.ts", "./lib/json.ts"],
  ])("refuses that %s imports %s", (path, specifier) => {
    for (const text of importsOf(specifier)) expect(layerBreaches([parseModule(path, text)])).toHaveLength(1);
  });

  test.each([
    ["src/domain/task.ts", "../lib/json.ts"],
    ["src/domain/task.ts", "./plan.ts"],
    ["src/domain/task.ts", "zod"],
    ["src/models/openai.ts", "openai"],
    ["src/storage/database.ts", "node:fs"],
    ["src/api/server.ts", "@fastify/swagger"],
    ["src/cli/run.ts", "../config/load.ts"],
    ["src/app.ts", "./engine/driver.ts"],
  ])("allows that %s imports %s", (path, specifier) => {
    for (const text of importsOf(specifier)) expect(layerBreaches([parseModule(path, text)])).toEqual([]);
  });

  test("refuses one package in two folders", () => {
    const modules = ["src/models/openai.ts", "src/tools/image.ts"].map((path) => parseModule(path, 'import "openai";'));
    expect(sharedPackages(modules)).toEqual(["openai is imported by models and tools: one folder only"]);
  });
});

describe("the purity rule", () => {
  test.each([
    ["src/domain/task.ts", 'import { readFileSync } from "node:fs";'],
    ["src/domain/task.ts", 'import { createHash } from "node:crypto";'],
    ["src/domain/task.ts", "export const now = () => Date.now();"],
    ["src/domain/task.ts", "export const now = () => new Date();"],
    ["src/domain/task.ts", "export const luck = () => Math.random();"],
    ["src/domain/task.ts", "export const id = () => crypto.randomUUID();"],
    ["src/domain/task.ts", "setTimeout(() => undefined, 1);"],
    ["src/engine/driver.ts", 'import { spawn } from "node:child_process";'],
    ["src/roles/work.ts", 'import { randomUUID } from "node:crypto";'],
    ["src/lib/limiter.ts", "export const now = () => performance.now();"],
    ["src/engine/driver.ts", "setTimeout(() => undefined, 1);"],
    ["src/ports/model.ts", "export const home = () => process.env;"],
    ["src/roles/work.ts", "export const page = () => fetch('x');"],
  ])("refuses in %s: %s", (path, text) => {
    expect(impurities([parseModule(path, text)])).toHaveLength(1);
  });

  test.each([
    ["src/domain/task.ts", "export const at = (ms: number) => new Date(ms);"],
    ["src/domain/process.ts", "export const nameOf = (process: { name: string }) => process.name;"],
    ["src/roles/work.ts", 'import { createHash } from "node:crypto";'],
    ["src/engine/driver.ts", "queueMicrotask(() => undefined);"],
    ["src/storage/database.ts", "export const now = () => Date.now();"],
  ])("allows in %s: %s", (path, text) => {
    expect(impurities([parseModule(path, text)])).toEqual([]);
  });
});

describe("the rule against cycles", () => {
  test("finds one that goes through a type import and a re-export", () => {
    const modules = [
      parseModule("src/lib/a.ts", 'import type { B } from "./b.ts";'),
      parseModule("src/lib/b.ts", 'export { c } from "./c.ts";'),
      parseModule("src/lib/c.ts", 'import { a } from "./a.ts";'),
      parseModule("src/lib/d.ts", 'import { a } from "./a.ts";'),
    ];
    expect(importCycles(modules)).toEqual(["src/lib/a.ts → src/lib/b.ts → src/lib/c.ts → src/lib/a.ts"]);
  });
});

describe("the rules of form", () => {
  const lines = (count: number) => "export {};\n".repeat(count);
  const header = "/** Says what it is for. */\n";
  const reason = "/** Says what it is for. Long because it is one table. */\n";

  test.each([
    [lines(301), 1],
    [header + lines(300), 1],
    [reason + lines(300), 0],
    [reason + lines(400), 1],
    [lines(300), 0],
  ])("count lines and look for the reason", (text, breaches) => {
    expect(longFiles([parseModule("src/lib/a.ts", text)])).toHaveLength(breaches);
  });

  test.each([
    ["export const a = 1;", 1],
    ["// Says what it is for.\n", 1],
    ["/** */\nexport const a = 1;", 1],
    [`/**\n${" * line\n".repeat(6)} */\n`, 1],
    [`/**\n${" * line\n".repeat(5)} */\n`, 0],
    [header, 0],
  ])("ask for a header: %j", (text, breaches) => {
    expect(missingHeaders([parseModule("src/lib/a.ts", text)])).toHaveLength(breaches);
  });

  test.each([
    ["src/lib/index.ts", 1],
    ["src/lib/utils.ts", 1],
    ["src/lib/string-helpers.ts", 1],
    ["src/engine/task-manager.ts", 1],
    ["src/domain/info.ts", 1],
    ["src/domain/TaskView.ts", 1],
    ["src/storage/event-store.sqlite.ts", 0],
  ])("judge names: %s", (path, breaches) => {
    expect(badNames([parseModule(path, "export {};")])).toHaveLength(breaches);
  });
});

function importsOf(specifier: string): string[] {
  return [
    `import "${specifier}";`,
    `import { a } from "${specifier}";`,
    `import type { A } from "${specifier}";`,
    `export { a } from "${specifier}";`,
    `export * from "${specifier}";`,
    `await import("${specifier}");`,
    `export type A = import("${specifier}").A;`,
  ];
}
