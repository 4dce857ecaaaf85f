/** Basic slicing: what ranges select of a strided view. Python's rule for slices, NumPy's for whole indices. */
import { shown } from "../describe.js";
import { ArgumentError, IndexError } from "../errors.js";
import { checkRank, formatShape, type Shape } from "./shape.js";

/** Inserts an axis of size 1. */
export const newAxis: unique symbol = Symbol("newAxis");

/** `[start?, stop?, step?]` as Python's `start:stop:step`; null or nothing means the default. */
export type Bounds = readonly [start?: number | null, stop?: number | null, step?: number | null];

/**
 * What `slice` does with one axis: an integer selects and drops it, null keeps it whole, bounds keep a part.
 * `"..."` (at most once) stands for all axes that no other range names; `newAxis` takes no axis and adds one.
 */
export type SliceRange = number | null | Bounds | "..." | typeof newAxis;

/** A window on memory: sizes, strides and the first element, all in elements. */
export interface Window {
  shape: number[];
  strides: number[];
  offset: number;
}

/** First index, step and number of indices that Python's `start:stop:step` selects of `size`. */
export function resolveBounds(bounds: Bounds, size: number): { start: number; step: number; length: number } {
  for (const bound of bounds) {
    if (bound !== null && bound !== undefined && !Number.isInteger(bound)) {
      throw new ArgumentError(
        `slice: [${bounds.map(shown).join(", ")}] must hold integers or null, got ${shown(bound)}`,
      );
    }
  }
  if (bounds.length > 3) {
    throw new ArgumentError(`slice: a range is [start, stop, step], got ${bounds.length} values`);
  }
  const step = bounds[2] ?? 1;
  if (step === 0) throw new ArgumentError("slice: the step must not be 0");
  // The positions before the first and after the last element, as seen in the direction of the step.
  const lowest = step > 0 ? 0 : -1;
  const highest = step > 0 ? size : size - 1;
  const resolve = (bound: number | null | undefined, otherwise: number) =>
    bound === null || bound === undefined
      ? otherwise
      : Math.min(Math.max(bound < 0 ? bound + size : bound, lowest), highest);
  const start = resolve(bounds[0], step > 0 ? lowest : highest);
  const stop = resolve(bounds[1], step > 0 ? highest : lowest);
  return { start, step, length: Math.max(0, Math.ceil((stop - start) / step)) };
}

/** Expands `"..."` and checks that the ranges name no more axes than there are. */
function expandEllipsis(ranges: readonly SliceRange[], shape: Shape): SliceRange[] {
  const named = ranges.filter((range) => range !== "..." && range !== newAxis).length;
  if (named > shape.length) {
    throw new IndexError(
      `slice: ${named} ranges for shape ${formatShape(shape)}; at most ${shape.length} fit`,
    );
  }
  const at = ranges.indexOf("...");
  if (at !== ranges.lastIndexOf("...")) throw new ArgumentError('slice: "..." may occur only once');
  const whole = new Array<SliceRange>(shape.length - named).fill(null);
  return at < 0 ? [...ranges, ...whole] : [...ranges.slice(0, at), ...whole, ...ranges.slice(at + 1)];
}

/**
 * The window that `ranges` select of a view. IndexError for an integer outside its axis and for too many ranges,
 * ArgumentError for a range that is none.
 */
export function resolveSlice(
  shape: Shape,
  strides: readonly number[],
  offset: number,
  ranges: readonly SliceRange[],
): Window {
  const result: Window = { shape: [], strides: [], offset };
  let axis = 0;
  for (const range of expandEllipsis(ranges, shape)) {
    if (range === newAxis) {
      result.shape.push(1);
      result.strides.push(0);
      continue;
    }
    const size = shape[axis];
    const stride = strides[axis];
    if (range === null) {
      result.shape.push(size);
      result.strides.push(stride);
    } else if (Array.isArray(range)) {
      const { start, step, length } = resolveBounds(range as Bounds, size);
      result.shape.push(length);
      result.strides.push(stride * step);
      if (length > 0) result.offset += start * stride;
    } else if (typeof range === "number" && Number.isInteger(range)) {
      if (range < -size || range >= size) {
        throw new IndexError(`slice: index ${range} is outside [${-size}, ${size}) on axis ${axis}`);
      }
      result.offset += (range < 0 ? range + size : range) * stride;
    } else {
      throw new ArgumentError(
        `slice: range ${axis} is ${shown(range)}; use an integer, null, [start, stop, step], "..." or newAxis`,
      );
    }
    axis++;
  }
  checkRank("slice", result.shape.length);
  return result;
}
