/**
 * The memory under arrays: a typed array that several views share, the counter by which autograd notices in-place
 * writes, and the reason why it cannot be touched now, if there is one. Allocation is in ndarray/storage.ts.
 */
import { markAsUntransferable } from "node:worker_threads";
import { ArgumentError } from "../errors.js";
import type { StorageType, TypedArray } from "./types.js";

/** Why the memory of a storage cannot be touched: a trace made it, or a run in the background uses it. */
export interface Obstacle {
  /** The error for whoever touches it. */
  error(): Error;
}

let made = 0;

/** A typed array that several views may share. Whoever writes into `data` in place raises `version`. */
export class Storage {
  version = 0;
  // Private, so that arrays with equal elements are deeply equal.
  readonly #serial: number = made++;
  /** Null while the memory may be touched. */
  obstacle: Obstacle | null = null;
  private readonly memory: TypedArray;
  #isPinned = false;

  constructor(memory: TypedArray) {
    this.memory = memory;
  }

  /** Storages are numbered as they are made. */
  get serial(): number {
    return this.#serial;
  }

  /** The elements. Throws what the obstacle says while there is one. */
  get data(): TypedArray {
    if (this.obstacle !== null) throw this.obstacle.error();
    return this.memory;
  }

  /** The elements whatever is in the way: for whoever put the obstacle there. */
  get memoryInUse(): TypedArray {
    return this.memory;
  }

  /**
   * Keeps the memory where it is, for a run on another thread: from now on a message to a worker copies it and does not
   * move it. ArgumentError for memory that can be resized, which could vanish under the run.
   */
  pin(): void {
    if (this.#isPinned) return;
    const { buffer } = this.memory as { buffer: ArrayBufferLike & { resizable?: boolean } };
    if (buffer.resizable === true) {
      throw new ArgumentError(
        "a compiled step in the background cannot use a resizable ArrayBuffer; pass a copy (clone())",
      );
    }
    markAsUntransferable(buffer);
    this.#isPinned = true;
  }

  /** Whether both may lie in the same memory. */
  overlaps(other: Storage): boolean {
    const [a, b] = [this.memory, other.memory];
    if (this === other) return true;
    return (
      a.buffer === b.buffer &&
      a.byteOffset < b.byteOffset + b.byteLength &&
      b.byteOffset < a.byteOffset + a.byteLength
    );
  }

  /** The number that the next storage will have. */
  static get next(): number {
    return made;
  }
}

/** What a trace allocates: a size and a type, but never any memory. */
export class TracedStorage extends Storage {
  readonly type: StorageType;
  readonly length: number;

  constructor(type: StorageType, length: number, trace: Obstacle) {
    super(NO_MEMORY);
    this.type = type;
    this.length = length;
    this.obstacle = trace;
  }
}

const NO_MEMORY = new Uint8Array(0);

const TYPE_OF_TAG: Readonly<Record<string, StorageType | undefined>> = {
  Float32Array: "f32",
  Float64Array: "f64",
  Int32Array: "i32",
  Uint8Array: "u8",
  BigInt64Array: "i64",
};

/** By tag and not by class, so that arrays from another realm (vm contexts, test runners) serve as well. */
export const storageTypeOf = (array: TypedArray): StorageType | undefined =>
  TYPE_OF_TAG[array[Symbol.toStringTag]];
