/** Lines such as `// ... rest unchanged`, which stand for code that a model did not write out. They are never written. */
import { normalised } from "./normalised-lines.ts";

const commentSigns = /^(?:\{?\/\*+|\/\/+|<!--|--|#+|;+|%+|\*)|(?:\*+\/\}?|-->)$/g;
const dots = /\.{3,}/;
const ofTheRest =
  /^(?:the )?(?:rest|remaining|remainder|existing|other|unchanged|previous|same|keep|omitted|snip)\b|\b(?:unchanged|omitted|remains? the same|stays? the same|as before|existing (?:code|implementation|methods?|functions?|content|logic))\b/i;
const restInWords =
  /^(?:the )?(?:rest|remainder) of (?:the |this )?(?:code|file|function|method|class|implementation|body|logic|module|document)\b.{0,40}$/i;
const wordsMax = 100;

export function isElision(line: string): boolean {
  const text = normalised(line.slice(0, 4 * wordsMax));
  const bare = text.replaceAll(commentSigns, "").trim();
  if (bare.length > wordsMax) return false;
  const isComment = bare !== text;
  const words = bare.replaceAll(/\.{3,}|[()[\]]/g, " ").trim();
  if (!dots.test(bare)) return isComment && (restInWords.test(words) || /^existing code(?: here)?$/i.test(words));
  if (words === "") return isComment;
  return (isComment || /^\W*\.{3,}.*\.{3,}\W*$/.test(bare)) && ofTheRest.test(words);
}
