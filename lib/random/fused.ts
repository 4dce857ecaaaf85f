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

const asDouble = new Float64Array(1);
const words = new Uint32Array(asDouble.buffer);
const LOW = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1;

/**
 * a + b rounded to odd: of the two neighbours of an inexact sum, the one whose last bit is set. Rounding that again, to
 * fewer bits, goes the way that rounding the exact sum would go (S. Boldo and G. Melquiond, 2008).
 */
function sumToOdd(a: number, b: number): number {
  const sum = a + b;
  const part = sum - a;
  const rest = a - (sum - part) + (b - part);
  if (rest === 0) return sum;
  asDouble[0] = sum;
  if (words[LOW] % 2 === 1) return sum;
  // The other neighbour, one up or down in magnitude; from an even word only the way down can borrow.
  const isUp = rest > 0 === sum > 0;
  if (!isUp && words[LOW] === 0) words[1 - LOW]--;
  words[LOW] += isUp ? 1 : -1;
  return asDouble[0];
}

/** For float64 numbers far from overflow and underflow. */
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
  return sum + sumToOdd(product - (sum - part) + (c - part), productRest);
}
