import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { cosTwoPi, ln, sinTwoPi } from "../../../lib/runtime/kernels/exact_math.js";
import { philox4x32 } from "../../../lib/runtime/kernels/philox.js";
import type { KernelName } from "../../../lib/runtime/table.js";
import type { TypedArray } from "../../../lib/runtime/types.js";
import { call, relativeError } from "./call.js";

const { fround } = Math;
const F = 0xffffffff;

function block(key: number[], counter: number[]): Uint32Array {
  const out = new Uint32Array(4);
  philox4x32(key[0], key[1], counter[0], counter[1], counter[2], counter[3], out);
  return out;
}

describe("philox4x32", () => {
  // The known answers of the Random123 distribution.
  test.each([
    [
      [0, 0],
      [0, 0, 0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [F, F],
      [F, F, F, F],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0xa4093822, 0x299f31d0],
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])("key %j", (key, counter, expected) => {
    expect([...block(key, counter)]).toEqual(expected);
  });

  test("multiplies exactly: the first round of ten, by BigInt", () => {
    const [m0, m1] = [0xd2511f53n, 0xcd9e8d57n];
    const rounds = (key: number[], counter: number[]): number[] => {
      let [k0, k1] = key.map(BigInt);
      let [c0, c1, c2, c3] = counter.map(BigInt);
      for (let i = 0; i < 10; i++) {
        const [p0, p1] = [m0 * c0, m1 * c2];
        [c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, p1 & 0xffffffffn, (p0 >> 32n) ^ c3 ^ k1, p0 & 0xffffffffn];
        k0 = (k0 + 0x9e3779b9n) & 0xffffffffn;
        k1 = (k1 + 0xbb67ae85n) & 0xffffffffn;
      }
      return [c0, c1, c2, c3].map(Number);
    };
    for (let i = 0; i < 200; i++) {
      const key = [Math.imul(i, 0x9e3779b1) >>> 0, i];
      const counter = [i, Math.imul(i, 0x85ebca6b) >>> 0, F - i, Math.imul(i + 1, 0xc2b2ae35) >>> 0];
      expect([...block(key, counter)]).toEqual(rounds(key, counter));
    }
  });
});

// Columns: n, then functions of u = n·2⁻⁵³ correct to the last digit shown (computed with 60 digits).
const TRIGONOMETRY = [
  [1, 1, 6.975736996017264e-16],
  [3, 1, 2.092721098805179e-15],
  [1048576, 1, 7.314590396335798e-10],
  [2251799813685247, 6.975736996017264e-16, 1],
  [2251799813685249, -6.975736996017264e-16, 1],
  [4503599627370495, -1, 6.975736996017264e-16],
  [1125899906842624, Math.SQRT1_2, Math.SQRT1_2],
  [1125899984620401, 0.7071067428219507, 0.7071068195511423],
  [1125899829064847, 0.7071068195511423, 0.7071067428219507],
  [3377699720527865, -0.707106781186544, 0.707106781186551],
  [6755399441055749, 3.4878684980086318e-15, -1],
  [9007199254740991, 1, -6.975736996017264e-16],
  [1234567890123456, 0.6515260016276652, 0.7586263040542871],
  [5555555555555555, -0.7426236802788283, -0.6697089438622785],
];
const LOGARITHM = [
  [1, -36.7368005696771],
  [2, -36.04365338911715],
  [3, -35.63818828100899],
  [12345678901, -13.500228617439992],
  [4503599627370496, -Math.LN2],
  [4503599627370497, -0.6931471805599451],
  [6369051672525772, -0.34657359027997275],
  [6369051672525773, -0.3465735902799726],
  [9007199254740991, -1.1102230246251565e-16],
  [9007199253740992, -1.1102230246867863e-10],
  [9007199254740992, 0],
];

describe("exact_math", () => {
  const fractions = (table: number[][]): number[] => table.map(([n]) => n * 2 ** -53);
  const column = (table: number[][], i: number): number[] => table.map((row) => row[i]);

  test("ln", () => {
    expect(relativeError(fractions(LOGARITHM).map(ln), column(LOGARITHM, 1))).toBeLessThan(1e-15);
    for (let i = 1; i < 3000; i++) {
      const u = (i * 0.6180339887498949) % 1;
      expect(Math.abs(ln(u) / Math.log(u) - 1)).toBeLessThan(1e-15);
    }
  });

  test("cos and sin of 2πu", () => {
    expect(relativeError(fractions(TRIGONOMETRY).map(cosTwoPi), column(TRIGONOMETRY, 1))).toBeLessThan(1e-15);
    expect(relativeError(fractions(TRIGONOMETRY).map(sinTwoPi), column(TRIGONOMETRY, 2))).toBeLessThan(1e-15);
    expect([0, 0.25, 0.5, 0.75].map((u) => cosTwoPi(u) + 0)).toEqual([1, 0, -1, 0]);
    expect([0, 0.25, 0.5, 0.75].map((u) => sinTwoPi(u) + 0)).toEqual([0, 1, 0, -1]);
    for (let i = 0; i < 3000; i++) {
      const u = (i * 0.6180339887498949) % 1;
      // Math's argument 2πu is itself rounded, by up to 4.5e-16.
      expect(Math.abs(cosTwoPi(u) - Math.cos(2 * Math.PI * u))).toBeLessThan(1.5e-15);
      expect(Math.abs(sinTwoPi(u) - Math.sin(2 * Math.PI * u))).toBeLessThan(1.5e-15);
    }
  });
});

const SEED = [0x12345678, 0x9abcdef0];

/** The words of the stream from counter offset·2³²+… on, block after block. */
function words(blocks: number, low = 0, high = 0): number[] {
  return Array.from({ length: blocks }, (_, q) => {
    const counter = BigInt(low) + (BigInt(high) << 32n) + BigInt(q);
    return [...block(SEED, [Number(counter & 0xffffffffn), Number((counter >> 32n) & 0xffffffffn), 0, 0])];
  }).flat();
}

function draw<Y extends TypedArray>(name: KernelName, y: Y, rest: number[], low = 0, high = 0): Y {
  call(name, [[y.length]], [y], [...SEED, low, high, ...rest]);
  return y;
}

const fraction = (hi: number, lo: number): number =>
  Number((BigInt(hi >>> 5) << 26n) + BigInt(lo >>> 6)) / 2 ** 53;

describe("philox_uniform", () => {
  test("takes a word for a float32 and two for a float64", () => {
    const w = words(3);
    const single = [...w].slice(0, 11).map((word) => fround(-3 + 5 * ((word >>> 8) / 2 ** 24)));
    expect([...draw("philox_uniform_f32", new Float32Array(11), [-3, 2])]).toEqual(single);
    const double = [0, 2, 4, 6, 8].map((i) => -3 + 5 * fraction(w[i], w[i + 1]));
    expect([...draw("philox_uniform_f64", new Float64Array(5), [-3, 2])]).toEqual(double);
  });

  test("counts blocks from the offset, with a carry", () => {
    const expected = words(3, F - 1, 7).map((word) => (word >>> 8) / 2 ** 24);
    expect([...draw("philox_uniform_f32", new Float32Array(12), [0, 1], F - 1, 7)]).toEqual(expected);
    const wrapped = words(2, F, F).map((word) => (word >>> 8) / 2 ** 24);
    expect([...draw("philox_uniform_f32", new Float32Array(8), [0, 1], F, F)]).toEqual(wrapped);
  });

  test("fills any view in row-major order", () => {
    const flat = draw("philox_uniform_f32", new Float32Array(60), [0, 1]);
    const y = new Float32Array(60);
    call("philox_uniform_f32", [[20, 3]], [{ data: y, strides: [[1, 20]] }], [...SEED, 0, 0, 0, 1]);
    for (let i = 0; i < 60; i++) expect(y[Math.floor(i / 3) + 20 * (i % 3)]).toBe(flat[i]);
  });

  test("never gives the upper end", () => {
    // In [1, 1 + 2⁻²³) float32 has one number, and rounding would give the end for half of the draws.
    const y = draw("philox_uniform_f32", new Float32Array(64), [1, 1 + 2 ** -23]);
    expect([...y]).toEqual(new Array(64).fill(1));
    const z = draw("philox_uniform_f64", new Float64Array(64), [1, 1 + 2 ** -52]);
    expect([...z]).toEqual(new Array(64).fill(1));
    const negative = draw("philox_uniform_f32", new Float32Array(64), [-1 - 2 ** -23, -1]);
    expect([...negative]).toEqual(new Array(64).fill(fround(-1 - 2 ** -23)));
    const toZero = draw("philox_uniform_f32", new Float32Array(64), [-(2 ** -149), 0]);
    expect([...toZero]).toEqual(new Array(64).fill(-(2 ** -149)));
    expect([...draw("philox_uniform_f32", new Float32Array(4), [2, 2])]).toEqual([2, 2, 2, 2]);
  });
});

describe("philox_normal", () => {
  /** Box and Muller with Math's functions, close to but not exactly ours. */
  function reference(i: number, w: number[]): number {
    const q = 4 * Math.floor(i / 2);
    const u1 = fraction(w[q], w[q + 1]) + 2 ** -53;
    const angle = 2 * Math.PI * fraction(w[q + 2], w[q + 3]);
    return Math.sqrt(-2 * Math.log(u1)) * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
  }

  test("takes a block for two numbers", () => {
    const w = words(500);
    const y = draw("philox_normal_f64", new Float64Array(999), [10, 3]);
    for (let i = 0; i < 999; i++) expect(Math.abs(y[i] - (10 + 3 * reference(i, w)))).toBeLessThan(2e-14);
  });

  test("is the same number rounded in float32", () => {
    const y = draw("philox_normal_f64", new Float64Array(100), [0.5, 2]);
    expect([...draw("philox_normal_f32", new Float32Array(100), [0.5, 2])]).toEqual([...y].map(fround));
  });

  test("has the very bits that the native executor gives too", () => {
    // A hash of many numbers pins the order of operations: a change of one rounding anywhere shows.
    const y = draw("philox_normal_f64", new Float64Array(4096), [0, 1]);
    const hash = createHash("sha256").update(new BigUint64Array(y.buffer).join()).digest("hex");
    expect(hash.slice(0, 16)).toMatchInlineSnapshot(`"e165bb602b6a3693"`);
  });

  test("has the moments of the normal distribution", () => {
    const y = draw("philox_normal_f64", new Float64Array(40000), [0, 1]);
    const moment = (k: number): number => y.reduce((sum, x) => sum + x ** k, 0) / y.length;
    // Five standard errors of each estimate: √(var(x^k)/n).
    expect(Math.abs(moment(1))).toBeLessThan(5 * Math.sqrt(1 / 40000));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / 40000));
    expect(Math.abs(moment(3))).toBeLessThan(5 * Math.sqrt(15 / 40000));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / 40000));
  });
});

test("dropout_mask keeps what is not below p, scaled by 1/(1−p), with the same words for both types", () => {
  const w = words(5);
  const expected = (p: number): number[] => w.map((word) => ((word >>> 8) / 2 ** 24 < p ? 0 : 1 / (1 - p)));
  for (const p of [0, 0.3, 0.5, 1]) {
    expect([...draw("dropout_mask_f64", new Float64Array(20), [p])]).toEqual(expected(p));
    expect([...draw("dropout_mask_f32", new Float32Array(20), [p])]).toEqual(expected(p).map(fround));
  }
});
