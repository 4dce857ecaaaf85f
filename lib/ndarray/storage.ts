/** Memory for arrays. What a storage is, is in runtime/storage.ts. */
import { markAsUntransferable } from "node:worker_threads";
import { ShapeError } from "../errors.js";
import { executor } from "../runtime/executor.js";
import { recorder } from "../runtime/recorder.js";
import { Storage } from "../runtime/storage.js";
import type { TypedArray } from "../runtime/types.js";
import { bytesOf, type DType, storageOf, zeroedStorage } from "./dtype.js";

export { Storage } from "../runtime/storage.js";

/** A buffer that small arrays are cut from, one after the other. */
interface Supply {
  readonly size: number;
  readonly alignment: number;
  buffer: ArrayBuffer;
  next: number;
}

const supply = (size: number, alignment: number): Supply => ({
  size,
  alignment,
  buffer: new ArrayBuffer(0),
  next: 0,
});

// A buffer of its own costs an array 300 ns at 64 bytes and 900 ns at 4 KiB, several times what a small kernel does; a
// piece of a larger one costs 20 to 150 ns (measured on Node 20, x86-64). An array that is kept keeps the whole buffer
// from being collected, so the smallest, of which some are often kept (the loss of every step), have their own supply.
const TINY_UP_TO = 256;
const tiny = supply(8192, 16);
const SMALL_UP_TO = 4096;
const small = supply(65536, 64);

// Vectors of 64 bytes are loaded and stored fastest where each is a cache line, so arrays begin on one; the engine's
// buffers are aligned to 16 bytes only. (Products of skinny matrices gain up to 8 % on AMD Zen 4.)
const LINE = 64;

// Large arrays begin on different lines of their pages. The engine's large buffers all begin at the same place of a page,
// so a kernel that goes along several would want lines of the same few sets of the first-level cache (AMD Zen 3, Adam
// over 16 million numbers: 21 to 25 GB/s at distances of whole pages, 30 to 34 at others). From a size on at which a page
// more is nothing.
const LARGE_FROM = 2 ** 18;
const PAGE = 4096;
const APART = 17 * LINE;
let largeAt = 0;

/** A buffer and where in it an array of so many bytes begins. */
function placed(bytes: number, make: (bytes: number) => ArrayBuffer): { buffer: ArrayBuffer; at: number } {
  if (bytes < LARGE_FROM) {
    const buffer = make(bytes + LINE);
    return { buffer, at: firstLine(buffer) };
  }
  const buffer = make(bytes + LINE + PAGE);
  largeAt = (largeAt + APART) % PAGE;
  return { buffer, at: firstLine(buffer) + largeAt };
}

// Above this Node's Buffer refuses.
const UNINITIALIZED_UP_TO = 2 ** 32;

/**
 * Fresh memory of any content, for outputs that are written whole; a small array is a part of a buffer that it shares
 * with others. ShapeError where there is not enough.
 */
export function uninitializedStorage(dtype: DType, length: number, operation = "allocate"): TypedArray {
  const bytes = length * bytesOf(dtype);
  if (bytes + LINE + PAGE > UNINITIALIZED_UP_TO || globalThis.Buffer === undefined)
    return zeroed(dtype, length, operation);
  if (bytes > SMALL_UP_TO) {
    const { buffer, at } = placed(bytes, uninitializedBuffer);
    return viewOf(dtype, buffer, at, length);
  }
  const from = bytes <= TINY_UP_TO ? tiny : small;
  if (from.next + bytes > from.buffer.byteLength) {
    from.buffer = uninitializedBuffer(from.size + LINE);
    // Moved to a worker, it would be missing from under all the arrays that share it.
    markAsUntransferable(from.buffer);
    from.next = firstLine(from.buffer);
  }
  const at = from.next;
  from.next += Math.ceil(bytes / from.alignment) * from.alignment;
  return viewOf(dtype, from.buffer, at, length);
}

/** Fresh memory of any content for a result that kernels write whole; while a function is traced, a place for it. */
export function resultStorage(dtype: DType, length: number, operation?: string): Storage {
  const trace = recorder();
  return trace === null
    ? new Storage(uninitializedStorage(dtype, length, operation))
    : trace.allocate(storageOf(dtype), length);
}

/** Where the first cache line begins that lies whole in a buffer. */
const firstLine = (buffer: ArrayBuffer): number =>
  (LINE - executor().lineOffset(new Uint8Array(buffer, 0, 1))) % LINE;

/** Zeroing costs more than most kernels: 7 times the allocation at 1 MiB. */
const uninitializedBuffer = (bytes: number): ArrayBuffer =>
  globalThis.Buffer.allocUnsafeSlow(bytes).buffer as ArrayBuffer;

/** Fresh memory of zeros. ShapeError where there is not enough of it. */
export function zeroed(dtype: DType, length: number, operation: string): TypedArray {
  const bytes = length * bytesOf(dtype);
  try {
    if (bytes <= SMALL_UP_TO) return zeroedStorage(dtype, length);
    const { buffer, at } = placed(bytes, (size) => new ArrayBuffer(size));
    return viewOf(dtype, buffer, at, length);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ShapeError(
      `${operation}: ${length} elements of ${dtype} need ${bytes} bytes, ` +
        `more than this JavaScript engine can allocate (${error.message})`,
    );
  }
}

function viewOf(dtype: DType, buffer: ArrayBuffer, at: number, length: number): TypedArray {
  switch (dtype) {
    case "float32":
      return new Float32Array(buffer, at, length);
    case "float64":
      return new Float64Array(buffer, at, length);
    case "int32":
      return new Int32Array(buffer, at, length);
    case "int64":
      return new BigInt64Array(buffer, at, length);
    default:
      return new Uint8Array(buffer, at, length);
  }
}
