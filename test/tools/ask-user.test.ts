/** ask_user: whatever form a model gives a question, a person gets one that can be answered. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { QuestionAsk } from "../../src/domain/approval.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { Temporary } from "../workspace/temporary.ts";
import { openBench } from "./bench.ts";

async function asked(args: JsonObject | string) {
  using temporary = new Temporary();
  const { prepare } = await openBench(temporary);
  return (await prepare("ask_user", args)).question;
}

const option = (id: string, label = id, description = "") => ({ id, label, description });

describe("a question", () => {
  test("has its defaults, and does not run", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary);
    expect(await asked({ question: " Which? " })).toEqual({
      question: "Which?",
      question_type: "free_text",
      options: [],
      allow_custom_response: true,
      context_note: "",
      urgency: "normal",
    });
    expect(await asked({})).toMatchObject({ question: "Please provide clarification." });
    expect(await asked('{"prompt": "Which?"}')).toMatchObject({ question: "Which?" });
    expect((await call("ask_user", { question: "x" })).success).toBe(false);
  });

  test.each([
    [{ options: ["SQLite", "Big DB!"] }, [option("sqlite", "SQLite"), option("big-db", "Big DB!")]],
    [
      { choices: [{ key: "A", title: "First", detail: "why" }, { value: 2 }] },
      [option("a", "First", "why"), option("2", "2")],
    ],
    [{ responses: { yes: "Yes, do", no: { label: "No" } } }, [option("yes", "Yes, do"), option("no", "No")]],
    [{ candidates: "- one\n2) two\n* three" }, [option("one"), option("two"), option("three")]],
    [{ selection_options: "one, two" }, [option("one"), option("two")]],
    [{ options: '["one"]' }, [option("one")]],
    [{ options: ["x", "X", "x"] }, [option("x"), option("x-2", "X"), option("x-3", "x")]],
    [{ options: ["", null, {}, []] }, []],
    [{ options: ["日本"] }, [{ id: "option-ecc1ef34", label: "日本", description: "" }]],
    [{ options: Array.from({ length: 30 }, (_, n) => `o${n}`) }, Array.from({ length: 25 }, (_, n) => option(`o${n}`))],
  ])("takes its options as they come: %j", async (args, options) => {
    const question = await asked({ question: "Which?", ...args });
    expect(
      question?.options.map((one) => ({ ...one, id: one.id.startsWith("option-") ? "option-ecc1ef34" : one.id })),
    ).toEqual(options);
    expect(question?.question_type).toBe(options.length > 0 ? "single_choice" : "free_text");
  });

  test("keeps what is known and drops what is not", async () => {
    const question = {
      question: "Which?",
      options: ["a", "b"],
      question_type: "multi_choice",
      urgency: "high",
      default_option_id: "B",
      context: "note",
    };
    expect(await asked(question)).toMatchObject({
      question_type: "multi_choice",
      urgency: "high",
      default_option_id: "b",
      context_note: "note",
    });
    expect(await asked({ ...question, default_option_id: "c", urgency: "now", question_type: "x" })).toMatchObject({
      urgency: "normal",
      question_type: "single_choice",
    });
    expect(await asked({ ...question, default_option_id: "c" })).not.toHaveProperty("default_option_id");
  });

  test("always fits what a person is shown", async () => {
    using temporary = new Temporary();
    const { prepare } = await openBench(temporary);
    const text = fc.string({ unit: "binary", maxLength: 2000 });
    const anyOptions = fc.oneof(
      fc.array(fc.oneof(text, fc.record({ id: text, label: text, description: text }))),
      text,
      fc.dictionary(text, text),
    );
    await fc.assert(
      fc.asyncProperty(text, anyOptions, async (question, options) => {
        const { question: ask } = await prepare("ask_user", { question, options });
        const parsed = QuestionAsk.parse({ question_id: "q", ...ask });
        expect(new Set(parsed.options.map(({ id }) => id)).size).toBe(parsed.options.length);
      }),
      { numRuns: 25 },
    );
  });
});
