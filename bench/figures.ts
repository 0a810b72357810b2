/** Figures: percentiles and the one comparable line that each measurement prints. */

/** @returns the value below which `share` of the values lie, by the nearest-rank method */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN;
}

export interface Line {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What the value is held against: at most, or at least. */
  readonly mark?: { readonly kind: "<=" | ">="; readonly value: number };
}

export function print(line: Line): void {
  const { mark } = line;
  const met =
    mark === undefined
      ? ""
      : (mark.kind === "<=" ? line.value <= mark.value : line.value >= mark.value)
        ? "met"
        : "MISSED";
  const wanted = mark === undefined ? "" : `${mark.kind} ${mark.value}`;
  process.stdout.write(
    `${line.name.padEnd(46)} ${round(line.value).padStart(10)} ${line.unit.padEnd(8)} ${wanted.padEnd(10)} ${met}\n`,
  );
}

function round(value: number): string {
  return Math.abs(value) >= 1000 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(3);
}
