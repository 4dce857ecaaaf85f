/**
 * Fused multiply-add, a · b + c rounded once, for code that must repeat what a compiler has contracted. The exact rests of
 * product and sum are those of double_double.ts, written out because millions of them are needed.
 */

const SPLITTER = 2 ** 27 + 1;

/** For float32 numbers. */
export function fmaSingle(a: number, b: number, c: number): number {
  const { fround } = Math;
  const product = a * b; // exact: 48 bits
  const sum = product + c;
  const nearest = fround(sum);
  const distance = sum - nearest;
  if (distance === 0) return nearest;
  // Rounded twice, a sum can fall on the middle of two float32 that the exact one is just beside.
  const other = nearest + 2 * distance;
  if (fround(other) !== other) return nearest;
  const part = sum - product;
  const rest = product - (sum - part) + (c - part);
  return rest !== 0 && rest > 0 === distance > 0 ? other : nearest;
}

/**
 * For float64 numbers far from overflow and underflow. The two rests are added first, so 1 in about 2⁵⁰ results can be the
 * wrong one of two neighbours.
 */
export function fmaDouble(a: number, b: number, c: number): number {
  const product = a * b;
  const aTimes = SPLITTER * a;
  const aHigh = aTimes - (aTimes - a);
  const aLow = a - aHigh;
  const bTimes = SPLITTER * b;
  const bHigh = bTimes - (bTimes - b);
  const bLow = b - bHigh;
  const productRest = aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
  const sum = product + c;
  const part = sum - product;
  return sum + (product - (sum - part) + (c - part) + productRest);
}
