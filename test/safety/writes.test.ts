/** What a command, by its own words, will change: told with every judgement, so that nobody overwrites what another subtask holds. */
import { describe, expect, test } from "vitest";
import { createPolicy } from "../../src/safety/policy.ts";

const action = { tool: "shell_execute", reads: [], writes: [], deletes: [], hosts: [], root: "/work/project" };

function writesOf(command: string): readonly string[] | undefined {
  return createPolicy().judge({ ...action, command }).writes;
}

describe("a command that names what it writes", () => {
  test.each<readonly [string, readonly string[]]>([
    ["echo x > a.txt", ["a.txt"]],
    ["echo x >> ./b/../a.txt && make", ["a.txt"]],
    ["cd sub && sort a > b.txt 2> err.log", ["sub/b.txt", "sub/err.log"]],
    ["make &> /work/project/build.log", ["build.log"]],
    ["{ date; ls; } > list.txt", ["list.txt"]],
    ["FILE=a.txt; echo x > $FILE", ["a.txt"]],
    ["cat a | tee -a b.txt c.txt", ["b.txt", "c.txt"]],
    ["touch -d yesterday a.txt", ["a.txt"]],
    ["timeout 5 rm -f a.txt b.txt", ["a.txt", "b.txt"]],
    ["truncate -s 0 a.txt", ["a.txt"]],
    ["mv a.txt b.txt", ["a.txt", "b.txt", "b.txt/a.txt"]],
    ["cp -r src/a.txt lib/", ["lib", "lib/a.txt"]],
    ["cp -t lib a.txt", ["lib", "lib/a.txt"]],
    ["ln -s a.txt b.txt", ["b.txt", "b.txt/a.txt"]],
    ["sed -i 's/a/b/' a.txt", ["a.txt"]],
    ["sed -i.bak -e 's/a/b/' -e 's/c/d/' a.txt b.txt", ["a.txt", "b.txt"]],
    ["dd if=a of=b.img", ["b.img"]],
  ])("%j", (command, paths) => expect(writesOf(command)).toEqual(paths));

  test.each([
    "cat a.txt",
    "sed 's/a/b/' a.txt",
    "ls > /dev/null",
    "echo x > /tmp/a.txt",
    "echo x > ../a.txt",
    "echo x > *.txt",
    "rm *.txt",
    "echo x > $(date).txt",
    "sort < a.txt 2>&1",
    "pytest -q",
    "constructor a.txt",
  ])("says nothing of what is not written, not here, or not sure: %j", (command) => {
    expect(writesOf(command)).toBeUndefined();
  });

  test("does so whatever is decided of it", () => {
    expect(createPolicy().judge({ ...action, command: "rm -rf a.txt" })).toMatchObject({
      decision: "ask",
      writes: ["a.txt"],
    });
  });
});
