import assert from "node:assert/strict";
import { test } from "node:test";
import { slug } from "../src/slug.js";

test("umlauts are written out", () => {
  assert.equal(slug("Müller & Söhne GmbH"), "mueller-soehne-gmbh");
});

test("what is no letter or digit becomes one dash, none at the ends", () => {
  assert.equal(slug("  A.B.C. -- Trading, Ltd. "), "a-b-c-trading-ltd");
});
