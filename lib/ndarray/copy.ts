/** Data movement between strided views, through the kernels: copies and conversions of the element type. */
import { execute } from "../runtime/execute.js";
import type { Storage } from "../runtime/storage.js";
import type { StorageType } from "../runtime/types.js";
import { type DType, storageOf } from "./dtype.js";
import { contiguousStrides } from "./strides.js";

/** What a copy needs to know of its source; every NDArray is one. */
export interface StridedView {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
  readonly storage: Storage;
}

const STORAGE_TYPES = ["f32", "f64", "i32", "u8", "i64"] as const satisfies readonly StorageType[];

/** A value per storage type, so that kernel names are made once and not per call. */
export function perStorageType<V>(make: (type: StorageType) => V): Readonly<Record<StorageType, V>> {
  return Object.fromEntries(STORAGE_TYPES.map((type) => [type, make(type)])) as Record<StorageType, V>;
}

const CAST = perStorageType((from) => perStorageType((to) => `cast_from_${from}_${to}` as const));
const TO_BOOL = perStorageType((from) => `to_bool_${from}` as const);

/** Writes `source`, converted to `dtype`, into a view of `target` with the source's shape. */
export function copyInto(
  source: StridedView,
  dtype: DType,
  target: Storage,
  offset = 0,
  strides: readonly number[] = contiguousStrides(source.shape),
): void {
  const from = storageOf(source.dtype);
  const toBool = dtype === "bool" && source.dtype !== "bool";
  execute(
    toBool ? TO_BOOL[from] : CAST[from][storageOf(dtype)],
    [source.storage, target],
    [source.offset, offset],
    [source.shape.length, ...source.shape, ...source.strides, ...strides],
  );
}
