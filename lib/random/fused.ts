/** Fused multiply-add, a · b + c rounded once, for code that must repeat what a compiler has contracted. */
import { twoProduct, twoSum } from "./double_double.js";

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
  const [, rest] = twoSum(product, c);
  return rest !== 0 && rest > 0 === distance > 0 ? other : nearest;
}

/**
 * For float64 numbers far from overflow. The two parts that are below the sum are added first, so 1 in about 2⁵⁰ results
 * can be the wrong one of two neighbours.
 */
export function fmaDouble(a: number, b: number, c: number): number {
  const [product, productRest] = twoProduct(a, b);
  const [sum, sumRest] = twoSum(product, c);
  return sum + (sumRest + productRest);
}
