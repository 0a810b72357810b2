/** The corpus of malformed replies, each with the calls that were meant: families × damages, and what was seen to leak. */
import type { Json, JsonObject } from "../../../src/lib/json.ts";
import { damages, list, write } from "./damages.ts";
import { families } from "./families.ts";
import type { Call } from "./family.ts";
import { leaks } from "./leaks.ts";

export interface Case {
  readonly family: string;
  readonly damage: string;
  readonly text: string;
  readonly meant: readonly Call[];
}

export const corpus: readonly Case[] = [
  ...damages.flatMap((damage) =>
    families.filter(damage.appliesTo).flatMap((family) => {
      const groups = damage.calls.length === 0 ? [[list, write]] : damage.calls.map((call) => [call]);
      return groups.map((meant): Case => {
        const written = meant.map((call) => asWritten(damage.rewrite?.(call) ?? call));
        const whole = family.reply(written, damage.spelling ?? ((value: Json) => JSON.stringify(value)));
        const text = damage.reply?.(whole, family) ?? whole;
        return { family: family.name, damage: damage.name, text, meant };
      });
    }),
  ),
  ...leaks,
];

/** A damage may give arguments another shape than an object; a family writes them all the same. */
function asWritten({ name, arguments: args }: { readonly name: string; readonly arguments: Json }): Call {
  return { name, arguments: args as JsonObject };
}
