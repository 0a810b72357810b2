/** search_files: lines that match a regular expression, found by ripgrep within a deadline. */
import { z } from "zod";
import type { Tool, ToolContext, ToolResult } from "../ports/tool.ts";
import { actionOf, defineTool, failureFrom, failureOf } from "./definition.ts";
import { shown } from "./output.ts";
import { linesOf, type Ripgrep, runRipgrep, searchMs } from "./ripgrep.ts";

const matchesMax = 200;
const lineCharsMax = 300;
/** ripgrep's exit code when nothing matched. */
const noMatch = 1;

const parameters = z.strictObject({
  pattern: z.string().min(1).max(2000).describe("regular expression"),
  path: z.string().default("."),
  file_pattern: z.string().min(1).max(500).optional().describe("glob of file names, as *.py"),
});
type Args = z.output<typeof parameters>;

/**
 * Files of keys answer only where a call names them, so that the policy has seen their name. ripgrep puts `--iglob`
 * behind `--glob`: a file pattern does not bring them back.
 */
const secretGlobs = [
  ".env",
  ".env.*",
  ".ssh",
  ".gnupg",
  ".aws",
  ".kube",
  ".netrc",
  ".pgpass",
  ".git-credentials",
  ".pypirc",
  "id_rsa",
  "id_dsa",
  "id_ecdsa",
  "id_ed25519",
  "*.pem",
  "*.key",
  "*.p12",
  "*.pfx",
  "*.jks",
  "*.keystore",
  "credentials",
  "credentials.*",
  ".credentials*",
  "secrets",
  "secrets.*",
  ".secrets*",
].flatMap((name) => ["--iglob", `!${name}`]);

interface SearchOptions {
  readonly ripgrep: Ripgrep;
  readonly resultChars: number;
}

export function searchFilesTool(options: SearchOptions): Tool {
  return defineTool({
    name: "search_files",
    description: "Find lines that match a regular expression, in a folder or a file.",
    parameters,
    example: { pattern: "def \\w+_total", path: "src", file_pattern: "*.py" },
    aliases: {
      query: "pattern",
      regex: "pattern",
      directory: "path",
      dir: "path",
      folder: "path",
      file_path: "path",
      glob: "file_pattern",
      include: "file_pattern",
    },
    effectClass: "pure",
    risk: "low",
    timeoutMs: searchMs,
    prepare: async (args, context) => {
      const place = await context.workspace.place(args.path === "" ? "." : args.path);
      return {
        action: actionOf("search_files", { reads: [place] }),
        destructive: false,
        run: async (signal) => await search(args, { ...options, place, context, signal }),
      };
    },
  });
}

interface Searching extends SearchOptions {
  readonly place: string;
  readonly context: ToolContext;
  readonly signal: AbortSignal;
}

async function search(args: Args, searching: Searching): Promise<ToolResult> {
  const { place, context, resultChars } = searching;
  try {
    if ((await context.workspace.state(place)).kind === "absent") return failureOf(`Path not found: ${args.path}`);
    const end = await runRipgrep(
      searching.ripgrep,
      {
        args: [
          "--engine=auto",
          "--line-number",
          "--with-filename",
          "--no-heading",
          "--sort=path",
          `--max-columns=${lineCharsMax}`,
          "--max-columns-preview",
          `--max-count=${matchesMax + 1}`,
          "--regexp",
          args.pattern,
          ...secretGlobs,
        ],
        globs: args.file_pattern === undefined ? [] : [args.file_pattern],
        cwd: context.workspace.root,
        target: place === "." ? "./" : `./${place}`,
      },
      searching,
    );
    const lines = linesOf(end).map(asMatch);
    if (end.timedOut)
      return failureOf(
        `The search did not end within ${searchMs / 1000} s. Search a smaller folder, or a simpler pattern`,
      );
    if (lines.length === 0) return nothingFound(args, end);
    const found = lines.slice(0, matchesMax);
    if (lines.length > matchesMax)
      found.push(`[Only the first ${matchesMax} matches are shown. Narrow the pattern or the path.]`);
    return {
      success: true,
      ...shown(found.join("\n"), resultChars),
      data: { count: Math.min(lines.length, matchesMax), truncated: lines.length > matchesMax },
    };
  } catch (error) {
    return failureFrom(error);
  }
}

/** `path:line:text` with a blank before the text, as people and models know it. */
function asMatch(line: string): string {
  return line.replace(/^(.*?:\d+:)/, "$1 ");
}

function nothingFound(
  { pattern }: Args,
  { exitCode, stderr }: { exitCode: number | null; stderr: string },
): ToolResult {
  if (exitCode === noMatch || exitCode === 0)
    return { success: true, output: `No matches found for pattern: ${pattern}`, data: { count: 0, truncated: false } };
  return failureOf(`Invalid regex: ${stderr.trim().slice(0, 500)}`);
}
