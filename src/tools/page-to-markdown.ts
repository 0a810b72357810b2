/**
 * Converts one HTML page to Markdown. Pages are made by others, and some keep a converter busy for half a minute: this
 * module is also a worker's whole program, so that it can be ended from outside.
 */
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import type TurndownService from "turndown";

export interface Page {
  readonly html: string;
  /** Where it was found: links are made absolute against it. */
  readonly url: string;
}

/** Where a worker finds this module, also after the build has renamed it. */
export const converterUrl = new URL(import.meta.url);

/** A page's own main part is taken when it holds at least this much text. */
const mainCharsMin = 200;
const clutter =
  "script, style, noscript, template, svg, canvas, iframe, object, embed, form, button, nav, aside, footer, dialog";

/** @throws what linkedom or turndown throw at a page that is broken, or nested deeper than the stack */
export async function convertPage({ html, url }: Page): Promise<string> {
  const [{ parseHTML }, { default: Turndown }] = await Promise.all([import("linkedom"), import("turndown")]);
  const window: unknown = parseHTML(framed(html));
  if (!isWindow(window)) throw new Error("linkedom gave no document");
  const { document } = window;
  for (const element of document.querySelectorAll(clutter)) element.remove();
  for (const link of document.querySelectorAll("a[href]")) makeAbsolute(link, "href", url);
  for (const image of document.querySelectorAll("img[src]")) makeAbsolute(image, "src", url);
  const title = document.title.trim();
  const markdown = converter(Turndown)
    .turndown(mainPart(document))
    .replaceAll(/\n{3,}/g, "\n\n")
    .trim();
  return title === "" || markdown.startsWith(`# ${title}`) ? markdown : `# ${title}\n\n${markdown}`;
}

/** As much of the DOM as is used here; linkedom's own types need the browser's. */
interface PageElement {
  readonly textContent: string | null;
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  remove(): void;
}

interface PageDocument {
  readonly title: string;
  readonly body: PageElement;
  querySelectorAll(selector: string): Iterable<PageElement>;
}

function isWindow(value: unknown): value is { readonly document: PageDocument } {
  // It is a proxy that answers to `get` alone.
  return typeof value === "object" && value !== null && typeof Reflect.get(value, "document") === "object";
}

/** linkedom takes the first element for the document; pages may leave html and body out. */
function framed(html: string): string {
  const page = html.replace(/^\s*<!doctype[^>]*>/i, "");
  if (/<html[\s>]/i.test(page)) return page;
  return /<body[\s>]/i.test(page) ? `<html>${page}</html>` : `<html><body>${page}</body></html>`;
}

function converter(Turndown: typeof TurndownService): TurndownService {
  return new Turndown({ headingStyle: "atx", codeBlockStyle: "fenced", bulletListMarker: "-" });
}

function mainPart(document: PageDocument): PageElement {
  const candidates = [...document.querySelectorAll("main, article, [role=main]")];
  const longest = candidates.toSorted((a, b) => textLength(b) - textLength(a))[0];
  return longest !== undefined && textLength(longest) >= mainCharsMin ? longest : document.body;
}

function textLength(element: PageElement): number {
  return (element.textContent ?? "").trim().length;
}

function makeAbsolute(element: PageElement, name: string, base: string): void {
  const absolute = URL.parse(element.getAttribute(name) ?? "", base);
  if (absolute !== null) element.setAttribute(name, absolute.href);
}

function isJob(value: unknown): value is { readonly pageToMarkdown: Page } {
  return typeof value === "object" && value !== null && "pageToMarkdown" in value;
}

if (!isMainThread && isJob(workerData)) parentPort?.postMessage(await convertPage(workerData.pageToMarkdown));
