/** How the tests run: which files, how long each may take, and how much of src/ they must reach. */
import { defineConfig } from "vitest/config";

const nodeMajorMin = 24;
if (Number.parseInt(process.versions.node, 10) < nodeMajorMin) {
  throw new Error(`The tests need Node ${nodeMajorMin} or newer, this is ${process.version}: use \`npm test\``);
}

const most = { lines: 90, functions: 90, statements: 90, branches: 90 };
const all = { lines: 100, functions: 100, statements: 100, branches: 100 };
const runsInCi = process.env["CI"] !== undefined;

/** `default: return unreachable(x)` is there for the compiler and never runs, so it counts for nothing. */
const unreachableCase = /\bdefault:(?=\s*(?:return|throw)?\s*unreachable\()/g;
const unreachableUncounted = {
  name: "unreachable-uncounted",
  enforce: "pre" as const,
  transform: (code: string, id: string) =>
    id.includes("/src/") ? code.replaceAll(unreachableCase, "/* v8 ignore next -- @preserve */ default:") : undefined,
};

export default defineConfig({
  plugins: [unreachableUncounted],
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/real/**"],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    pool: "forks",
    reporters: runsInCi ? ["default", "json"] : ["default"],
    outputFile: { json: "test-report.json" },
    coverage: {
      provider: "v8",
      include: ["src/**/*.ts"],
      reporter: ["text-summary", "json-summary", "lcov"],
      thresholds: { ...most, "src/domain/**": all },
    },
  },
});
