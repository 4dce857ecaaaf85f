/** Element types inside kernels: the arrays of numbers, rounding to an element type, scratch, conversions. */
import type { StorageType, TypedArray } from "../types.js";

/** Arrays whose elements are JavaScript numbers: all but i64. */
export type Numbers = Exclude<TypedArray, BigInt64Array>;

/**
 * `x` rounded to float32 where `single`, else as it is. `+ − × ÷ √` of float32 operands computed in float64 and
 * rounded so once are the correctly rounded float32 operations.
 */
export const rounded = (single: boolean, x: number): number => (single ? Math.fround(x) : x);

/** The larger number or the NaN; b where they are equal, zeros of either sign included. */
export const larger = (a: number, b: number): number => (a > b || Number.isNaN(a) ? a : b);

/** The smaller number or the NaN; b where they are equal, zeros of either sign included. */
export const smaller = (a: number, b: number): number => (a < b || Number.isNaN(a) ? a : b);

/** A fresh zeroed array of an element type; storing into it rounds to float32 or wraps to int32. */
export function scratch(type: StorageType, length: number): Numbers {
  switch (type) {
    case "f32":
      return new Float32Array(length);
    case "i32":
      return new Int32Array(length);
    case "u8":
      return new Uint8Array(length);
    default:
      return new Float64Array(length);
  }
}

/** Float to integer: truncated toward zero, saturated to [low, high], NaN gives 0. */
export function saturate(x: number, low: number, high: number): number {
  if (x > low) return x < high ? Math.trunc(x) : high;
  return x <= low ? low : 0;
}

export const I32_MIN = -2147483648;
export const I32_MAX = 2147483647;
const I64_MIN = -(2n ** 63n);
const I64_MAX = 2n ** 63n - 1n;

/** Float to int64, as `saturate`. */
export function saturateBig(x: number): bigint {
  if (Number.isNaN(x)) return 0n;
  if (x >= 2 ** 63) return I64_MAX;
  return x < -(2 ** 63) ? I64_MIN : BigInt(Math.trunc(x));
}

/** A scalar argument as an element type with number elements takes it. */
export function scalarAs(type: StorageType, x: number): number {
  switch (type) {
    case "f32":
      return Math.fround(x);
    case "i32":
      return saturate(x, I32_MIN, I32_MAX);
    case "u8":
      return saturate(x, 0, 255);
    default:
      return x;
  }
}

/**
 * int64 to the float64 number whose rounding to float32 is the right one. A plain Number(x) rounds to 53 bits
 * first, and rounding twice can differ; here the bits below are folded into the last one kept (round to odd).
 */
export function bigToFloat32Source(x: bigint): number {
  if (x > -(2n ** 53n) && x < 2n ** 53n) return Number(x);
  const kept = x >> 11n;
  return Number((x & 2047n) === 0n ? kept : kept | 1n) * 2048;
}

/** Kernels that only move elements treat int64 like the rest; this white lie to the type checker lets them. */
export const movable = (buffers: readonly TypedArray[]): readonly Numbers[] => buffers as readonly Numbers[];
