import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startModelServer } from "../support/model-server.ts";
import { createPlace, startScenario } from "../support/scenario.ts";
import { spawnLoom } from "../support/spawned.ts";
import { calls, ending, plan, works } from "../support/story.ts";
import { snapshot } from "../workspace/temporary.ts";

const shell = (command: string) => calls("shell_execute", { command });

describe("what commands did", () => {
  test("is shown, and undone without git: files, folders, modes and links; what a person wrote elsewhere in a text stays", async () => {
    const commands = [
      "sed -i 's/two/TWO/' text.txt; rm -r old; mkdir -p new/empty; printf '\\000' > new/bin; ln -s text.txt link",
      "chmod 700 run.sh; mv keep.txt new/kept.txt; : > void",
    ];
    await using scenario = await startScenario({
      script: {
        replies: [
          plan({ id: "tidy", description: "Tidy up." }),
          ...works("Tidy up.", ...commands.map(shell), "Tidied up."),
          ...ending,
        ],
      },
    });
    const { client, place } = scenario;
    const text = ["one", "two", "three", "four", "five", "six", ""].join("\n");
    for (const [path, content] of Object.entries({
      "text.txt": text,
      "old/a.txt": "a",
      "run.sh": "r",
      "keep.txt": "k",
    }))
      place.write(path, content);
    mkdirSync(join(place.workspace, "old/empty"));
    chmodSync(join(place.workspace, "run.sh"), 0o755);
    const before = snapshot(place.workspace);
    const taskId = await client.submit({ goal: "Tidy", workspace: place.workspace });
    expect((await client.closed(taskId)).status).toBe("completed");
    const after = snapshot(place.workspace);
    const changes = await client.get<{ operation: string; path: string; subtask_id: string; change_id: string }[]>(
      `/tasks/${taskId}/changes`,
    );
    expect(changes.map(({ operation, path }) => `${operation} ${path}`)).toEqual([
      "created link",
      "created new",
      "created new/bin",
      "created new/empty",
      "deleted old",
      "deleted old/a.txt",
      "deleted old/empty",
      "modified text.txt",
      "renamed keep.txt",
      "renamed new/kept.txt",
      "modified run.sh",
      "created void",
    ]);
    expect(new Set(changes.map(({ subtask_id }) => subtask_id))).toEqual(new Set(["tidy"]));
    const diff = await (await fetch(`${client.url}/tasks/${taskId}/changes.diff`)).text();
    expect(diff).toContain("-two\n+TWO");
    expect(diff).toContain("rename from keep.txt");

    writeFileSync(join(place.workspace, "text.txt"), place.read("text.txt").replace("six", "six, by a person"));
    const preview = await client.post(`/tasks/${taskId}/undo`, { scope: "task", preview: true });
    expect(preview.body).toMatchObject({ conflicts: [], merged: ["text.txt"] });
    const undone = await client.post(`/tasks/${taskId}/undo`, { scope: "task" });
    expect(undone.body).toMatchObject({ conflicts: [], merged: ["text.txt"] });
    expect(place.read("text.txt")).toBe(text.replace("six", "six, by a person"));
    const { "text.txt": _mine, ...rest } = snapshot(place.workspace);
    const { "text.txt": _theirs, ...expected } = before;
    expect(rest).toEqual(expected);

    const later = await client.get<{ change_id: string; subtask_id: string }[]>(`/tasks/${taskId}/changes`);
    const id = later.find(({ subtask_id }) => subtask_id.startsWith("undo:"))?.change_id;
    expect((await client.post(`/tasks/${taskId}/undo`, { scope: "change", id })).body).toMatchObject({ conflicts: [] });
    const { "text.txt": _again, ...redone } = snapshot(place.workspace);
    const { "text.txt": _done, ...wanted } = after;
    expect(redone).toEqual(wanted);
    expect(place.read("text.txt")).toContain("TWO");
  });

  test("is shared where two ran at the same time: undo of one names it, undo of the task takes it back", async () => {
    const both = (mine: string, other: string) =>
      shell(`touch at-${mine}; while [ ! -f at-${other} ]; do sleep 0.01; done; echo ${mine} > ${mine}.txt`);
    await using scenario = await startScenario({
      script: {
        replies: [
          plan({ id: "a", description: "Do part a." }, { id: "b", description: "Do part b." }),
          ...works("Do part a.", both("a", "b"), "Done."),
          ...works("Do part b.", both("b", "a"), "Done."),
          ...ending,
        ],
      },
    });
    const { client, place } = scenario;
    const taskId = await client.submit({ goal: "Both", workspace: place.workspace });
    expect((await client.closed(taskId)).status).toBe("completed");
    const changes = await client.get<{ path: string; shared_with?: string[] }[]>(`/tasks/${taskId}/changes`);
    const shared = changes.filter(({ shared_with }) => shared_with !== undefined).map(({ path }) => path);
    expect(shared).toEqual(expect.arrayContaining(["at-a", "at-b"]));
    const one = await client.post(`/tasks/${taskId}/undo`, { scope: "subtask", id: "a" });
    expect(one.body.conflicts).toEqual(
      expect.arrayContaining(["at-a", "at-b"].map((path) => ({ path, reason: expect.stringContaining("same time") }))),
    );
    expect(existsSync(join(place.workspace, "at-b"))).toBe(true);
    expect((await client.post(`/tasks/${taskId}/undo`, { scope: "task" })).body.conflicts).toEqual([]);
    expect(snapshot(place.workspace)).toEqual({});
  });

  test("is put back after a cancellation in the middle of it, what it left half done as well", async () => {
    await using scenario = await startScenario({
      script: {
        replies: [
          plan({ id: "a", description: "Do it." }),
          ...works("Do it.", shell("echo half > half.txt; rm keep.txt; touch begun; sleep 60"), "Done."),
          ...ending,
        ],
      },
    });
    const { client, place } = scenario;
    place.write("keep.txt", "k");
    const before = snapshot(place.workspace);
    const taskId = await client.submit({ goal: "It", workspace: place.workspace });
    await expect.poll(() => existsSync(join(place.workspace, "begun")), { timeout: 5000 }).toBe(true);
    await client.post(`/tasks/${taskId}/cancel`);
    await client.until(taskId, ({ event_type }) => event_type === "files_changed");
    expect((await client.post(`/tasks/${taskId}/undo`, { scope: "task" })).body).toMatchObject({ conflicts: [] });
    expect(snapshot(place.workspace)).toEqual(before);
  });

  test("is said to be undone in part only where there is too much of it, before a person agrees to it, too", async () => {
    await using scenario = await startScenario(
      {
        script: {
          replies: [
            plan({ id: "a", description: "Do it." }),
            ...works("Do it.", shell("rm -rf build"), "Done."),
            ...ending,
          ],
        },
      },
      { extra: "[undo]\nmax_files = 5" },
    );
    const { client, place } = scenario;
    for (let n = 0; n < 9; n += 1) place.write(`build/${n}`, "x");
    const taskId = await client.submit({ goal: "It", workspace: place.workspace });
    const asked = await client.until(taskId, ({ event_type }) => event_type === "approval_requested");
    expect(asked.data.reason).toContain("Undo would be partial: build: over [undo] max_files = 5");
    await client.post(`/tasks/${taskId}/approve`, { subtask_id: "a", approved: true });
    expect((await client.closed(taskId)).status).toBe("completed");
    const done = (await client.events(taskId)).find(
      ({ data, event_type }) => event_type === "tool_call_completed" && data.tool === "shell_execute",
    );
    expect(done?.data).toMatchObject({ undo: "partial", undo_reason: expect.stringContaining("build: over") });
  });

  test("is found after Loom was killed in the middle of it, and undone", { timeout: 60_000 }, async () => {
    using place = createPlace();
    const command = "echo new > new.txt; echo changed > a.txt; rm b.txt; mkdir -m 700 d; touch begun; sleep 60";
    const script = {
      replies: [
        plan({ id: "a", description: "Do it." }),
        ...works("Do it.", shell("ls"), shell(command), "Done."),
        ...ending,
      ],
    };
    await using model = await startModelServer({ script });
    const config = place.configure({ url: model.url });
    place.write("a.txt", "a");
    place.write("b.txt", "b");
    const before = snapshot(place.workspace);
    await using first = await spawnLoom({ config, home: place.home });
    const taskId = await first.client.submit({ goal: "It", workspace: place.workspace });
    await expect.poll(() => existsSync(join(place.workspace, "begun")), { timeout: 10_000 }).toBe(true);
    expect(await first.end("SIGKILL")).toBe("SIGKILL");
    await using second = await spawnLoom({ config, home: place.home });
    expect((await second.client.closed(taskId)).status).toBe("completed");
    const events = await second.client.events(taskId);
    const doubt = events.find(({ event_type }) => event_type === "uncertain_effect");
    expect(doubt?.data.detail).toContain("Changed since it began: a.txt, b.txt, begun, d, new.txt");
    expect(lstatSync(join(place.workspace, "d")).mode & 0o777).toBe(0o700);
    const undone = await second.client.post(`/tasks/${taskId}/undo`, { scope: "task" });
    expect(undone.body).toMatchObject({ conflicts: [] });
    expect(snapshot(place.workspace)).toEqual(before);
    expect(readFileSync(join(place.workspace, "a.txt"), "utf8")).toBe("a");
  });
});
