/** The log of the server: one JSON object a line, to standard error, with every known secret taken out. */
import { destination as openDestination, pino, stdTimeFunctions } from "pino";
import type { Redaction } from "../ports/policy.ts";
import type { Log } from "../ports/runtime.ts";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

const standardError = 2;

/** @param options.destination where lines go; standard error when absent, written before a call returns so that none is lost at the end */
export function createLog(options: {
  readonly level: LogLevel;
  readonly redaction: Pick<Redaction, "text" | "value">;
  readonly destination?: { write(line: string): void };
}): Log {
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      messageKey: "message",
      formatters: { level: (label) => ({ level: label }) },
    },
    options.destination ?? openDestination({ dest: standardError, sync: true }),
  );
  const at =
    (level: "debug" | "info" | "warn" | "error") => (facts: Readonly<Record<string, unknown>>, message: string) => {
      if (!logger.isLevelEnabled(level)) return;
      logger[level](options.redaction.value(readable(facts)), options.redaction.text(message));
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** Errors as plain objects, so that what they say can be redacted too. */
function readable(facts: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(facts).map(([key, value]) => [key, value instanceof Error ? plainError(value, 0) : value]),
  );
}

const causesMax = 5;

function plainError(error: Error, depth: number): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  const code: unknown = "code" in error ? error.code : undefined;
  const hint: unknown = "hint" in error ? error.hint : undefined;
  return {
    name,
    message,
    ...(code === undefined ? {} : { code }),
    ...(hint === undefined ? {} : { hint }),
    stack,
    ...(cause instanceof Error && depth < causesMax ? { cause: plainError(cause, depth + 1) } : {}),
  };
}
