/** Turns what a web server answered into text for a model: HTML to Markdown, other text as it is. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { converterUrl, type Page } from "./page-to-markdown.ts";

const convertedCharsMax = 1024 * 1024;
/** An honest page takes well under a second. */
const convertMs = 3000;
const converterLimits = { maxOldGenerationSizeMb: 256, stackSizeMb: 4 };

/** @returns the text, or null when the content is not text */
export function decodeText(body: Uint8Array, contentType: string): string | null {
  if (!isText(contentType, body)) return null;
  const charset = /charset\s*=\s*"?([\w-]+)/i.exec(contentType)?.[1] ?? "utf-8";
  return decoderFor(charset).decode(body);
}

export function isHtml(contentType: string, text: string): boolean {
  return (
    /\b(?:text\/html|application\/xhtml\+xml)\b/i.test(contentType) ||
    (contentType === "" && /^\s*<(?:!doctype html|html)\b/i.test(text))
  );
}

/** @returns Markdown of the page's main part; its bare text where it cannot be converted, or not in time */
export async function markdownOf({ html, url }: Page, signal: AbortSignal, limitMs = convertMs): Promise<string> {
  const page = { html: html.slice(0, convertedCharsMax), url };
  const worker = new Worker(converterUrl, { workerData: { pageToMarkdown: page }, resourceLimits: converterLimits });
  try {
    const messages: readonly unknown[] = await once(worker, "message", {
      signal: AbortSignal.any([signal, AbortSignal.timeout(limitMs)]),
    });
    const [markdown] = messages;
    return typeof markdown === "string" && markdown !== "" ? markdown : bareText(page.html);
  } catch {
    signal.throwIfAborted();
    return bareText(page.html);
  } finally {
    await worker.terminate();
  }
}

/** In one pass, whatever the page is made of. */
export function bareText(html: string): string {
  const [start = "", ...scripts] = html.split(/<(?=script\b|style\b)/i);
  const [first = "", ...tagged] = [start, ...scripts.map(withoutScript)].join("").split("<");
  const texts = tagged.map((part) => part.slice(part.indexOf(">") + 1));
  return [first, ...texts].join(" ").replaceAll(/\s+/g, " ").trim();
}

function withoutScript(part: string): string {
  const end = part.search(/<\/(?:script|style)/i);
  return end === -1 ? "" : part.slice(end);
}

function isText(contentType: string, body: Uint8Array): boolean {
  const type = contentType.split(";")[0]?.trim().toLowerCase() ?? "";
  if (type === "") return !body.subarray(0, 8000).includes(0);
  return (
    type.startsWith("text/") ||
    /^application\/(?:[\w.-]+\+)?(?:json|xml|javascript|yaml|toml|x-yaml|x-sh|sql|graphql|x-ndjson|xhtml\+xml)$/.test(
      type,
    )
  );
}

function decoderFor(charset: string): InstanceType<typeof TextDecoder> {
  try {
    return new TextDecoder(charset);
  } catch {
    return new TextDecoder("utf-8");
  }
}
