/** Substance: whether a text is more than a placeholder, and whether something in it talks to whoever judges it. Pure. */

const linesMax = 20_000;
const lineCharsMax = 500;

function linesOf(text: string): string[] {
  return text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .slice(0, linesMax)
    .map((line) => line.trim().slice(0, lineCharsMax));
}

const commentMark = /^(?:#+(?!\[)|\/\/+|\/\*+|\*+\/?|<!--|--+|;+|"""|'''|%+)\s*|\s*(?:\*+\/|-->|"""|''')$/g;
const placeholder =
  /^[-*[(<{]*\s*(?:(?:todo|fixme|tbd|tba|xxx|placeholder)\b|lorem ipsum|coming soon|work in progress|to be (?:done|written|added|determined|implemented|completed|filled)|not (?:yet )?implemented|(?:your |the |add |insert |put |write )+(?:code|content|contents|text|implementation|answer)\b.{0,40}\bhere|(?:raise|throw)\b.{0,80}not.?(?:yet.?)?implemented|unimplemented!|(?:pass|return|\.\.\.|…|\{|\})?\s*(?:#|\/\/|\/\*)\s*(?:todo|fixme|implement))/i;
/** Says nothing by itself: what opens or closes a block, brings something in, is a heading or a comment. */
const neutral =
  /^$|[{(:]$|^[\])}\s;,]*$|^(?:import|from|use|using|package|module|#include|#!|"use strict")\b|^(?:pass|\.\.\.|…|return(?: (?:null|None|undefined|nil))?;?)$/;

/** @returns whether there is nothing in it: empty, or only white space */
export function isBlank(text: string): boolean {
  return text.replace(/^\uFEFF/, "").trim() === "";
}

/** @returns whether a text that is not blank holds only placeholders and what stands around them */
export function isOnlyPlaceholder(text: string): boolean {
  let found = false;
  for (const line of linesOf(text)) {
    const bare = line.replace(commentMark, "");
    if (placeholder.test(bare) || placeholder.test(line)) found = true;
    else if (!neutral.test(line) && bare === line) return false;
  }
  return found;
}

const wordsOfPlaceholders =
  /\b(?:todo|placeholder|stub|skeleton|template|boilerplate|fixme|scaffold|abstract|interface)/i;

/** Where the work itself is about placeholders, they are what was asked for. */
export function asksForPlaceholders(wanted: string): boolean {
  return wordsOfPlaceholders.test(wanted);
}

const addresses = [
  /\b(?:system|assistant|verifier|reviewer|judge|evaluator|grader|auditor)\b\s?[:>\]].{0,200}\b(?:pass(?:ed)?|approved?|accept(?:ed)?|verdict|verified)\b/i,
  /\b(?:ignore|disregard|forget|override)\b.{0,60}\b(?:previous|above|prior|earlier|all)\b.{0,60}\b(?:instructions?|rules?|criteria|prompts?)\b/i,
  /["']?passed["']?\s?[:=]\s?["']?true\b/i,
  /\b(?:verdict|outcome)["']?\s?(?:is|=|:)?\s?["']?pass/i,
  /\b(?:mark|rate|judge|treat|consider|report|accept)\b.{0,60}\bas (?:a )?(?:pass(?:ed|ing)?|verified|complete|done|correct)\b/i,
];

/** @returns numbers of the lines, from 1, that read as if they were written for whoever judges the work */
export function linesForTheJudge(text: string): number[] {
  return linesOf(text).flatMap((line, at) => (addresses.some((form) => form.test(line)) ? [at + 1] : []));
}
