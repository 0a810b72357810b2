/** Which commands run tests, in a form whose exit code counts. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { testCommandIn, testCommandsNamed } from "../../../src/roles/verifying/test-commands.ts";

describe("the test command in a line", () => {
  test.each([
    ["npm test", "npm test"],
    ["npm test || true", "npm test"],
    ["npm test 2>&1 | tail -5", "npm test"],
    ["npm run test:unit > out.txt; echo done", "npm run test:unit"],
    ["cd app && npm ci && npm test || exit 0", "cd app && npm test"],
    ["CI=1 timeout 60 npx vitest run -t 'adds; twice' &> log", "CI=1 timeout 60 npx vitest run -t 'adds; twice'"],
    ["pytest -q test/test_a.py; true", "pytest -q test/test_a.py"],
    ["python3 -m unittest discover || :", "python3 -m unittest discover"],
    ["poetry run pytest", "poetry run pytest"],
    ["node --test test/", "node --test test/"],
    ["node test/all.mjs", "node test/all.mjs"],
    ["go test ./... | cat", "go test ./..."],
    ["cargo test -- --nocapture", "cargo test -- --nocapture"],
    ["./gradlew test --info", "./gradlew test --info"],
    ["mvn -q verify", "mvn -q verify"],
    ["make check", "make check"],
    ["sh ./run-tests.sh || echo failed", "sh ./run-tests.sh"],
    ["./check.sh", "./check.sh"],
    ["bundle exec rspec", "bundle exec rspec"],
  ])("%s is %s", (line, command) => {
    expect(testCommandIn(line)).toBe(command);
    expect(testCommandIn(command)).toBe(command);
  });

  test.each([
    "echo npm test",
    "cat test/test_a.py",
    "rm -rf test",
    "mv test.js old/test.js",
    "touch tests/run.sh",
    "git commit -m 'npm test'",
    "npm install",
    "npm run build",
    "node server.js",
    "bash deploy.sh",
    "npm test $(rm x)",
    "npm test `rm x`",
    "npm test $FLAGS",
    "(npm test)",
    "npm test 'unclosed",
    "npm t\\est",
    "",
    "x".repeat(3000),
  ])("there is none in %s", (line) => expect(testCommandIn(line)).toBeNull());

  test("is found again in itself, and holds nothing that a shell would do besides", () =>
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("npm test", "||", "true", "&&", "cd a", ";", "|", "2>&1", ">", "f", "'", '"', "$X"), {
          maxLength: 12,
        }),
        (words) => {
          const command = testCommandIn(words.join(" "));
          if (command === null) return;
          expect(testCommandIn(command)).toBe(command);
          expect(command.replace(/'[^']*'|"[^"]*"/g, "")).not.toMatch(/[;|`$<>]/);
        },
      ),
    ));
});

describe("test commands that a text names", () => {
  test.each([
    ["`npm test` exits 0 and `node --test test/a.test.js` passes", ["npm test", "node --test test/a.test.js"]],
    ["Running npm test succeeds.", ["npm test"]],
    ["go test ./... is green", ["go test ./..."]],
    ["`$ pytest -q`", ["pytest -q"]],
    ["the file test/npm test-results.md", []],
    ["`rm -rf test`", []],
  ])("in %s", (text, commands) => expect(testCommandsNamed(text)).toEqual(commands));
});
