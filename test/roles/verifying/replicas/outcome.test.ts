/** Two plays of a job, compared by what came of them. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isSame, isTelling, outcomeOf, tellOutcome } from "../../../../src/roles/verifying/replicas/outcome.ts";

type Texts = Readonly<Record<string, string>>;
const filesOf = (texts: Texts) => new Map(Object.entries(texts).map(([path, text]) => [path, Buffer.from(text)]));

interface Told {
  readonly job?: string;
  readonly before?: Texts;
  readonly after?: Texts;
  readonly said?: string;
  readonly shown?: readonly string[];
}

function came({ job = "the job", before = {}, after = before, said = "", shown = [] }: Told) {
  return outcomeOf(job, { before: filesOf(before), after: filesOf(after), said, shown });
}

const hello = { after: { "hello.txt": "hello\n" } };

describe("plays that changed files", () => {
  test("are the same when the same stands there, however it came there and was told", () => {
    const other = came({ ...hello, after: { "hello.txt": "hello" }, said: "I wrote it", shown: ["Wrote"] });
    expect(isSame(came(hello), other)).toBe(true);
  });

  test.each<[string, Told]>([
    ["another content", { after: { "hello.txt": "Hello\n" } }],
    ["another place", { after: { "hi.txt": "hello\n" } }],
    ["one file more", { after: { "hello.txt": "hello\n", "b.txt": "b" } }],
    ["nothing", {}],
  ])("differ by %s", (_what, other) => {
    expect(isSame(came(hello), came(other))).toBe(false);
    expect(isSame(came(other), came(hello))).toBe(false);
  });

  test("are compared by all but the line ends at the end, and told in their own letters", () => {
    const spaced = came({ after: { "hello.txt": "hello \n\r\n" } });
    expect(isSame(spaced, came({ after: { "hello.txt": "hello " } }))).toBe(true);
    expect(isSame(spaced, came(hello))).toBe(false);
    expect(tellOutcome(came({ after: { "a.txt": "Grüße\n" } }))).toBe('a.txt held "Grüße"');
  });

  test("tell a file that is gone from one that is empty", () => {
    const before = { "a.txt": "a" };
    const gone = came({ before, after: {} });
    expect(isSame(gone, came({ before, after: { "a.txt": "" } }))).toBe(false);
    expect(isSame(gone, came({ before, after: {} }))).toBe(true);
    expect(tellOutcome(gone)).toBe("a.txt was gone");
  });
});

describe("plays that only looked", () => {
  const looked = (said: string) =>
    came({ job: "What is the port in config.ini?", shown: ["host = local\nport = 8123"], said });

  test("are the same when they found the same, in whatever words", () => {
    expect(isSame(looked("The port in config.ini is 8123."), looked("config.ini: 8123"))).toBe(true);
  });

  test.each(["The port is local.", "The port is 8124.", "It has a port.", "host = local, port = 8123"])(
    "differ when they found something else: %s",
    (said) => {
      expect(isSame(looked("The port in config.ini is 8123."), looked(said))).toBe(false);
    },
  );

  test("prove nothing when they found nothing", () => {
    expect(isTelling(looked("The port in config.ini is there."))).toBe(false);
    expect(isTelling(looked("It is 8123."))).toBe(true);
    expect(tellOutcome(looked("It is 8123."))).toContain("8123");
  });
});

const texts = fc.dictionary(fc.constantFrom("a", "b", "c/d"), fc.constantFrom("", "x", "y\n", "z  \r\n"));

test("to come to the same is to be the same from both sides, and to oneself", () => {
  fc.assert(
    fc.property(texts, texts, texts, fc.string(), (before, after, otherAfter, said) => {
      const [one, other] = [came({ before, after, said, shown: [said] }), came({ before, after: otherAfter })];
      expect(isSame(one, one)).toBe(true);
      expect(isSame(one, other)).toBe(isSame(other, one));
    }),
  );
});
