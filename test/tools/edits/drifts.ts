/** The drifts that models show, one operator each. */
import type { Drift } from "./drift.ts";
import { lineDrifts } from "./line-drifts.ts";
import { memoryDrifts } from "./memory-drifts.ts";
import { uncertainDrifts } from "./uncertain-drifts.ts";

export const drifts: readonly Drift[] = [...lineDrifts, ...memoryDrifts, ...uncertainDrifts];
