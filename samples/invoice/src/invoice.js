import { formatMoney, toCents } from "./money.js";
import { slug } from "./slug.js";

/** Sum of the lines with tax, in cents: tax is rounded once, on the sum. */
export function totalCents(lines, taxPercent) {
  let sum = 0;
  for (const line of lines) {
    sum += toCents(line.price);
  }
  return sum + (sum * taxPercent) / 100;
}

export function render(customer, lines, taxPercent) {
  return { file: `${slug(customer)}.txt`, total: formatMoney(totalCents(lines, taxPercent)) };
}
