import { describe, expect, test } from "vitest";
import { widenBFloat16, widenFloat16 } from "../../lib/io/half.js";

const all = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);

/** The value by the definition of a binary format, in float64. */
function defined(bits: number, exponentBits: number, mantissaBits: number): number {
  const sign = bits >>> 15 ? -1 : 1;
  const top = 2 ** exponentBits - 1;
  const exponent = (bits >>> mantissaBits) & top;
  const fraction = (bits % 2 ** mantissaBits) / 2 ** mantissaBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === top) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? 2 ** (1 - bias) * fraction : 2 ** (exponent - bias) * (1 + fraction));
}

describe("every 16-bit pattern is widened exactly", () => {
  test.each([
    ["float16", widenFloat16, 5, 10],
    ["bfloat16", widenBFloat16, 8, 7],
  ] as const)("%s", (_, widen, exponentBits, mantissaBits) => {
    const wide = widen(all);
    const wrong = [...all].filter(
      (bits) => !Object.is(wide[bits], defined(bits, exponentBits, mantissaBits)),
    );
    expect(wrong).toEqual([]);
  });

  test("known values", () => {
    expect([...widenFloat16(Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001))]).toEqual([
      1,
      -2,
      65_504,
      2 ** -24,
    ]);
    expect([...widenBFloat16(Uint16Array.of(0x3f80, 0xc020, 0xff80))]).toEqual([
      1,
      -2.5,
      Number.NEGATIVE_INFINITY,
    ]);
  });
});
