/** Tests that were taken away, skipped or emptied; and changes to tests that lose nothing. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isTestFile, testCasesIn } from "../../../src/roles/verifying/test-cases.ts";
import { lossText, lostTests } from "../../../src/roles/verifying/test-loss.ts";

const js = (...cases: readonly string[]) => `import { test } from "node:test";\n${cases.join("\n")}\n`;
const adds = 'test("adds", () => {\n  assert.equal(add(1, 2), 3);\n});';
const zero = "test('keeps zero', () => expect(add(0, 0)).toBe(0));";
const lost = (before: string | null, after: string | null, path = "a.test.js") => lostTests([{ path, before, after }]);
const nothing = { removed: [], skipped: [], emptied: [] };

describe("a file of tests", () => {
  test.each([
    "test/a.js",
    "src/a.test.ts",
    "tests/test_a.py",
    "a_test.go",
    "src/__tests__/a.jsx",
    "ATest.java",
    "spec/a_spec.rb",
    "test_b.py",
    "test.mjs",
  ])("is %s", (path) => expect(isTestFile(path)).toBe(true));
  test.each(["src/latest.ts", "test/data.json", "contest.py", "testing.md", "src/a.ts"])("is not %s", (path) =>
    expect(isTestFile(path)).toBe(false),
  );
});

describe("the cases of a file", () => {
  test.each([
    [
      "a.py",
      "def test_a():\n    assert add(1) == 2\n\nasync def test_b(self):\n    self.assertEqual(1, f())\n",
      ["test_a", "test_b"],
    ],
    [
      "a.ts",
      `describe("x", () => {\n  it("does", async () => {\n    expect(a).toBe(b);\n  });\n  test.each([1])("of %i", () => {});\n});`,
      ["does"],
    ],
    ["a.go", "func TestA(t *testing.T) {\n\tt.Fatal(1)\n}\n", ["TestA"]],
    ["a.rs", "#[test]\nfn adds() {\n    assert_eq!(add(1), 2);\n}\nfn other() {}\n", ["adds"]],
    ["ATest.java", "    @Test\n    void adds() {\n        assertEquals(3, add());\n    }\n", ["adds"]],
    ["a.cs", "[Fact]\npublic void Adds() {\n  Assert.Equal(3, Add());\n}", ["Adds"]],
    ["a_spec.rb", 'it "adds" do\n  expect(add).to eq(3)\nend\n', ["adds"]],
    ["ATest.php", "public function testAdds() {\n  $this->assertSame(3, add());\n}", ["testAdds"]],
    ["a.js", "/*\ntest('gone', () => {});\n*/\n// test('gone too', () => {});\n", []],
  ])("of %s are found", (path, text, names) => expect(testCasesIn(path, text).map(({ name }) => name)).toEqual(names));

  test.each([
    ["a.py", "def test_a():\n    assert add(1) == 2"],
    ["a.py", "def test_a():\n    with pytest.raises(ValueError):\n        add()"],
    ["a.js", "test('a', () => expect(f()).toBe(1));"],
    ["a.js", "test('a', async () => { await checkThings(f()); });"],
    ["a.js", "it('a', () => { f().should.equal(2); });"],
    ["a.go", 'func TestA(t *testing.T) {\n\tif f() != 1 {\n\t\tt.Errorf("no")\n\t}\n}'],
    ["a.py", "def test_a(self):\n    self.assertTrue(f())"],
  ])("of %s check something: %s", (path, text) =>
    expect(testCasesIn(path, text)[0]).toMatchObject({ isHollow: false, isSkipped: false }),
  );

  test.each([
    ["a.py", "def test_a():\n    pass"],
    ["a.py", "def test_should_add():\n    assert True"],
    ["a.py", "def test_a():\n    # assert add(1) == 2\n    assert 1 == 1"],
    ["a.py", "def test_a(self):\n    self.assertTrue(True)"],
    ["a.js", "test('should check', () => {});"],
    ["a.js", "test('a', () => { expect(true).toBe(true); });"],
    ["a.js", "test('a', () => {\n  assert.ok(true);\n  assert.equal(1, 1);\n});"],
    ["a.js", "test('a', () => { console.log('I expect this to fail'); });"],
    ["a.rs", "#[test]\nfn a() {\n    assert!(true);\n}"],
  ])("of %s check nothing: %s", (path, text) => expect(testCasesIn(path, text)[0]).toMatchObject({ isHollow: true }));

  test.each([
    ["a.py", "@pytest.mark.skip(reason='x')\ndef test_a():\n    assert f()"],
    ["a.py", "def test_a(self):\n    self.skipTest('x')\n    assert f()"],
    ["a.py", "@unittest.skip('x')\nclass A(TestCase):\n    def test_a(self):\n        assert f()"],
    ["a.py", "pytestmark = pytest.mark.skip\n\ndef test_a():\n    assert f()"],
    ["a.js", "test.skip('a', () => expect(f()).toBe(1));"],
    ["a.js", "xit('a', () => expect(f()).toBe(1));"],
    ["a.js", "test('a', { skip: true }, () => assert.equal(f(), 1));"],
    ["a.js", "describe.skip('x', () => {\n  test('a', () => expect(f()).toBe(1));\n});"],
    ["a.go", 'func TestA(t *testing.T) {\n\tt.Skip("x")\n\tt.Fatal(1)\n}'],
    ["a.rs", "#[test]\n#[ignore]\nfn a() {\n    assert_eq!(f(), 1);\n}"],
    ["ATest.java", "@Test\n@Disabled\nvoid a() {\n  assertEquals(1, f());\n}"],
  ])("of %s are skipped: %s", (path, text) => expect(testCasesIn(path, text)[0]).toMatchObject({ isSkipped: true }));

  test("are skipped only as far as their group goes", () => {
    const text =
      "describe.skip('x', () => {\n  test('a', () => expect(f()).toBe(1));\n});\ntest('b', () => expect(f()).toBe(1));";
    expect(testCasesIn("a.js", text).map(({ isSkipped }) => isSkipped)).toEqual([true, false]);
  });
});

