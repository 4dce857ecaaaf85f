/**
 * ln(1 + x) for −1 < x ≤ 0 with the last bits of glibc on x86-64 processors with FMA (2.39 and later, and 2.36 as Debian
 * 12 has it): the algorithm of Sun's fdlibm (K. C. Ng, 1993), less than 1 ULP from the value, with the products and sums
 * that the compiler has contracted. It is not the nearest number for 7 % of the arguments that occur here, so a more exact
 * function would give other bits. Other versions and processors round more of its operations.
 */
import { fmaDouble } from "./fused.js";

// ln 2 in two parts: the first has 21 trailing zero bits, so its product with an exponent is exact.
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
// ln(1 + f) = 2·artanh s with s = f/(2 + f); a minimax polynomial of 2·artanh(s)/s − 2 in s², without constant term.
const P1 = 0.6666666666666735;
const P2 = 0.3999999999940942;
const P3 = 0.2857142874366239;
const P4 = 0.22222198432149784;
const P5 = 0.1818357216161805;
const P6 = 0.15313837699209373;
const P7 = 0.14798198605116586;
// Up to here, about 1 − √½, x itself is f.
const DIRECT = 0.2928934097290039;
// Mantissas from here on, about √2, are halved.
const HALVED = 1.4142131805419922;
const TINY = 2 ** -20;

/** For x = −u, with u a multiple of 2⁻⁵³ in [0, 1): 1 + x is exact then. */
export function log1p(x: number): number {
  if (x > -(2 ** -29)) return x > -(2 ** -54) ? x : x - x * x * 0.5;
  let k = 0;
  let f = x;
  if (x <= -DIRECT) {
    let m = 1 + x;
    while (m < 1) {
      m *= 2;
      k--;
    }
    if (m >= HALVED) {
      m *= 0.5;
      k++;
    }
    f = m - 1;
  }
  const halfSquare = 0.5 * f * f;
  if (k !== 0 && f < TINY && f >= -1.5 * TINY) {
    if (f === 0) return fmaDouble(k, LN2_HIGH, k * LN2_LOW);
    const r = halfSquare * fmaDouble(-0.6666666666666666, f, 1);
    return fmaDouble(k, LN2_HIGH, -(r - k * LN2_LOW - f));
  }
  const s = f / (2 + f);
  const z = s * s;
  const z2 = z * z;
  const z4 = z2 * z2;
  const start = fmaDouble(z, P1, z2 * fmaDouble(P3, z, P2));
  const middle = fmaDouble(z4, fmaDouble(P5, z, P4), start);
  const r = fmaDouble(z2 * z4, fmaDouble(P7, z, P6), middle);
  const product = (r + halfSquare) * s;
  if (k === 0) return f - (halfSquare - product);
  return fmaDouble(k, LN2_HIGH, -(halfSquare - (product + k * LN2_LOW) - f));
}
