/** All tools there are, in the order in which models are offered them, and which of them a task gets. */
import { rgPath } from "@vscode/ripgrep";
import type { Artifacts } from "../ports/artifacts.ts";
import type { Egress } from "../ports/policy.ts";
import type { Sandbox } from "../ports/sandbox.ts";
import type { Tool, Tools } from "../ports/tool.ts";
import type { TextDiff } from "../ports/workspace.ts";
import { appendFileTool } from "./append-file.ts";
import { askUserTool } from "./ask-user.ts";
import { deleteFileTool, moveFileTool } from "./delete-and-move.ts";
import { editFileTool } from "./edit-file.ts";
import { gitCommandTool } from "./git-command.ts";
import { repositoryOf } from "./git-places.ts";
import { globFindTool } from "./glob-find.ts";
import { listDirectoryTool } from "./list-directory.ts";
import { readArtifactTool } from "./read-artifact.ts";
import { readFileTool } from "./read-file.ts";
import type { InheritedEnvironment } from "./run-process.ts";
import { searchFilesTool } from "./search-files.ts";
import { shellExecuteTool } from "./shell-execute.ts";
import { webFetchTool } from "./web-fetch.ts";
import { writeFileTool } from "./write-file.ts";

export interface ToolsOptions {
  readonly artifacts: Artifacts;
  readonly egress: Egress;
  readonly textDiff: TextDiff;
  /** What holds the commands of shell and git. */
  readonly sandbox: Sandbox;
  readonly inherited: InheritedEnvironment;
  /** Whether web_fetch may reach private and loopback addresses. */
  readonly allowPrivateHosts?: boolean;
  /** What a model is shown of one result. @see DECISIONS 25 */
  readonly resultChars?: number;
  readonly ripgrepPath?: string;
}

const resultCharsUsual = 8000;

export function createTools(options: ToolsOptions): Tools {
  const {
    artifacts,
    egress,
    textDiff,
    sandbox,
    inherited,
    allowPrivateHosts = false,
    resultChars = resultCharsUsual,
    ripgrepPath = rgPath,
  } = options;
  const ripgrep = { path: ripgrepPath, inherited };
  const git = gitCommandTool({ sandbox, inherited, resultChars });
  const ask = askUserTool();
  const tools: readonly Tool[] = [
    readFileTool({ resultChars }),
    listDirectoryTool({ resultChars }),
    globFindTool({ ripgrep, resultChars }),
    searchFilesTool({ ripgrep, resultChars }),
    editFileTool({ textDiff, resultChars }),
    writeFileTool(),
    appendFileTool(),
    moveFileTool(),
    deleteFileTool(),
    shellExecuteTool({ sandbox, inherited, resultChars }),
    git,
    webFetchTool({ egress, allowPrivateHosts, resultChars }),
    readArtifactTool({ artifacts, resultChars }),
    ask,
  ];
  return {
    all: () => tools,
    forTask: async ({ workspace, someoneCanAnswer }) => {
      const hasRepository = repositoryOf(workspace.root) !== null;
      return tools.filter((tool) => (tool !== git || hasRepository) && (tool !== ask || someoneCanAnswer));
    },
  };
}
