/** The memory under arrays: allocation, and the counter by which autograd notices in-place writes. */
import { ShapeError } from "../errors.js";
import type { TypedArray } from "../runtime/types.js";
import { bytesOf, type DType, zeroedStorage } from "./dtype.js";

/** A typed array that several views may share. Whoever writes into `data` in place raises `version`. */
export class Storage {
  readonly data: TypedArray;
  version: number;
  constructor(data: TypedArray) {
    this.data = data;
    this.version = 0;
  }
}

// Below this many bytes a zeroed typed array is as cheap as an uninitialised one, and above the second bound
// Node's Buffer refuses (measured on Node 20, x86-64: equal up to 2 KiB, 7 times cheaper at 1 MiB).
const UNINITIALIZED_FROM = 4096;
const UNINITIALIZED_UP_TO = 2 ** 32;

/** Fresh memory of any content, for outputs that are written whole. ShapeError where there is not enough. */
export function uninitializedStorage(dtype: DType, length: number, operation = "allocate"): TypedArray {
  const bytes = length * bytesOf(dtype);
  const buffer = globalThis.Buffer;
  if (bytes < UNINITIALIZED_FROM || bytes > UNINITIALIZED_UP_TO || buffer === undefined) {
    return zeroed(dtype, length, operation);
  }
  return viewOf(dtype, buffer.allocUnsafeSlow(bytes).buffer, length);
}

/** Fresh memory of zeros. ShapeError where there is not enough of it. */
export function zeroed(dtype: DType, length: number, operation: string): TypedArray {
  try {
    return zeroedStorage(dtype, length);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ShapeError(
      `${operation}: ${length} elements of ${dtype} need ${length * bytesOf(dtype)} bytes, ` +
        `more than this JavaScript engine can allocate (${error.message})`,
    );
  }
}

function viewOf(dtype: DType, buffer: ArrayBufferLike, length: number): TypedArray {
  switch (dtype) {
    case "float32":
      return new Float32Array(buffer, 0, length);
    case "float64":
      return new Float64Array(buffer, 0, length);
    case "int32":
      return new Int32Array(buffer, 0, length);
    case "int64":
      return new BigInt64Array(buffer, 0, length);
    default:
      return new Uint8Array(buffer, 0, length);
  }
}
