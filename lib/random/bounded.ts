/**
 * Integers below a bound from words of 32 or 64 bits, in NumPy's two ways. Both leave words out by chance, so that
 * every result is equally likely, and neither takes a word where there is only one result.
 */

import { multiplyHigh } from "../runtime/kernels/philox.js";

/** Words of 32 bits, and of 64. */
export interface Words {
  next(): number;
  nextWide(): bigint;
}

const WORD = 2 ** 32;
const WIDE = 2n ** 64n;

/** All ones up to the highest bit of a number below 2³². */
const maskOf = (max: number): number => (max === 0 ? 0 : 0xffffffff >>> Math.clz32(max));

/** Masks a word to the bits of range − 1 and draws again while it is too large. The range is in [1, 2³²]. */
export function maskedBelow(words: Words, range: number): number {
  if (range === 1) return 0;
  const mask = maskOf(range - 1);
  let value = (words.next() & mask) >>> 0;
  while (value >= range) value = (words.next() & mask) >>> 0;
  return value;
}

/** The same for a range in (2³², 2⁶⁴]. */
export function maskedBelowWide(words: Words, range: bigint): bigint {
  const mask = 2n ** BigInt((range - 1n).toString(2).length) - 1n;
  let value = words.nextWide() & mask;
  while (value >= range) value = words.nextWide() & mask;
  return value;
}

/**
 * The upper word of range · word, drawn again while the lower word is among the 2³² mod range smallest: D. Lemire,
 * "Fast Random Integer Generation in an Interval" (ACM TOMACS 29, 2019). The range is in [1, 2³²].
 */
export function lemireBelow(words: Words, range: number): number {
  if (range === 1) return 0;
  if (range === WORD) return words.next();
  const threshold = WORD % range;
  for (;;) {
    const word = words.next();
    if (Math.imul(word, range) >>> 0 >= threshold) return multiplyHigh(word, range);
  }
}

/** The same for a range in (2³², 2⁶⁴]. */
export function lemireBelowWide(words: Words, range: bigint): bigint {
  if (range === WIDE) return words.nextWide();
  const threshold = WIDE % range;
  for (;;) {
    const product = words.nextWide() * range;
    if (product % WIDE >= threshold) return product / WIDE;
  }
}
