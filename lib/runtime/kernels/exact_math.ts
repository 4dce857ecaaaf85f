/**
 * ln, and sin and cos of 2πu, written out in + − × ÷ and comparisons on float64, each rounded once and never
 * contracted to a fused multiply-add. The C++ executor has the same operations in the same order (every
 * parenthesis counts), so both give the same bits. Relative errors stay below 1e-15. Only what philox_normal
 * needs: no other arguments, no special values.
 */

const SQRT_HALF = Math.SQRT1_2; // 0.7071067811865476
// ln 2 in two parts: the first has 20 trailing zero bits, so its product with an exponent is exact.
const LN2_HIGH = 0.6931471804855391;
const LN2_LOW = 7.440617110012397e-11;
const HALF_PI = 1.5707963267948966;

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
// Position of the word that holds sign, exponent and the upper 20 bits of the mantissa.
const HIGH = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

/**
 * ln u for a normal u > 0. With u = 2^e·m and m in [√½, √2), s = (m−1)/(m+1) and z = s²:
 * ln m = 2·artanh s = 2s·(1 + z/3 + z²/5 + …), |s| < 0.1716, eleven terms.
 */
export function ln(u: number): number {
  double[0] = u;
  let e = (words[HIGH] >>> 20) - 1022;
  words[HIGH] = (words[HIGH] & 0x000fffff) | 0x3fe00000;
  let m = double[0]; // in [1/2, 1)
  if (m < SQRT_HALF) {
    m = m * 2;
    e = e - 1;
  }
  const s = (m - 1) / (m + 1);
  const z = s * s;
  let p = 1 / 21;
  p = p * z + 1 / 19;
  p = p * z + 1 / 17;
  p = p * z + 1 / 15;
  p = p * z + 1 / 13;
  p = p * z + 1 / 11;
  p = p * z + 1 / 9;
  p = p * z + 1 / 7;
  p = p * z + 1 / 5;
  p = p * z + 1 / 3;
  const twice = 2 * s;
  const lnM = twice + twice * (z * p);
  return e * LN2_HIGH + (lnM + e * LN2_LOW);
}

/** sin y for |y| ≤ π/4: the Taylor polynomial of degree 17. */
function sinPolynomial(y: number): number {
  const z = y * y;
  let p = 1 / 355687428096000;
  p = p * z - 1 / 1307674368000;
  p = p * z + 1 / 6227020800;
  p = p * z - 1 / 39916800;
  p = p * z + 1 / 362880;
  p = p * z - 1 / 5040;
  p = p * z + 1 / 120;
  p = p * z - 1 / 6;
  return y + y * (z * p);
}

/** cos y for |y| ≤ π/4: the Taylor polynomial of degree 16. */
function cosPolynomial(y: number): number {
  const z = y * y;
  let p = 1 / 20922789888000;
  p = p * z - 1 / 87178291200;
  p = p * z + 1 / 479001600;
  p = p * z - 1 / 3628800;
  p = p * z + 1 / 40320;
  p = p * z - 1 / 720;
  p = p * z + 1 / 24;
  p = p * z - 1 / 2;
  return 1 + z * p;
}

// 4u = quarter + rest with |rest| ≤ 1/2: exact for the multiples of 2⁻⁵³ in [0, 1) that u is.
const quarterOf = (u: number): number => Math.floor(4 * u + 0.5);

/** cos 2πu for u in [0, 1), a multiple of 2⁻⁵³. */
export function cosTwoPi(u: number): number {
  const quarter = quarterOf(u);
  const y = (4 * u - quarter) * HALF_PI;
  if (quarter === 1) return -sinPolynomial(y);
  if (quarter === 2) return -cosPolynomial(y);
  if (quarter === 3) return sinPolynomial(y);
  return cosPolynomial(y);
}

/** sin 2πu for u in [0, 1), a multiple of 2⁻⁵³. */
export function sinTwoPi(u: number): number {
  const quarter = quarterOf(u);
  const y = (4 * u - quarter) * HALF_PI;
  if (quarter === 1) return cosPolynomial(y);
  if (quarter === 2) return -sinPolynomial(y);
  if (quarter === 3) return -cosPolynomial(y);
  return sinPolynomial(y);
}
