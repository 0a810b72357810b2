import assert from "node:assert/strict";
import { test } from "node:test";
import { render, totalCents } from "../src/invoice.js";

const lines = [
  { name: "Loom", price: 1999.99, count: 2 },
  { name: "Thread", price: 0.29, count: 3 },
];

test("a line counts as often as it says", () => {
  assert.equal(totalCents(lines, 0), 400085);
});

test("tax is rounded once, on the sum", () => {
  assert.equal(totalCents(lines, 19), 476101);
});

test("an invoice has a file name and a total", () => {
  assert.deepEqual(render("Müller & Söhne GmbH", lines, 19), { file: "mueller-soehne-gmbh.txt", total: "4,761.01 EUR" });
});
