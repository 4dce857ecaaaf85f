/** Element types: names, storage, promotion. No arithmetic. */
import { shown } from "../describe.js";
import { DTypeError } from "../errors.js";
import type { StorageType, TypedArray } from "../runtime/types.js";

/** Element type of an array. `int64` is for storage and conversion only; its values are BigInt at the edge. */
export type DType = "float32" | "float64" | "int32" | "uint8" | "bool" | "int64";

export const DTYPES: readonly DType[] = ["float32", "float64", "int32", "uint8", "bool", "int64"];

const STORAGE: Record<DType, StorageType> = {
  float32: "f32",
  float64: "f64",
  int32: "i32",
  uint8: "u8",
  bool: "u8",
  int64: "i64",
};

const BYTES: Record<DType, number> = { float32: 4, float64: 8, int32: 4, uint8: 1, bool: 1, int64: 8 };

/** The storage type (kernel suffix) that holds a dtype. */
export const storageOf = (dtype: DType): StorageType => STORAGE[dtype];

/** Bytes per element. */
export const bytesOf = (dtype: DType): number => BYTES[dtype];

export const isFloat = (dtype: DType): boolean => dtype === "float32" || dtype === "float64";

export function isDType(value: unknown): value is DType {
  return typeof value === "string" && (DTYPES as readonly string[]).includes(value);
}

/** Throws a DTypeError unless `value` names a dtype. */
export function checkDType(operation: string, value: unknown): DType {
  if (isDType(value)) return value;
  throw new DTypeError(
    `${operation}: unknown dtype ${typeof value === "string" ? value : shown(value)}; use one of ${DTYPES.join(", ")}`,
  );
}

/** The dtype that a typed array holds, or undefined for a class that no dtype uses. */
export function dtypeOfTypedArray(data: unknown): DType | undefined {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Float64Array) return "float64";
  if (data instanceof Int32Array) return "int32";
  if (data instanceof Uint8Array || data instanceof Uint8ClampedArray) return "uint8";
  if (data instanceof BigInt64Array) return "int64";
  return undefined;
}

/** Fresh zeroed storage for `length` elements. */
export function zeroedStorage(dtype: DType, length: number): TypedArray {
  switch (dtype) {
    case "float32":
      return new Float32Array(length);
    case "float64":
      return new Float64Array(length);
    case "int32":
      return new Int32Array(length);
    case "int64":
      return new BigInt64Array(length);
    default:
      return new Uint8Array(length);
  }
}

// Position in the promotion order of NumPy, weakest first. int32 with float32 is float32, as in PyTorch.
const RANK: Record<DType, number> = { bool: 0, uint8: 1, int32: 2, int64: 3, float32: 4, float64: 5 };

/** The dtype in which two arrays meet: the stronger of the two. */
export const promote = (a: DType, b: DType): DType => (RANK[a] >= RANK[b] ? a : b);
