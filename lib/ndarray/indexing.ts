/** Selection by index arrays and masks: both become row gathers. Basic slicing is in slicing.ts. */
import { ArgumentError, DTypeError, IndexError, ShapeError } from "../errors.js";
import { execute } from "../runtime/execute.js";
import { recorder } from "../runtime/recorder.js";
import type { TypedArray } from "../runtime/types.js";
import { perStorageType } from "./copy.js";
import { storageOf } from "./dtype.js";
import type { NDArray } from "./ndarray.js";
import { probeNested, readNested } from "./nested.js";
import { checkRank, formatShape, normalizeAxis, type Shape, sizeOf } from "./shape.js";
import { resultStorage, Storage } from "./storage.js";
import { contiguousStrides } from "./strides.js";

/** Whole numbers that select along an axis: an array of dtype int32, uint8 or int64, or nested arrays. */
export type IndexArray = NDArray | number | NestedIndices;
type NestedIndices = readonly (number | NestedIndices)[];

/** Compact elements and their shape, for the caller to wrap. */
export interface Selection {
  storage: Storage;
  shape: number[];
}

const GATHER = perStorageType((type) => `gather_${type}` as const);

/** `take` along an axis: every index checked and counted from the front, then gathered. */
export function takeAlong(x: NDArray, indices: IndexArray, axis: number): Selection {
  const along = normalizeAxis("take", axis, x.ndim);
  const { rows, chosen } = positionsOf(indices, x.shape[along], along);
  const before = x.shape.slice(0, along);
  const after = x.shape.slice(along + 1);
  const shape = [...before, ...chosen, ...after];
  checkRank("take", shape.length);
  return { storage: gather(x.reshape([sizeOf(before), x.shape[along], sizeOf(after)]), rows, "take"), shape };
}

/** Positions on an axis, counted from the front. */
interface Rows {
  storage: Storage;
  offset: number;
  stride: number;
  count: number;
}

/** The positions that indices stand for, and the shape of the indices. */
function positionsOf(indices: IndexArray, size: number, axis: number): { rows: Rows; chosen: Shape } {
  // What a trace holds cannot be looked at; the kernel checks it.
  if (isNDArray(indices) && indices.storage.obstacle !== null && indices.dtype === "int32" && recorder()) {
    const flat = indices.reshape([indices.size]);
    return { rows: rowsAt(flat.storage, flat.offset, flat.strides[0], flat.size), chosen: indices.shape };
  }
  const chosen = readIndices(indices);
  const rows = new Int32Array(chosen.values.length);
  for (let i = 0; i < rows.length; i++) {
    const index = Number(chosen.values[i]);
    if (!Number.isInteger(index)) {
      throw new ArgumentError(`take: index ${index}${place(i, chosen.shape)} is not an integer`);
    }
    if (index < -size || index >= size) {
      throw new IndexError(
        `take: index ${index}${place(i, chosen.shape)} is outside [${-size}, ${size}) on axis ${axis}`,
      );
    }
    rows[i] = index < 0 ? index + size : index;
  }
  return { rows: rowsAt(new Storage(rows), 0, 1, rows.length), chosen: chosen.shape };
}

const rowsAt = (storage: Storage, offset: number, stride: number, count: number): Rows => ({
  storage,
  offset,
  stride,
  count,
});

/** The rows of the leading axes at which a mask is true. */
export function selectRows(x: NDArray, mask: NDArray): Selection {
  if (mask.dtype !== "bool") {
    throw new DTypeError(`mask: the mask is ${mask.dtype}; it must be bool (use take for integer indices)`);
  }
  const leading = mask.shape.every((size, axis) => size === x.shape[axis]);
  if (mask.ndim > x.ndim || !leading) {
    throw new ShapeError(
      `mask: mask shape ${formatShape(mask.shape)} is not a leading part of shape ${formatShape(x.shape)}`,
    );
  }
  const rest = x.shape.slice(mask.ndim);
  const rows = nonzero(mask.data);
  const chosen = rowsAt(new Storage(rows), 0, 1, rows.length);
  return {
    storage: gather(x.reshape([1, mask.size, sizeOf(rest)]), chosen, "mask"),
    shape: [rows.length, ...rest],
  };
}

/** Positions of the elements that are not 0. */
function nonzero(values: TypedArray): Int32Array {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (values[i]) count++;
  const positions = new Int32Array(count);
  for (let i = 0, at = 0; at < count; i++) if (values[i]) positions[at++] = i;
  return positions;
}

/**
 * out[a, i, b] = x[a, rows[i], b] for x of three axes. The kernel gathers rows of one axis, so the shorter of the
 * two outer axes is looped over here.
 */
function gather(x: NDArray, rows: Rows, operation: string): Storage {
  const [before, size, after] = x.shape;
  if (size > 2 ** 31) {
    throw new ShapeError(`${operation}: an axis of ${size} elements is too long to index; at most 2^31 fit`);
  }
  const result = resultStorage(x.dtype, before * rows.count * after, operation);
  const strides = contiguousStrides([before, rows.count, after]);
  const [looped, inner] = before <= after ? [0, 2] : [2, 0];
  const dims = [size, x.shape[inner], rows.count];
  dims.push(x.strides[1], x.strides[inner], rows.stride, strides[1], strides[inner]);
  for (let i = 0; i < x.shape[looped]; i++) {
    execute(
      GATHER[storageOf(x.dtype)],
      [x.storage, rows.storage, result],
      [x.offset + i * x.strides[looped], rows.offset, i * strides[looped]],
      dims,
    );
  }
  return result;
}

function readIndices(indices: IndexArray): { values: ArrayLike<number | bigint>; shape: Shape } {
  if (!isNDArray(indices)) {
    const { shape, kind } = probeNested("take", indices);
    if (kind !== "number") throw new DTypeError(`take: indices must be whole numbers, got ${kind}s`);
    const values = new Float64Array(sizeOf(shape));
    readNested("take", indices, shape, kind, (element, position) => {
      values[position] = element as number;
    });
    return { values, shape };
  }
  const { dtype } = indices;
  if (dtype !== "int32" && dtype !== "uint8" && dtype !== "int64") {
    const advice = dtype === "bool" ? "use mask for boolean selection" : "convert them with astype";
    throw new DTypeError(`take: indices must be int32, uint8 or int64, got ${dtype}; ${advice}`);
  }
  return { values: indices.data, shape: indices.shape };
}

const isNDArray = (value: IndexArray): value is NDArray =>
  typeof value === "object" && value !== null && "dtype" in value;

/** Where an index stands among the indices, in words. */
function place(position: number, shape: Shape): string {
  if (shape.length === 0) return "";
  if (shape.length === 1) return ` at position ${position}`;
  const index = contiguousStrides(shape).map((stride, axis) => Math.floor(position / stride) % shape[axis]);
  return ` at position ${formatShape(index)}`;
}
