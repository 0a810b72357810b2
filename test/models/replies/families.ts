/** How model families write calls: one row each. Add a row, and the corpus grows by all that applies to it. */
import type { Family } from "./family.ts";
import { jsonFamilies } from "./json-families.ts";
import { valueFamilies } from "./value-families.ts";

export const families: readonly Family[] = [...jsonFamilies, ...valueFamilies];
