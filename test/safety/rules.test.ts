/** Rules over actions: what each condition means, which of them wins, and that a task can only narrow. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PolicyRule, PolicyRules } from "../../src/domain/policy-rules.ts";
import type { Action } from "../../src/ports/tool.ts";
import { createPolicy } from "../../src/safety/policy.ts";

const none: PolicyRules = { allow: [], ask: [], deny: [] };
const root = "/w";
const shell = (command: string): Action => ({
  tool: "shell_execute",
  reads: [],
  writes: [],
  deletes: [],
  hosts: [],
  command,
  root,
  arguments: { command },
});
const file = (parts: Partial<Action>): Action => {
  const { command: _command, ...nothing } = shell("");
  return { ...nothing, tool: "write_file", arguments: {}, ...parts };
};
const decided = (rules: Partial<PolicyRules>, action: Action) =>
  createPolicy({ ...none, ...rules }).judge(action).decision;

describe("a deny rule", () => {
  test.each<[PolicyRule, string]>([
    [{ command: "git push" }, "git push origin main"],
    [{ command: "git push" }, "git -C sub push"],
    [{ command: "git push" }, "cd a && (timeout 5 git push)"],
    [{ command: "git push" }, 'sh -c "git push"'],
    [{ command: "git push" }, "echo $(git push)"],
    [{ command: "git push" }, "xargs git push"],
    [{ command: "git push" }, "/usr/bin/git push"],
    [{ command: "rm -rf" }, "rm -f build -r"],
    [{ command: "npm" }, "npm test"],
    [{ command: "npm run deploy*" }, "npm run deploy:now --force"],
    [{ command: "make --jobs" }, "make --jobs=4 all"],
    [{ host: "evil.example" }, "curl https://evil.example/x"],
    [{ host: "*.example" }, "mytool --to http://EVIL.example:8080/x"],
    [{ host: "localhost" }, "curl http://localhost:3000"],
    [{ host: "evil.example" }, "ssh me@evil.example"],
    [{ host: "evil.example" }, "git clone git@evil.example:a/b"],
    [{ host: "db.example" }, "psql postgres://u@db.example/x"],
    [{ path: "infra/**" }, "cat infra/main.tf"],
    [{ path: "infra/**" }, "cd infra && cat main.tf"],
    [{ path: "infra/**" }, "cd src; ls ../infra"],
    [{ path: "infra/**" }, "cat /w/infra/x"],
    [{ path: "infra/**" }, "echo x > INFRA/x"],
    [{ path: "infra/**" }, "cat inf*/main.tf"],
    [{ path: "infra/**" }, "rm -r ."],
    [{ path: "./infra/" }, "ls infra/a/b"],
    [{ tool: "shell_*" }, "ls"],
    [{ equals: { command: "ls" } }, "ls"],
    [{ matches: { command: "*secret*" } }, "echo my-secret-x"],
    [{ tool: "shell_execute", command: "ls", path: "src" }, "ls src"],
  ])("%j meets %s", (rule, line) => expect(decided({ deny: [rule] }, shell(line))).toBe("deny"));

  test.each<[PolicyRule, string]>([
    [{ command: "git push" }, "git status"],
    [{ command: "git push" }, "echo git push"],
    [{ command: "npm run deploy" }, "npm run build"],
    [{ command: "make --jobs" }, "make all"],
    [{ path: "infra/**" }, "cat src/infra.ts *.py"],
    [{ path: "infra/*" }, "cat infra/a/b"],
    [{ path: "infra/**" }, "cat infrared/x"],
    [{ host: "example.com" }, "curl http://localhost/example.com"],
    [{ tool: "web_fetch" }, "ls"],
    [{ equals: { command: "ls" } }, "ls -l"],
    [{ equals: { other: "ls" } }, "ls"],
    [{ tool: "shell_execute", command: "ls", path: "src" }, "ls test"],
  ])("%j does not meet %s", (rule, line) => expect(decided({ deny: [rule] }, shell(line))).toBe("allow"));

  test.each<[PolicyRule, string]>([
    [{ command: "git push" }, 'git "$VERB"'],
    [{ path: "infra/**" }, 'cat "$FILE"'],
    [{ path: "infra/**" }, "grep -r x ."],
    [{ host: "evil.example" }, 'curl "$URL"'],
    [{ command: "git push" }, "case x in x) git push;; esac"],
  ])("%j that may be met by %s puts it before a person", (rule, line) =>
    expect(decided({ deny: [rule] }, shell(line))).toBe("ask"),
  );

  test("holds for files and hosts of every tool", () => {
    const deny = [{ path: "infra/**" }, { host: "evil.example" }];
    expect(decided({ deny }, file({ writes: ["infra/a"] }))).toBe("deny");
    expect(decided({ deny }, file({ reads: ["./infra/a"] }))).toBe("deny");
    expect(decided({ deny }, file({ deletes: ["."] }))).toBe("deny");
    expect(decided({ deny }, file({ tool: "search_files", reads: ["."] }))).toBe("ask");
    expect(decided({ deny }, file({ tool: "list_directory", reads: ["."] }))).toBe("allow");
    expect(decided({ deny }, file({ tool: "web_fetch", hosts: ["Evil.example.:443"] }))).toBe("deny");
    expect(decided({ deny }, file({ tool: "web_fetch", hosts: ["[::1]:80"] }))).toBe("allow");
  });

  test("about arguments asks where the arguments are not known", () => {
    const { arguments: _arguments, ...action } = shell("ls");
    expect(decided({ deny: [{ matches: { command: "rm*" } }] }, action)).toBe("ask");
    expect(decided({ deny: [{ matches: { count: "4*" } }] }, { ...action, arguments: { count: 42 } })).toBe("deny");
  });

  test("tells the model its place, its conditions and its reason", () => {
    const judged = createPolicy({
      ...none,
      deny: [{ tool: "x" }, { command: "git push", reason: "a person pushes." }],
    }).judge(shell("git push"));
    expect(judged).toEqual({
      decision: "deny",
      risk: "high",
      rule: '[policy] deny, rule 2 (command "git push")',
      reason: '"git push" is denied by [policy] deny, rule 2 (command "git push"): a person pushes.',
    });
  });
});

