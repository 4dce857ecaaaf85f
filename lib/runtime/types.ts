/** Element types as kernels see them. `uint8` and `bool` arrays share the storage type u8. */
export type StorageType = "f32" | "f64" | "i32" | "u8" | "i64";

/** Bytes per element. */
export const BYTES_OF_STORAGE: Readonly<Record<StorageType, number>> = {
  f32: 4,
  f64: 8,
  i32: 4,
  u8: 1,
  i64: 8,
};

/** The typed arrays that hold elements, one class per storage type. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array | BigInt64Array;

/**
 * A kernel: a function over raw buffers. `buffers[i]` and `offsets[i]` (in elements) belong to operand i of the
 * signature; `dims` and `scalars` are laid out as docs/kernels.md says; `counts` says how many operands there are of
 * each variadic one. Arguments were checked by the executor; the only errors a kernel may raise are an IndexError for
 * an index it reads from a buffer, and a ProgramError for code among its scalars.
 */
export type Kernel = (
  buffers: readonly TypedArray[],
  offsets: readonly number[],
  dims: readonly number[],
  scalars: readonly number[],
  counts?: readonly number[],
) => void;

/** Makes the kernel of a row for one value of T. */
export type KernelFactory = (dtype: StorageType) => Kernel;

/** The storage types that each letter of a row's dtype set stands for. */
export const STORAGE_OF_LETTER = { F: "f32", D: "f64", I: "i32", U: "u8", L: "i64" } as const;
