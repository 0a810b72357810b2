/** The log: JSON lines, levels, and no secret in any of them. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LoomError } from "../../src/lib/errors.ts";
import { createLog, type LogLevel } from "../../src/observability/log.ts";

const redaction = {
  text: (text: string) => text.replaceAll("hunter22", "[x]"),
  value: <T>(value: T) => JSON.parse(JSON.stringify(value).replaceAll("hunter22", "[x]")) as T,
};

function logged(level: LogLevel) {
  const lines: string[] = [];
  const log = createLog({ level, redaction, destination: { write: (line) => lines.push(line) } });
  return { log, records: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe("a log line", () => {
  test("is one JSON object with time, level, facts and message", () => {
    const { log, records } = logged("debug");
    log.debug({ a: 1 }, "one");
    log.info({ task_id: "task_1" }, "two");
    log.warn({}, "three");
    log.error({}, "four");
    expect(records().map(({ level, message }) => [level, message])).toEqual([
      ["debug", "one"],
      ["info", "two"],
      ["warn", "three"],
      ["error", "four"],
    ]);
    expect(records()[1]).toMatchObject({ task_id: "task_1", time: expect.stringMatching(/^\d{4}-.*Z$/) as string });
  });

  test("below the level is not written", () => {
    const { log, records } = logged("warn");
    log.info({}, "quiet");
    log.warn({}, "loud");
    expect(records().map(({ message }) => message)).toEqual(["loud"]);
    const silent = logged("silent");
    silent.log.error({}, "nothing");
    expect(silent.records()).toEqual([]);
  });

  test("holds no secret: not in the message, not in facts, not in an error or its cause", () => {
    const { log, records } = logged("info");
    const cause = new Error("hunter22 below");
    log.info(
      {
        url: "http://hunter22@x",
        error: new LoomError("model_refused", "key hunter22 was refused", { hint: "not hunter22", cause }),
      },
      "saw hunter22",
    );
    const [record] = records();
    expect(JSON.stringify(record)).not.toContain("hunter22");
    expect(record).toMatchObject({
      message: "saw [x]",
      error: { name: "LoomError", code: "model_refused", hint: "not [x]", cause: { message: "[x] below" } },
    });
  });

  test("goes to standard error when no other place is named, and is there when the process ends", () => {
    const program = `
      import { createLog } from ${JSON.stringify(join(import.meta.dirname, "../../src/observability/log.ts"))};
      createLog({ level: "info", redaction: { text: (t) => t, value: (v) => v } }).info({ a: 1 }, "last words");
      process.exit(0);`;
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
      encoding: "utf8",
    });
    expect(stdout).toBe("");
    expect(JSON.parse(stderr)).toMatchObject({ a: 1, message: "last words" });
  });
});
