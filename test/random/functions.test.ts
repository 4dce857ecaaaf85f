/** The arithmetic under the streams of other libraries: fused multiply-adds and functions with given last bits. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lemireBelow, lemireBelowWide, maskedBelow, maskedBelowWide } from "../../lib/random/bounded.js";
import { fmaDouble, fmaSingle } from "../../lib/random/fused.js";
import * as libmLog from "../../lib/random/libm_log.js";
import * as libmLog1p from "../../lib/random/libm_log1p.js";
import type { Pcg64 } from "../../lib/random/pcg64.js";
import * as rounded from "../../lib/random/rounded.js";
import { normalDouble } from "../../lib/random/ziggurat.js";

const { functions } = JSON.parse(
  readFileSync(new URL("../fixtures/random.json", import.meta.url), "utf8"),
) as { functions: Record<string, [number, number][]> };

test.each([
  ["log", rounded.log],
  ["exp", rounded.exp],
  ["sin", rounded.sin],
  ["cos", rounded.cos],
  ["libmLog", libmLog.log],
  ["libmLog1p", libmLog1p.log1p],
])("%s has the bits of the reference", (name, fn) => {
  expect(functions[name].map(([x]) => [x, fn(x)])).toEqual(functions[name]);
});

test("the tail of the ziggurat takes a pair where twice the second exceeds the square of the first", () => {
  // Layer 0 with the largest integer, then uniform numbers of 53 bits: x = −ln(1 − u)/R and y = −ln(1 − v).
  const uniform = (u: number): [number, number] => [Math.floor(u * 2 ** 32), 0];
  const draws: [number, number][] = [[0x1fffffff, 0xfffffe00], uniform(0.9375), uniform(0.375)];
  const stream = {
    high: 0,
    low: 0,
    advance() {
      [this.high, this.low] = draws.shift()!;
    },
  };
  const x = -libmLog1p.log1p(-0.9375) / 3.654152885361009;
  const y = -libmLog1p.log1p(-0.375);
  expect([x * x > y, x * x < 2 * y]).toEqual([true, true]);
  expect(Math.abs(normalDouble(stream as unknown as Pcg64))).toBeCloseTo(3.654152885361009 + x, 12);
});

describe("fused multiply-add rounds once", () => {
  /** value · 2^exponent rounded to so many bits, halves to even. */
  function nearest(value: bigint, exponent: number, precision: number): number {
    const negative = value < 0n;
    let rest = negative ? -value : value;
    const excess = rest.toString(2).length - precision;
    if (excess > 0) {
      const unit = 1n << BigInt(excess);
      const [quotient, remainder] = [rest / unit, rest % unit];
      const up = 2n * remainder > unit || (2n * remainder === unit && quotient % 2n === 1n);
      rest = (quotient + (up ? 1n : 0n)) * unit;
    }
    return (negative ? -1 : 1) * Number(rest) * 2 ** exponent;
  }
  const cases: [string, typeof fmaDouble, number][] = [
    ["float32", fmaSingle, 24],
    ["float64", fmaDouble, 53],
  ];
  test.each(cases)("%s", (_name, fma, bits) => {
    const mantissa = fc.bigInt({ min: 2n ** BigInt(bits - 1), max: 2n ** BigInt(bits) - 1n });
    const shift = fc.integer({ min: 0, max: 2 * bits });
    const signs = fc.boolean();
    const check = (a: bigint, b: bigint, c: bigint, s: number, isNegative: boolean): void => {
      const addend = (isNegative ? -c : c) * 2n ** BigInt(s);
      const scale = 2 ** -bits;
      const got = fma(Number(a) * scale, Number(b) * scale, Number(addend) * scale * scale);
      expect(got).toBe(nearest(a * b + addend, -2 * bits, bits));
    };
    fc.assert(fc.property(mantissa, mantissa, mantissa, shift, signs, check), { numRuns: 5000 });
  });

  test("float64 just beside the middle of two", () => {
    // 2⁵³ + 1 is such a middle; the product is 2⁻⁵³ more or less than 1.
    const near = 1 - 2 ** -53;
    expect(fmaDouble(1 + 2 ** -52, near, 2 ** 53)).toBe(2 ** 53 + 2);
    expect(fmaDouble(near, 1, 2 ** 53)).toBe(2 ** 53);
    expect(fmaDouble(1 + 2 ** -30, 1 - 2 ** -30, 2 ** 53)).toBe(2 ** 53);
    expect(fmaDouble(1 + 2 ** -30, 1 - 2 ** -30, 2 ** 53 + 2)).toBe(2 ** 53 + 2);
    expect(fmaDouble(-1 - 2 ** -30, 1 - 2 ** -30, -(2 ** 53) - 2)).toBe(-(2 ** 53) - 2);
  });

  test("where a second rounding would go the other way", () => {
    // The product is 1 + 2⁻²⁴ + 2⁻⁴⁶ less; added to 2³⁰ it falls on the middle of two float32 in float64.
    expect(fmaSingle(1 + 2 ** -23, 1 + 2 ** -23, 2 ** 24 + 2 ** -6)).toBe(
      nearest((2n ** 23n + 1n) ** 2n + (2n ** 30n + 1n) * 2n ** 40n, -46, 24),
    );
    expect(fmaSingle(2 ** -15, 2 ** -15, 1 + 2 ** -24)).toBe(nearest(2n ** 30n + 2n ** 6n + 1n, -30, 24));
    expect(fmaSingle(2 ** -30, 2 ** -30, 1)).toBe(1);
    expect(fmaSingle(1 + 2 ** -12, 1 + 2 ** -12, 2 ** -60)).toBe(1 + 2 ** -11 + 2 ** -23);
    expect(fmaSingle(1 + 2 ** -12, 1 + 2 ** -12, -(2 ** -60))).toBe(1 + 2 ** -11);
  });
});

describe("bounded integers", () => {
  /** Words from a list; wide ones are pairs. */
  const words = (...list: number[]) => ({
    next: () => list.shift()!,
    nextWide: () => BigInt(list.shift()!) * 2n ** 32n + BigInt(list.shift()!),
  });
  const WORD = 2 ** 32;

  test("neither takes a word where there is one result", () => {
    const none = words();
    expect([maskedBelow(none, 1), lemireBelow(none, 1)]).toEqual([0, 0]);
  });

  test("the whole range is the word itself", () => {
    expect([maskedBelow(words(WORD - 1), WORD), lemireBelow(words(WORD - 1), WORD)]).toEqual([
      WORD - 1,
      WORD - 1,
    ]);
    const wide = () => words(WORD - 1, 7);
    expect([maskedBelowWide(wide(), 2n ** 64n), lemireBelowWide(wide(), 2n ** 64n)]).toEqual([
      2n ** 64n - BigInt(WORD) + 7n,
      2n ** 64n - BigInt(WORD) + 7n,
    ]);
  });

  test("masked: too large ones are drawn again", () => {
    expect(maskedBelow(words(7, 0xfffffffe, 0x80000002), 6)).toBe(2);
    expect(maskedBelowWide(words(3, 0, 2, 9), 2n ** 33n + 10n)).toBe(2n ** 33n + 9n);
  });

  test("Lemire: the 2³² mod range smallest fractions are drawn again", () => {
    // 2³² mod 3 = 1: only the fraction 0 is left out, and it is the first word's.
    expect(lemireBelow(words(0, WORD - 1), 3)).toBe(2);
    expect(lemireBelow(words(1), 3)).toBe(0);
    expect(lemireBelowWide(words(0, 0, WORD - 1, WORD - 1), 2n ** 40n + 1n)).toBe(2n ** 40n);
  });
});
