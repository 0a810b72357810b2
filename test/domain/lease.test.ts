import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FileChange } from "../../src/domain/change.ts";
import { type Claim, claimed, claimsOn, type Leases, leasedBy } from "../../src/domain/lease.ts";
import { absent, change, file } from "../support/happenings.ts";
import { frozen } from "./frozen.ts";

const anyPaths = fc.array(
  fc.integer({ min: 0, max: 30 }).map((n) => `f${n}`),
  { maxLength: 6 },
);
const anyClaims = fc.array(fc.record({ paths: anyPaths, holder: fc.constantFrom("a", "b", "c") }), { maxLength: 60 });

/** The same with one map, and without regard to what it costs. */
class Plain {
  readonly #claims = new Map<string, readonly Claim[]>();

  on(path: string): readonly Claim[] {
    return this.#claims.get(path) ?? [];
  }

  claim(paths: readonly string[], claim: Claim, isLive: (claim: Claim) => boolean): void {
    for (const path of new Set(paths)) {
      const standing = this.on(path).filter(isLive);
      if (!standing.some(({ holder }) => holder === claim.holder)) this.#claims.set(path, [...standing, claim]);
    }
  }
}

function sizesOf(leases: Leases): number[] {
  return leases === null ? [] : [leases.claims.size, ...sizesOf(leases.older)];
}

describe("claims on paths", () => {
  test("stand in the order in which they were made, one a holder, without those that count no more", () =>
    fc.assert(
      fc.property(anyClaims, fc.integer({ min: 0, max: 60 }), (given, from) => {
        const plain = new Plain();
        let leases: Leases = null;
        for (const [seq, { paths, holder }] of given.entries()) {
          const isLive = (claim: Claim): boolean => claim.holder !== "c" || claim.seq >= from;
          leases = frozen(claimed(leases, { paths, claim: { holder, seq } }, isLive));
          plain.claim(paths, { holder, seq }, isLive);
        }
        for (let n = 0; n <= 30; n += 1) expect(claimsOn(leases, `f${n}`)).toEqual(plain.on(`f${n}`));
      }),
    ));

  test("are found in few steps, and adding one touches few others on the average, however many there are", () => {
    let leases: Leases = null;
    let touched = 0;
    const many = 20_000;
    for (let seq = 0; seq < many; seq += 1) {
      leases = claimed(leases, { paths: [`f${seq}`], claim: { holder: "a", seq } }, () => true);
      touched += leases?.claims.size ?? 0;
    }
    expect(sizesOf(leases).length).toBeLessThanOrEqual(15);
    expect(touched / many).toBeLessThan(30);
    expect(claimsOn(leases, "f7")).toEqual([{ holder: "a", seq: 7 }]);
  });

  test("that are made again change nothing", () => {
    const once = claimed(null, { paths: ["a"], claim: { holder: "a", seq: 1 } }, () => true);
    expect(claimed(once, { paths: ["a"], claim: { holder: "a", seq: 2 } }, () => true)).toBe(once);
  });
});

describe("a change of files", () => {
  const folder = { kind: "folder", mode: 0o755 } as const;
  test.each<readonly [string, FileChange, readonly string[]]>([
    ["that writes a file takes it", change("src/a.ts", absent, file("a")), ["src/a.ts"]],
    ["that takes a file away takes its path", change("a", file("a"), absent), ["a"]],
    ["that makes a folder takes nothing: others work in it too", change("src", absent, folder), []],
    ["that only lets others into a folder takes nothing", change("src", folder, { ...folder, mode: 0o700 }), []],
    [
      "that takes a folder away takes its path: to make it again is to undo that",
      change("src", folder, absent),
      ["src"],
    ],
    ["that puts a folder in the place of a file takes it", change("src", file("a"), folder), ["src"]],
    ["in what tools fill takes nothing", change("node_modules/x/index.js", absent, file("a")), []],
  ])("%s", (_rule, made, paths) => expect(leasedBy([made])).toEqual(paths));
});
