import assert from "node:assert/strict";
import { test } from "node:test";
import { formatMoney, toCents } from "../src/money.js";

test("cents are whole numbers", () => {
  assert.equal(toCents(19.99), 1999);
  assert.equal(toCents(0.29), 29);
});

test("thousands are set apart", () => {
  assert.equal(formatMoney(199900), "1,999.00 EUR");
  assert.equal(formatMoney(123456789), "1,234,567.89 EUR");
});