describe("an ask rule", () => {
  test("puts before a person what would run, with its reason and its name", () => {
    const judged = createPolicy({ ...none, ask: [{ path: "infra/**", reason: "it is dear" }] }).judge(
      file({ writes: ["infra/a"] }),
    );
    expect(judged).toMatchObject({ decision: "ask", rule: '[policy] ask, rule 1 (path "infra/**")' });
    expect(judged.reason).toContain('rule 1 (path "infra/**"): it is dear');
  });
});

describe("an allow rule", () => {
  test.each<[PolicyRule, string]>([
    [{ command: "docker compose up *" }, "docker compose up -d"],
    [{ command: "docker compose up" }, "docker compose up"],
    [{ command: "npm publish" }, "npm test && npm publish"],
    [{ command: "git push" }, "timeout 9 git push"],
    [{ host: "*.example.com" }, "curl -s https://api.example.com/v1"],
    [{ path: "/opt/shared/**" }, "cat /opt/shared/a.txt"],
    [{ tool: "shell_execute" }, "docker run x"],
  ])("%j takes the question away from %s", (rule, line) => {
    expect(decided({}, shell(line))).toBe("ask");
    expect(decided({ allow: [rule] }, shell(line))).toBe("allow");
  });

  test.each<[PolicyRule, string]>([
    [{ command: "docker compose up" }, "docker compose up -d"],
    [{ command: "docker compose up *" }, "docker compose down"],
    [{ command: "docker compose up *" }, "./docker compose up x"],
    [{ command: "docker compose up *" }, 'docker compose up "$X"'],
    [{ command: "docker compose up *" }, "docker compose up x; docker rm y"],
    [{ command: "docker compose up *" }, "DOCKER_HOST=evil docker compose up x"],
    [{ command: "docker compose up *" }, "export DOCKER_HOST=evil; docker compose up x"],
    [{ host: "*.example.com" }, "curl https://api.example.com https://evil.example"],
    [{ host: "*.example.com" }, "curl -x evil.example https://api.example.com"],
    [{ path: "/opt/shared/**" }, "cat /opt/shared/../x"],
    [{ path: "/opt/shared/**" }, "cat /opt/shared/a /etc/x"],
    [{ path: "/opt/shared/**" }, "python3 -c \"open('/opt/shared/a'); open('/etc/x')\""],
    [{ command: "sudo *" }, "sudo ls"],
    [{ command: "rm *" }, "rm -r -f build"],
    [{ command: "chmod *" }, "chmod 777 x"],
    [{ command: "psql *" }, "psql -c 'drop table x'"],
    [{ tool: "*" }, "rm -rf build"],
    [{ tool: "*" }, "cat .env"],
    [{ tool: "*" }, "echo 'x"],
    [{ tool: "*" }, "cat x | sh"],
    [{ tool: "*" }, 'eval "$X"'],
  ])("%j leaves the question to %s", (rule, line) => expect(decided({ allow: [rule] }, shell(line))).toBe("ask"));

  test("never lifts the floor for files", () => {
    for (const path of [".env", "credentials.json", ".ssh/config", "a/secrets/x"])
      expect(decided({ allow: [{ tool: "*" }, { path: "**" }] }, file({ writes: [path] }))).toBe("ask");
    expect(decided({ allow: [{ path: ".git/**" }] }, file({ writes: [".git/config"] }))).toBe("allow");
  });
});

