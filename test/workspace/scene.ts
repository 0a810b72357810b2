/** A project in which subtasks change files and someone undoes it, with the log kept as the engine keeps it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RecordedChange } from "../../src/domain/change.ts";
import type { UndoResult, Workspace } from "../../src/ports/workspace.ts";
import { createChanges } from "../../src/workspace/changes.ts";
import { History } from "./history.ts";
import { openProject, snapshot, type Temporary } from "./temporary.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

export interface Scene {
  readonly workspace: Workspace;
  readonly history: History;
  readonly write: (path: string, text: string, subtaskId?: string) => Promise<RecordedChange[]>;
  readonly remove: (path: string, subtaskId?: string) => Promise<RecordedChange[]>;
  readonly move: (source: string, destination: string, subtaskId?: string) => Promise<RecordedChange[]>;
  /** Someone who is not Loom. */
  readonly elsewhere: (path: string, text: string) => void;
  readonly undo: (selected?: readonly RecordedChange[], preview?: boolean, subtask?: string) => Promise<UndoResult>;
  readonly tree: () => Record<string, string>;
}

export async function scene(temporary: Temporary, files: Readonly<Record<string, string>> = {}): Promise<Scene> {
  const workspace = await openProject(temporary, files);
  const history = new History();
  const changes = createChanges({ blobs: history });
  return {
    workspace,
    history,
    write: async (path, text, id) => await history.apply(workspace, await workspace.planWrite(path, utf8(text)), id),
    remove: async (path, id) => await history.apply(workspace, await workspace.planDelete(path), id),
    move: async (source, destination, id) =>
      await history.apply(workspace, await workspace.planMove(source, destination), id),
    elsewhere: (path, text) => writeFileSync(join(workspace.root, path), text),
    undo: async (selected = history.all, preview = false, subtask) => {
      const ids = new Set(selected.map(({ changeId }) => changeId));
      const chosen = history.all.filter(({ changeId }) => ids.has(changeId));
      const result = await changes.undo(workspace, {
        selected: chosen,
        all: history.all,
        preview,
        ...(subtask === undefined ? {} : { subtask }),
      });
      history.markUndone(result.undoneIds);
      history.record(result, "undo");
      return result;
    },
    tree: () => snapshot(workspace.root),
  };
}
