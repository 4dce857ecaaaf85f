/** Arrays from values, typed arrays, functions and rules. Names are NumPy's; the default dtype is float32. */
import { describe } from "../describe.js";
import { ArgumentError, DTypeError, ShapeError } from "../errors.js";
import { checkNumber, FINITE, withDefaults } from "../options.js";
import { execute } from "../runtime/execute.js";
import type { TypedArray } from "../runtime/types.js";
import { perStorageType } from "./copy.js";
import { checkDType, type DType, dtypeOfTypedArray, storageOf } from "./dtype.js";
import { allocate, NDArray } from "./ndarray.js";
import { type Element, type Kind, kindOf, type NestedArray, probeNested, readNested } from "./nested.js";
import { checkShape, formatShape, type Shape, sizeOf } from "./shape.js";
import { Storage, zeroed } from "./storage.js";

export interface DTypeOptions {
  /** Element type of the result. */
  dtype?: DType;
}

export interface ArrayOptions extends DTypeOptions {
  /** Shape of the result; its size must be the number of values. By default the shape of the value. */
  shape?: Shape;
}

/** What `array` takes: an element, nested arrays of elements, a typed array, or another array. */
export type ArrayValue = NestedArray | TypedArray | Uint8ClampedArray | NDArray;

const FILL = perStorageType((type) => `fill_${type}` as const);
const DEFAULT_DTYPE: Record<Kind, DType> = { number: "float32", boolean: "bool", bigint: "int64" };
const INT64_BITS = 64;

/**
 * A new array with the given values. Numbers become float32, booleans bool, bigints int64, unless a dtype is
 * given; typed arrays and arrays keep theirs. Conversions follow `astype`.
 * Errors: ShapeError for ragged nesting, DTypeError for mixed kinds and for what is not an element.
 */
export function array(value: ArrayValue, options: ArrayOptions = {}): NDArray {
  const known: ArrayOptions = { dtype: undefined, shape: undefined };
  const { dtype, shape } = withDefaults("array", options, known);
  if (dtype !== undefined) checkDType("array", dtype);
  const borrowed = borrow(value);
  const source = borrowed ?? fromNested(value, dtype);
  const shaped = shape === undefined ? source : reshaped(source, shape);
  const target = dtype ?? shaped.dtype;
  return borrowed === undefined && shaped.dtype === target ? shaped : shaped.astype(target);
}

/**
 * Wraps a typed array without copying it: the array shares its memory. The dtype is the typed array's; for a
 * Uint8Array it may be "bool", and then every byte but 0 counts as true.
 * ShapeError if the length is not the size of the shape, DTypeError for a typed array that no dtype uses.
 */
export function fromTypedArray(data: TypedArray | Uint8ClampedArray, shape: Shape, dtype?: DType): NDArray {
  checkShape("fromTypedArray", shape);
  return wrap("fromTypedArray", data, shape, dtype);
}

/** An array whose element at each index is `fn(...index)`, called in row-major order. */
export function fromFunction(
  shape: Shape,
  fn: (...index: number[]) => number,
  options: DTypeOptions = {},
): NDArray {
  checkShape("fromFunction", shape);
  if (typeof fn !== "function")
    throw new ArgumentError(`fromFunction: needs a function, got ${describe(fn)}`);
  const index = new Array<number>(shape.length).fill(0);
  return fromSequence("fromFunction", shape, dtypeOption("fromFunction", options), () => {
    const value = fn(...index);
    if (typeof value !== "number") {
      throw new DTypeError(
        `fromFunction: the function gave ${String(value)} (${typeof value}) at ${formatShape(index)}; needs a number`,
      );
    }
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]++;
      if (index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
    return value;
  });
}

/** The dtype among the options, if given. ArgumentError for other options, DTypeError for what is no dtype. */
function dtypeOption(operation: string, options: DTypeOptions): DType | undefined {
  const { dtype } = withDefaults<DTypeOptions>(operation, options, { dtype: undefined });
  return dtype === undefined ? undefined : checkDType(operation, dtype);
}

/** An array of zeros. */
export function zeros(shape: Shape, options: DTypeOptions = {}): NDArray {
  checkShape("zeros", shape);
  const dtype = dtypeOption("zeros", options) ?? "float32";
  return new NDArray(new Storage(zeroed(dtype, sizeOf(shape), "zeros")), dtype, [...shape]);
}

