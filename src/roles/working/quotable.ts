/** What a small model can answer a look-up with: pieces of what was read, word for word. Pure. */

const piecesMax = 120;
const pieceCharsMax = 400;
const charsMax = 8000;

export interface ShownResult {
  readonly tool: string;
  readonly output: string;
}

/**
 * @param shown what tools gave, oldest first
 * @returns the lines of it, newest first, and of a list the whole; empty where they are too many to choose from
 */
export function quotable(shown: readonly ShownResult[]): readonly string[] {
  const pieces = new Set<string>();
  for (const { tool, output } of shown.toReversed())
    for (const piece of tool === "list_directory" ? [output] : output.split("\n"))
      if (piece.trim() !== "" && piece.length <= pieceCharsMax) pieces.add(piece.trim());
  const chars = [...pieces].reduce((sum, piece) => sum + piece.length, 0);
  return pieces.size > piecesMax || chars > charsMax ? [] : [...pieces];
}
