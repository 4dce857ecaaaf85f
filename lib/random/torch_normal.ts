/**
 * Normal numbers by blocks of 16, as PyTorch fills CPU tensors of 16 elements and more: Box and Muller's transform of
 * the uniform numbers j and j + 8. For float32 it is vectorized by AVX2, with ln, sin and cos by S. L. Moshier's
 * polynomials (Cephes: logf.c, sinf.c) and the multiply-adds that compilers contract; the same operations are here,
 * one number at a time. For float64 it calls the C library.
 */

import { fmaDouble, fmaSingle } from "./fused.js";
import type { Floats } from "./host_source.js";
import { log } from "./libm_log.js";
import { cos, sin } from "./rounded.js";

/** Numbers of a block, and the distance of the two of a pair. */
export const BLOCK = 16;
const HALF = BLOCK / 2;

const { fround } = Math;
const float = (...values: number[]): number[] => values.map(fround);

const SQRT_HALF = fround(Math.SQRT1_2);
const LOG = float(
  7.0376836292e-2,
  -1.151461031e-1,
  1.167699874e-1,
  -1.2420140846e-1,
  1.4249322787e-1,
  -1.6668057665e-1,
  2.0000714765e-1,
  -2.4999993993e-1,
  3.3333331174e-1,
);
// ln 2 in two parts, the larger one short.
const [LN2_LOW, LN2_HIGH] = float(-2.1219444e-4, 0.693359375);
const SIN = float(-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1);
const COS = float(2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2);
const FOUR_OVER_PI = fround(1.27323954473516);
// −π/4 in three parts.
const QUARTER_PI = float(-0.78515625, -2.4187564849853516e-4, -3.774894977445941e-8);
const TWO_PI = 2 * Math.PI;

const asSingle = new Float32Array(1);
const singleBits = new Int32Array(asSingle.buffer);

const horner = (coefficients: readonly number[], z: number): number =>
  coefficients.reduce((sum, c) => fmaSingle(sum, z, c));

/** ln u for a float32 u in [2⁻²⁴, 1]. */
function logSingle(u: number): number {
  asSingle[0] = u;
  let exponent = (singleBits[0] >>> 23) - 126;
  singleBits[0] = (singleBits[0] & 0x007fffff) | 0x3f000000;
  let x = asSingle[0]; // in [1/2, 1)
  if (x < SQRT_HALF) {
    exponent--;
    x += x;
  }
  x -= 1;
  const z = fround(x * x);
  const tail = fround(horner(LOG, x) * x);
  const small = fmaSingle(tail, z, fround(exponent * LN2_LOW));
  const y = fmaSingle(z, -0.5, small);
  return fmaSingle(exponent, LN2_HIGH, fround(x + y));
}

/** sin and cos of a float32 in [0, 2π). */
function sinCosSingle(theta: number): [sin: number, cos: number] {
  const octant = (Math.trunc(fround(theta * FOUR_OVER_PI)) + 1) & ~1;
  const x = QUARTER_PI.reduce((rest, part) => fmaSingle(octant, part, rest), theta);
  const z = fround(x * x);
  const c = fround(fmaSingle(fround(horner(COS, z) * z), z, -0.5 * z) + 1);
  const s = fmaSingle(fround(horner(SIN, z) * z), x, x);
  const [first, second] = octant & 2 ? [c, s] : [s, c];
  return [octant & 4 ? -first : first, (octant - 2) & 4 ? second : -second];
}

/** Makes 16 normal numbers, from `start` on, of the uniform ones that are there. */
export function normalBlock(out: Floats, start: number, mean: number, std: number): void {
  const isSingle = out instanceof Float32Array;
  for (let j = start; j < start + HALF; j++) {
    const u1 = 1 - out[j];
    const u2 = out[j + HALF];
    if (isSingle) {
      const radius = fround(Math.sqrt(fround(-2 * logSingle(u1))));
      const [s, c] = sinCosSingle(fround(fround(TWO_PI) * u2));
      out[j] = fmaSingle(fround(radius * c), fround(std), fround(mean));
      out[j + HALF] = fmaSingle(fround(radius * s), fround(std), fround(mean));
    } else {
      const radius = Math.sqrt(-2 * log(u1));
      const theta = TWO_PI * u2;
      out[j] = fmaDouble(radius * cos(theta), std, mean);
      out[j + HALF] = fmaDouble(radius * sin(theta), std, mean);
    }
  }
}