/** An array of ones. */
export function ones(shape: Shape, options: DTypeOptions = {}): NDArray {
  return filled("ones", shape, 1, dtypeOption("ones", options) ?? "float32");
}

/** An array with one value everywhere. Without a dtype the value's kind decides as in `array`. */
export function full(shape: Shape, value: Element, options: DTypeOptions = {}): NDArray {
  return filled("full", shape, value, dtypeOption("full", options) ?? DEFAULT_DTYPE[kindOf("full", value)]);
}

/** An array of unspecified content, for a caller that writes every element. */
export function empty(shape: Shape, options: DTypeOptions = {}): NDArray {
  checkShape("empty", shape);
  return allocate([...shape], dtypeOption("empty", options) ?? "float32", "empty");
}

/**
 * start, start + step, … up to but not including stop, computed in float64 and then converted.
 * `arange(stop)` starts at 0. ArgumentError for a step of 0 and for bounds that are not finite.
 */
export function arange(stop: number, options?: DTypeOptions): NDArray;
export function arange(start: number, stop: number, options?: DTypeOptions): NDArray;
export function arange(start: number, stop: number, step: number, options?: DTypeOptions): NDArray;
export function arange(...args: readonly (number | DTypeOptions | undefined)[]): NDArray {
  const isOptions = typeof args.at(-1) === "object";
  const options = isOptions ? (args.at(-1) as DTypeOptions) : {};
  const given = (isOptions ? args.slice(0, -1) : args).filter((arg, i) => i < 1 || arg !== undefined);
  const [start, stop, step = 1] = (given.length === 1 ? [0, given[0]] : given) as number[];
  if (![start, stop, step].every(Number.isFinite) || step === 0 || given.length > 3) {
    throw new ArgumentError(
      `arange: takes (stop), (start, stop) or (start, stop, step), finite and the step not 0; got ${given.map(describe).join(", ")}`,
    );
  }
  const shape = [Math.max(0, Math.ceil((stop - start) / step))];
  checkShape("arange", shape);
  return fromSequence("arange", shape, dtypeOption("arange", options), (i) => start + i * step);
}

/** `count` evenly spaced numbers from start to stop, both included, computed in float64 and then converted. */
export function linspace(start: number, stop: number, count = 50, options: DTypeOptions = {}): NDArray {
  checkShape("linspace", [count]);
  checkNumber("linspace", "start", start, FINITE);
  checkNumber("linspace", "stop", stop, FINITE);
  const step = count > 1 ? (stop - start) / (count - 1) : 0;
  return fromSequence("linspace", [count], dtypeOption("linspace", options), (i) =>
    i > 0 && i === count - 1 ? stop : start + i * step,
  );
}

/** A matrix with ones on the main diagonal and zeros elsewhere, square unless `columns` is given. */
export function eye(rows: number, columns = rows, options: DTypeOptions = {}): NDArray {
  checkShape("eye", [rows, columns]);
  const dtype = dtypeOption("eye", options) ?? "float32";
  const data = zeroed(dtype, rows * columns, "eye");
  const one = data instanceof BigInt64Array ? 1n : 1;
  for (let i = 0; i < Math.min(rows, columns); i++) data[i * columns + i] = one;
  return new NDArray(new Storage(data), dtype, [rows, columns]);
}

/** Reads nested arrays into a fresh array of the dtype that is nearest to the one wanted and holds the kind. */
function fromNested(value: unknown, wanted: DType | undefined): NDArray {
  const { shape, kind } = probeNested("array", value);
  const size = sizeOf(shape);
  if (kind === "bigint") {
    const data = new BigInt64Array(size);
    readNested("array", value, shape, kind, (element, position) => {
      data[position] = checkInt64("array", element as bigint);
    });
    return new NDArray(new Storage(data), "int64", shape);
  }
  // Numbers for an integer dtype go through float64, so that the conversion is astype's and not the typed array's.
  const dtype =
    kind === "boolean" ? "bool" : wanted === "float32" || wanted === undefined ? "float32" : "float64";
  const data = zeroed(dtype, size, "array") as Exclude<TypedArray, BigInt64Array>;
  readNested("array", value, shape, kind, (element, position) => {
    data[position] = Number(element);
  });
  return new NDArray(new Storage(data), dtype, shape);
}

