/** Arithmetic of strides (in elements): which layouts can be seen in which other way without a copy. */
import { ShapeError } from "../errors.js";
import { checkRank, formatShape, type Shape } from "./shape.js";

/** The strides of a compact row-major array. */
export function contiguousStrides(shape: Shape): number[] {
  if (shape.length === 1) return [1];
  if (shape.length === 2) return [shape[1], 1];
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/** Whether the elements lie compactly in row-major order. Axes of size 1 and empty arrays put no condition. */
export function isContiguous(shape: Shape, strides: readonly number[]): boolean {
  let expected = 1;
  let contiguous = true;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis];
    if (size === 0) return true;
    if (size === 1) continue;
    if (strides[axis] !== expected) contiguous = false;
    expected *= size;
  }
  return contiguous;
}

/** A shape without its axes of size 1 and with adjacent axes merged, and the strides of each operand over it. */
export interface Coalesced {
  shape: number[];
  strides: number[][];
}

/**
 * Merges neighbouring axes that every operand steps through as through one, so that loops are few and long.
 * The order of the elements stays row-major.
 */
export function coalesce(shape: Shape, ...strides: readonly (readonly number[])[]): Coalesced {
  const sizes: number[] = [];
  const merged: number[][] = [];
  for (let i = 0; i < strides.length; i++) merged.push([]);
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis];
    if (size === 1) continue;
    const last = sizes.length - 1;
    let joins = last >= 0;
    for (let i = 0; joins && i < strides.length; i++) joins = merged[i][last] === strides[i][axis] * size;
    if (joins) {
      sizes[last] *= size;
      for (let i = 0; i < strides.length; i++) merged[i][last] = strides[i][axis];
    } else {
      sizes.push(size);
      for (let i = 0; i < strides.length; i++) merged[i].push(strides[i][axis]);
    }
  }
  return { shape: sizes, strides: merged };
}

/**
 * Strides under which the same memory has the shape `to` (of equal size), or undefined where a copy is needed.
 * NumPy's rule: each merged run of the old axes must be cut into whole new axes.
 */
export function reshapeStrides(from: Shape, strides: readonly number[], to: Shape): number[] | undefined {
  if (isContiguous(from, strides)) return contiguousStrides(to);
  const merged = coalesce(from, strides);
  const result = new Array<number>(to.length);
  let run = merged.shape.length;
  let remaining = 1;
  let stride = 1;
  for (let axis = to.length - 1; axis >= 0; axis--) {
    if (to[axis] > 1 && remaining === 1) {
      run--;
      remaining = merged.shape[run];
      stride = merged.strides[0][run];
    }
    if (remaining % to[axis] !== 0) return undefined;
    result[axis] = stride;
    stride *= to[axis];
    remaining /= to[axis];
  }
  return result;
}

/** Strides that show an array of shape `from` as the larger shape `to`: 0 on every repeated axis. */
export function broadcastStrides(
  operation: string,
  from: Shape,
  strides: readonly number[],
  to: Shape,
): number[] {
  checkRank(operation, to.length);
  const lead = to.length - from.length;
  let fits = lead >= 0;
  for (let axis = 0; fits && axis < from.length; axis++) {
    fits = from[axis] === to[lead + axis] || from[axis] === 1;
  }
  if (!fits) {
    throw new ShapeError(
      `${operation}: shape ${formatShape(from)} cannot become ${formatShape(to)}; ` +
        "aligned at the last axis, each size must be equal or 1",
    );
  }
  const result = new Array<number>(to.length).fill(0);
  for (let axis = 0; axis < from.length; axis++) {
    if (from[axis] === to[lead + axis]) result[lead + axis] = strides[axis];
  }
  return result;
}
