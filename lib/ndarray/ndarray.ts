/**
 * The strided array: a dtype, a shape and a window on a storage. Views share memory; nothing here computes on
 * elements. Creation is in creation.ts, joining in joining.ts, arithmetic in ops/.
 */
import { describe } from "../describe.js";
import { ArgumentError, ShapeError } from "../errors.js";
import type { TypedArray } from "../runtime/types.js";
import { copyInto } from "./copy.js";
import { checkDType, type DType } from "./dtype.js";
import { formatArray } from "./format.js";
import { type IndexArray, selectRows, takeAlong } from "./indexing.js";
import { type Element, elementAt, type NestedArray, toNested } from "./nested.js";
import {
  checkRank,
  checkShape,
  formatShape,
  inferShape,
  normalizeAxes,
  normalizeAxis,
  type Shape,
  sizeOf,
} from "./shape.js";
import { resolveSlice, type SliceRange } from "./slicing.js";
import { resultStorage, type Storage } from "./storage.js";
import { broadcastStrides, contiguousStrides, isContiguous, reshapeStrides } from "./strides.js";

const inspect: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/** An n-dimensional array. Immutable as a window; its storage may be written by in-place operations. */
export class NDArray {
  readonly dtype: DType;
  readonly shape: Shape;
  /** Distance in elements between neighbours along each axis; 0 on a broadcast axis, negative when reversed. */
  readonly strides: readonly number[];
  /** Position of the first element in the storage. */
  readonly offset: number;
  readonly storage: Storage;

