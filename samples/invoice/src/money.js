/** Whole cents from an amount in euros: 19.99 -> 1999. */
export function toCents(euros) {
  return euros * 100;
}

/** "1,999.00 EUR" from cents. */
export function formatMoney(cents) {
  const euros = (cents / 100).toFixed(2);
  return `${euros} EUR`;
}