/** Numbers by position in row-major order, converted to the dtype (float32 by default) at the end. */
function fromSequence(
  operation: string,
  shape: Shape,
  wanted: DType | undefined,
  at: (position: number) => number,
): NDArray {
  const dtype = checkDType(operation, wanted ?? "float32");
  const direct = dtype === "float32" ? "float32" : "float64";
  const data = zeroed(direct, sizeOf(shape), operation);
  for (let i = 0; i < data.length; i++) data[i] = at(i);
  const result = new NDArray(new Storage(data), direct, [...shape]);
  return dtype === direct ? result : result.astype(dtype);
}

function filled(operation: string, shape: Shape, value: Element, dtype: DType): NDArray {
  checkShape(operation, shape);
  checkDType(operation, dtype);
  if (typeof value === "bigint" && dtype === "int64") {
    // The fill kernel takes its value as a float64, which does not hold every bigint.
    const data = zeroed(dtype, sizeOf(shape), operation) as BigInt64Array;
    return new NDArray(new Storage(data.fill(checkInt64(operation, value))), dtype, [...shape]);
  }
  const result = allocate([...shape], dtype, operation);
  const scalar = dtype === "bool" ? Number(Boolean(value) || Number.isNaN(value)) : Number(value);
  execute(FILL[storageOf(dtype)], [result.storage], [0], [1, result.size, 1], [scalar]);
  return result;
}

/** An array over memory that belongs to the value, if it has any. */
function borrow(value: ArrayValue): NDArray | undefined {
  if (value instanceof NDArray) return value;
  return ArrayBuffer.isView(value) ? wrap("array", value, [(value as TypedArray).length]) : undefined;
}

function reshaped(source: NDArray, shape: Shape): NDArray {
  checkShape("array", shape);
  if (sizeOf(shape) !== source.size) {
    throw new ShapeError(
      `array: shape ${formatShape(shape)} needs ${sizeOf(shape)} values, but there are ${source.size}`,
    );
  }
  return source.reshape(shape);
}

/** The array over a typed array's memory. */
function wrap(operation: string, data: ArrayBufferView, shape: Shape, wanted?: DType): NDArray {
  const held = dtypeOfTypedArray(data);
  if (held === undefined) throw unsupported(operation, data);
  const dtype = checkDType(operation, wanted ?? held);
  if (storageOf(dtype) !== storageOf(held)) {
    throw new DTypeError(
      `${operation}: ${data.constructor.name} data holds ${held}, not ${dtype}; convert with array(data, { dtype })`,
    );
  }
  const values = plain(data as TypedArray | Uint8ClampedArray);
  if (values.length !== sizeOf(shape)) {
    throw new ShapeError(
      `${operation}: shape ${formatShape(shape)} needs ${sizeOf(shape)} elements, but the data has ${values.length}`,
    );
  }
  return new NDArray(new Storage(values), dtype, [...shape]);
}

/** The same memory as a plain Uint8Array where it is a Uint8ClampedArray or a Buffer, whose methods differ. */
function plain(data: TypedArray | Uint8ClampedArray): TypedArray {
  const isBytes = data instanceof Uint8ClampedArray || data instanceof Uint8Array;
  if (!isBytes || data.constructor === Uint8Array) return data as TypedArray;
  return new Uint8Array(data.buffer, data.byteOffset, data.length);
}

const CONVERSIONS: Record<string, string> = {
  Int8Array: "Int32Array",
  Int16Array: "Int32Array",
  Uint16Array: "Int32Array",
  Uint32Array: "Float64Array",
  Float16Array: "Float32Array",
  BigUint64Array: "BigInt64Array",
  DataView: "Uint8Array",
};

function unsupported(operation: string, data: unknown): DTypeError {
  const name = typeof data === "object" && data !== null ? data.constructor.name : typeof data;
  const target = CONVERSIONS[name] ?? "Float32Array";
  const advice = name === "DataView" ? "new Uint8Array(view.buffer)" : `${target}.from(data)`;
  return new DTypeError(`${operation}: no dtype holds ${name} data; convert it, for example with ${advice}`);
}

function checkInt64(operation: string, value: bigint): bigint {
  if (BigInt.asIntN(INT64_BITS, value) !== value) {
    throw new DTypeError(`${operation}: ${value}n does not fit into int64`);
  }
  return value;
}
