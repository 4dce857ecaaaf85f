/**
 * Numbers of about 106 bits as unevaluated sums of two float64, the second at most half a unit in the last place of the
 * first: T. J. Dekker, "A Floating-Point Technique for Extending the Available Precision" (Numer. Math. 18, 1971).
 * Relative errors of an operation are a few 2⁻¹⁰⁴. For finite numbers far from overflow and underflow.
 */

/** A sum of two float64; the first is the nearest float64 to it. */
export type Double2 = readonly [high: number, low: number];

const SPLITTER = 2 ** 27 + 1;

/** a + b exactly. */
export function twoSum(a: number, b: number): Double2 {
  const sum = a + b;
  const part = sum - a;
  return [sum, a - (sum - part) + (b - part)];
}

/** The same where |a| ≥ |b|. */
function renormalized(a: number, b: number): Double2 {
  const sum = a + b;
  return [sum, b - (sum - a)];
}

/** a · b exactly, by halves of 26 bits. */
export function twoProduct(a: number, b: number): Double2 {
  const product = a * b;
  const aTimes = SPLITTER * a;
  const aHigh = aTimes - (aTimes - a);
  const aLow = a - aHigh;
  const bTimes = SPLITTER * b;
  const bHigh = bTimes - (bTimes - b);
  const bLow = b - bHigh;
  return [product, aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow];
}

export function add([a, aLow]: Double2, [b, bLow]: Double2): Double2 {
  const [sum, rest] = twoSum(a, b);
  const [low, lowRest] = twoSum(aLow, bLow);
  const [high, more] = renormalized(sum, rest + low);
  return renormalized(high, more + lowRest);
}

export function multiply([a, aLow]: Double2, [b, bLow]: Double2): Double2 {
  const [product, rest] = twoProduct(a, b);
  return renormalized(product, rest + (a * bLow + aLow * b));
}

export function divide(a: Double2, b: Double2): Double2 {
  const quotient = a[0] / b[0];
  const [remainder, low] = add(a, multiply([-quotient, 0], b));
  const correction = (remainder + low) / b[0];
  const second = add([remainder, low], multiply([-correction, 0], b));
  return add([quotient, 0], renormalized(correction, second[0] / b[0]));
}

/** c₀ + z·(c₁ + z·(c₂ + …)). */
export function polynomial(coefficients: readonly Double2[], z: Double2): Double2 {
  return coefficients.reduceRight<Double2>((sum, c) => add(multiply(sum, z), c), [0, 0]);
}