describe("a change to tests", () => {
  test("that removes, skips or empties some is told by their names", () => {
    expect(lost(js(adds, zero), js(adds))).toEqual({ ...nothing, removed: ["keeps zero"] });
    expect(lost(js(adds, zero), null)).toEqual({ ...nothing, removed: ["adds", "keeps zero"] });
    expect(lost(js(adds, zero), js(adds, zero.replace("test(", "test.skip(")))).toEqual({
      ...nothing,
      skipped: ["keeps zero"],
    });
    const emptied = lost(js(adds, zero), js(adds.replace("add(1, 2), 3", "3, 3"), zero));
    expect(emptied).toEqual({ ...nothing, emptied: ["adds"] });
    expect(lossText(emptied)).toBe('1 test emptied of every check: "adds".');
    expect(lossText(nothing)).toBe("");
  });

  test("that adds, reorders, renames or moves them loses nothing", () => {
    expect(lost(js(adds), js(adds, zero))).toEqual(nothing);
    expect(lost(js(adds, zero), js(zero, adds))).toEqual(nothing);
    expect(lost(js(adds), js(adds.replace('"adds"', '"adds up"')))).toEqual(nothing);
    expect(
      lostTests([
        { path: "a.test.js", before: js(adds, zero), after: js(adds) },
        { path: "b.test.js", before: null, after: js(zero) },
      ]),
    ).toEqual(nothing);
  });

  test("that removes what was skipped or empty before loses nothing", () => {
    expect(lost(js("test.skip('x', () => {});"), js(adds))).toEqual(nothing);
    expect(lost(js("test('x', () => {});"), js("test('x', () => { });"))).toEqual(nothing);
  });

  const anyCase = fc.record({ name: fc.stringMatching(/^[a-z]{1,6}$/), checks: fc.boolean(), skipped: fc.boolean() });
  const source = (cases: readonly { readonly name: string; readonly checks: boolean; readonly skipped: boolean }[]) =>
    js(
      ...cases.map(
        ({ name, checks, skipped }) =>
          `test${skipped ? ".skip" : ""}("${name}", () => { ${checks ? "assert.equal(f(), 1);" : ""} });`,
      ),
    );

  test("loses nothing when the cases are only put in another order, whatever they are", () =>
    fc.assert(
      fc.property(fc.uniqueArray(anyCase, { selector: ({ name }) => name, maxLength: 12 }), (cases) => {
        expect(lost(source(cases), source(cases.toReversed()))).toEqual(nothing);
      }),
    ));

  test("loses exactly the working cases that are left out", () =>
    fc.assert(
      fc.property(fc.uniqueArray(anyCase, { selector: ({ name }) => name, maxLength: 12 }), fc.nat(11), (cases, at) => {
        const left = cases[at];
        const { removed } = lost(source(cases), source(cases.filter((one) => one !== left)));
        expect(removed).toEqual(left === undefined || left.skipped ? [] : [left.name]);
      }),
    ));
});

test("any text has cases or none, and the same against itself loses nothing", () =>
  fc.assert(
    fc.property(
      fc.constantFrom("a.py", "a.test.ts", "a.rs", "a_test.go"),
      fc.string({ maxLength: 2000 }),
      (path, text) => {
        expect(lost(text, text, path)).toEqual(nothing);
      },
    ),
  ));