  /** Wraps without any check, for operations that have done theirs; `array` and `fromTypedArray` check. */
  constructor(
    storage: Storage,
    dtype: DType,
    shape: Shape,
    strides: readonly number[] = contiguousStrides(shape),
    offset = 0,
  ) {
    this.dtype = dtype;
    this.shape = shape;
    this.strides = strides;
    this.offset = offset;
    this.storage = storage;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** Number of axes. */
  get ndim(): number {
    return this.shape.length;
  }

  /** Whether the elements lie compactly in row-major order. */
  get isContiguous(): boolean {
    return isContiguous(this.shape, this.strides);
  }

  /** Whether several elements are one in memory: an axis longer than 1 is repeated. */
  get isBroadcast(): boolean {
    return this.size > 0 && this.strides.some((stride, axis) => stride === 0 && this.shape[axis] > 1);
  }

  /**
   * The elements in row-major order. Shares memory with the array when it is contiguous and is a compact copy
   * otherwise. A write into shared memory is not seen by autograd unless `storage.version` is raised too. The buffer
   * under an array is larger than the array, and under a small one shared with others: mind `byteOffset`.
   */
  get data(): TypedArray {
    const { data } = this.storage;
    const size = this.size;
    if (!this.isContiguous) return this.compactCopy(this.dtype).storage.data;
    return size === data.length ? data : data.subarray(this.offset, this.offset + size);
  }

  // ---- views

  /**
   * The same elements in row-major order under another shape of equal size; one size may be -1.
   * A view wherever the strides allow it, else a compact copy. ShapeError if the sizes differ.
   */
  reshape(shape: Shape): NDArray {
    const target = inferShape("reshape", shape, this.shape);
    const strides = reshapeStrides(this.shape, this.strides, target);
    if (strides !== undefined) return this.view(target, strides);
    return new NDArray(this.compactCopy(this.dtype).storage, this.dtype, target);
  }

  /** The axes in the order given: axis i of the result is `axes[i]` of this array. */
  permute(axes: readonly number[]): NDArray {
    if (Array.isArray(axes) && axes.length !== this.ndim) {
      throw new ShapeError(
        `permute: ${formatShape(axes)} names ${axes.length} axes, but shape ${formatShape(this.shape)} has ${this.ndim}`,
      );
    }
    const order = normalizeAxes("permute", axes, this.ndim);
    return this.view(
      order.map((axis) => this.shape[axis]),
      order.map((axis) => this.strides[axis]),
    );
  }

  /** Swaps two axes, the last two unless others are given. IndexError for an axis the array does not have. */
  transpose(axis0 = -2, axis1 = -1): NDArray {
    const a = normalizeAxis("transpose", axis0, this.ndim);
    const b = normalizeAxis("transpose", axis1, this.ndim);
    const shape = this.shape.with(a, this.shape[b]);
    const strides = this.strides.with(a, this.strides[b]);
    shape[b] = this.shape[a];
    strides[b] = this.strides[a];
    return this.view(shape, strides);
  }

  /**
   * NumPy's basic slicing, one range per axis from the front: `x.slice(0, [1, null], "...", [null, null, -1])` is
   * `x[0, 1:, ..., ::-1]`. An integer drops its axis, null keeps it whole, `newAxis` adds one.
   */
  slice(...ranges: readonly SliceRange[]): NDArray {
    const window = resolveSlice(this.shape, this.strides, this.offset, ranges);
    return new NDArray(this.storage, this.dtype, window.shape, window.strides, window.offset);
  }

  /** Repeats axes of size 1, and adds axes in front, without a copy. ShapeError if the shape does not fit. */
  broadcastTo(shape: Shape): NDArray {
    checkShape("broadcastTo", shape);
    return this.view([...shape], broadcastStrides("broadcastTo", this.shape, this.strides, shape));
  }

  /** Adds an axis of size 1 that has position `axis` in the result. */
  expandDims(axis: number): NDArray {
    checkRank("expandDims", this.ndim + 1);
    const at = normalizeAxis("expandDims", axis, this.ndim + 1);
    return this.view(this.shape.toSpliced(at, 0, 1), this.strides.toSpliced(at, 0, 0));
  }

  /** Drops the given axes, which must have size 1, or all axes of size 1. */
  squeeze(axis?: number | readonly number[]): NDArray {
    const { shape } = this;
    const given = axis === undefined ? undefined : typeof axis === "number" ? [axis] : axis;
    const dropped = given === undefined ? undefined : normalizeAxes("squeeze", given, this.ndim);
    const wrong = dropped?.find((at) => shape[at] !== 1);
    if (wrong !== undefined) {
      throw new ShapeError(
        `squeeze: axis ${wrong} of shape ${formatShape(shape)} has size ${shape[wrong]}; only size 1 can be dropped`,
      );
    }
    const keeps = (_: number, at: number) => (dropped ? !dropped.includes(at) : shape[at] !== 1);
    return this.view(shape.filter(keeps), this.strides.filter(keeps));
  }

  /** Merges the axes from `startAxis` to `endAxis`, both included. A 0-d array becomes 1-d. */
  flatten(startAxis = 0, endAxis = -1): NDArray {
    if (this.ndim === 0) return this.reshape([1]);
    const start = normalizeAxis("flatten", startAxis, this.ndim);
    const end = normalizeAxis("flatten", endAxis, this.ndim);
    if (start > end) {
      throw new ShapeError(`flatten: startAxis ${startAxis} comes after endAxis ${endAxis}`);
    }
    const merged = sizeOf(this.shape.slice(start, end + 1));
    return this.reshape(this.shape.toSpliced(start, end - start + 1, merged));
  }

  // ---- copies

  /** The array itself if it is contiguous, else a compact copy. */
  contiguous(): NDArray {
    return this.isContiguous ? this : this.compactCopy(this.dtype);
  }

  /** A compact copy. */
  clone(): NDArray {
    return this.compactCopy(this.dtype);
  }

  /**
   * A compact copy with another element type. To an integer type floats truncate toward zero and saturate, NaN
   * gives 0, and wider integers wrap; to bool everything but 0 is true.
   */
  astype(dtype: DType): NDArray {
    return this.compactCopy(checkDType("astype", dtype));
  }

  /**
   * The entries at `indices` along an axis, as NumPy's `take`: the shape of the indices stands in place of the
   * axis. Negative indices count from the end. IndexError names the first index outside the axis.
   */
  take(indices: IndexArray, axis = 0): NDArray {
    const { storage, shape } = takeAlong(this, indices, axis);
    return new NDArray(storage, this.dtype, shape);
  }

  /** The entries where `mask` is true. Its shape must be the leading part of this array's shape. */
  mask(mask: NDArray): NDArray {
    if (!(mask instanceof NDArray))
      throw new ArgumentError(`mask: needs a bool NDArray, got ${describe(mask)}`);
    const { storage, shape } = selectRows(this, mask);
    return new NDArray(storage, this.dtype, shape);
  }

  // ---- out

  /** Nested JavaScript arrays of numbers, booleans (bool) or bigints (int64); a plain value for a 0-d array. */
  toArray(): NestedArray {
    return toNested(this);
  }

  /** The only element, of an array of size 1. ShapeError for any other size. */
  item(): Element {
    if (this.size !== 1) {
      throw new ShapeError(
        `item: shape ${formatShape(this.shape)} has ${this.size} elements; needs exactly 1`,
      );
    }
    return elementAt(this, this.offset);
  }

  /** Dtype, shape and elements; the inner part of arrays with more than 1000 elements is left out. */
  toString(): string {
    return formatArray(this);
  }

  [inspect](): string {
    return formatArray(this);
  }

  private view(shape: Shape, strides: readonly number[]): NDArray {
    return new NDArray(this.storage, this.dtype, shape, strides, this.offset);
  }

  private compactCopy(dtype: DType): NDArray {
    const result = allocate(this.shape, dtype);
    copyInto(this, dtype, result.storage);
    return result;
  }
}

/** A compact array of unspecified content, for operations that write every element. Checks nothing. */
export function allocate(shape: Shape, dtype: DType, operation?: string): NDArray {
  return new NDArray(resultStorage(dtype, sizeOf(shape), operation), dtype, shape);
}
