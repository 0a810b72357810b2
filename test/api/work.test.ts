/** What a task shows of its work: subtasks, memory, changes, files. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import * as answers from "../../src/api/answers.ts";
import { RunningApi } from "./running-api.ts";
import { planned, remembered, wrote } from "./samples.ts";

let api: RunningApi;
let id: string;
beforeEach(async () => {
  api = await RunningApi.open();
  id = await api.task();
});
afterEach(async () => await api.close());

describe("the work of a task", () => {
  beforeEach(() => api.loom.append(id, planned, remembered, wrote));

  test("shows its subtasks, one of them, and its trace", async () => {
    const [one] = z.array(answers.SubtaskAnswer).parse((await api.get(`/tasks/${id}/subtasks`)).body);
    expect((await api.get(`/tasks/${id}/subtasks/s1`)).body).toEqual(one);
    expect(answers.TraceAnswer.parse((await api.get(`/tasks/${id}/subtasks/s1/trace`)).body)).toHaveLength(1);
  });

  test.each(["subtasks/s9", "subtasks/s9/trace", "subtasks/%20", "subtasks/%2e%2e%2f/trace"])(
    "has no %s",
    async (path) => {
      expect((await api.get(`/tasks/${id}/${path}`)).status).toBe(404);
    },
  );

  test("shows what was remembered, by type and by words", async () => {
    const [entry] = answers.MemoryAnswer.parse((await api.get(`/tasks/${id}/memory`)).body);
    expect(entry).toMatchObject({ task_id: id, entry_type: "discovery", tags: ["build"] });
    expect((await api.get(`/tasks/${id}/memory?entry_type=error`)).body).toEqual([]);
    expect((await api.get(`/memory/search?q=Node&task_id=${id}`)).body).toEqual([entry]);
    expect((await api.get("/memory/search?q=Node")).body).toEqual([entry]);
    expect((await api.get("/memory/search?q=Python")).body).toEqual([]);
  });

  test.each([
    "/memory/search",
    "/memory/search?q=",
    "/memory/search?q=%00",
    "/memory/search?q=x&task_id=y",
    "/memory/search?q=x&limit=0",
  ])("is not searched by %s", async (path) => {
    expect((await api.get(path)).status).toBe(422);
  });

  test("of no task has no memory, and of no known type none either", async () => {
    expect((await api.get("/tasks/task_nope/memory")).status).toBe(404);
    expect((await api.get(`/tasks/${id}/memory?entry_type=dream`)).status).toBe(422);
  });

  test("shows its changes, as a list and as a diff", async () => {
    const changes = answers.ChangesAnswer.parse((await api.get(`/tasks/${id}/changes`)).body);
    expect(changes).toMatchObject([{ path: "haiku.txt", operation: "created" }]);
    const diff = await api.get(`/tasks/${id}/changes.diff`);
    expect(diff.headers.get("content-type")).toBe("text/x-diff; charset=utf-8");
    expect(diff.text).toContain("+++ b/haiku.txt");
  });

  test("is undone, or only looked at", async () => {
    const preview = await api.post(`/tasks/${id}/undo`, { scope: "task", preview: true });
    expect(answers.UndoAnswer.parse(preview.body)).toEqual({
      restored: ["haiku.txt"],
      conflicts: [],
      skipped: [],
      applied_seq: 4,
    });
    expect((await api.post(`/tasks/${id}/undo`, { scope: "change", id: "chg_1" })).body).toMatchObject({
      applied_seq: 5,
    });
    expect((await api.post(`/tasks/${id}/undo`, { scope: "subtask" })).body).toMatchObject({
      errors: [{ pointer: "#/id" }],
    });
    expect((await api.post(`/tasks/${id}/undo`, { scope: "all" })).status).toBe(422);
  });
});

describe("a file of a task", () => {
  test("comes as text when it is text, and never as a page", async () => {
    api.loom.putFile(id, "out/ä b.html", Buffer.from("<script>alert('ä')</script>"));
    const { status, headers, text } = await api.get(`/tasks/${id}/files/out/${encodeURIComponent("ä b.html")}`);
    expect([status, text]).toEqual([200, "<script>alert('ä')</script>"]);
    expect(headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(headers.get("content-security-policy")).toBe("sandbox");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  });

  test.each([[[0x50, 0, 1]], [[0xff, 0xfe]]])("comes as bytes when it is not: %j", async (bytes) => {
    api.loom.putFile(id, "a.png", Uint8Array.from(bytes));
    const response = await fetch(`${api.url}/tasks/${id}/files/a.png`);
    expect(response.headers.get("content-type")).toBe("application/octet-stream");
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual(bytes);
  });

  test.each([
    ["nothing.txt", 404],
    ["", 404],
    ["..%2f..%2fetc%2fpasswd", 422],
    ["a%00b", 404],
  ])("%s is refused with %i", async (path, status) => {
    expect((await api.get(`/tasks/${id}/files/${path}`)).status).toBe(status);
  });
});