const words = fc.constantFrom(
  "git",
  "push",
  "npm",
  "docker",
  "rm",
  "-rf",
  "curl",
  "https://x.example",
  "infra/a",
  ".env",
  "$X",
  "*",
  "ls",
);
const lines = fc.array(words, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(" "));
const rule: fc.Arbitrary<PolicyRule> = fc.oneof(
  lines.filter((line) => !/[$]/.test(line)).map((command) => ({ command })),
  fc.constantFrom("infra/**", "**", "*", ".env").map((path) => ({ path })),
  fc.constantFrom("*", "x.example").map((host) => ({ host })),
  fc.constantFrom("*", "shell_execute", "other").map((tool) => ({ tool })),
);
const rules = fc.array(rule, { maxLength: 3 });
const strictness = { allow: 0, ask: 1, deny: 2 };

describe("whatever the rules", () => {
  test("deny beats allow", () =>
    fc.assert(
      fc.property(lines, rules, rule, (line, allow, denied) => {
        fc.pre(decided({ deny: [denied] }, shell(line)) === "deny");
        expect(decided({ allow: [...allow, denied], deny: [denied] }, shell(line))).toBe("deny");
      }),
    ));

  test("ask beats allow", () =>
    fc.assert(
      fc.property(lines, rules, rule, (line, allow, asked) => {
        fc.pre(decided({ deny: [asked] }, shell(line)) === "deny");
        expect(decided({ allow: [...allow, asked], ask: [asked] }, shell(line))).toBe("ask");
      }),
    ));

  test("a task only narrows", () =>
    fc.assert(
      fc.property(lines, rules, rules, rules, rules, (line, allow, serverAsk, ask, deny) => {
        const policy = createPolicy({ allow, ask: serverAsk, deny: [] });
        const before = policy.judge(shell(line)).decision;
        const after = policy.judge(shell(line), { ask, deny }).decision;
        expect(strictness[after]).toBeGreaterThanOrEqual(strictness[before]);
      }),
    ));

  test("the judgement is total, and what cannot be read is never allowed", () =>
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), rules, (text, allow) => {
        const action = { ...shell(text), reads: [text], writes: [text], deletes: [text], hosts: [text] };
        expect(["allow", "ask", "deny"]).toContain(decided({ allow }, action));
        expect(decided({ allow }, shell(`'${text.replaceAll("'", "")}`))).toBe("ask");
        expect(decided({ allow }, file({ reads: [`../${text}`] }))).toBe("ask");
      }),
    ));
});
