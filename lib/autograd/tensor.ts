/**
 * Tensor: an NDArray with a place in the graph of derivatives. Operations live in ops/ and are attached as methods
 * in lib/tensor.ts; nothing here computes.
 */
import { describe } from "../describe.js";
import { ArgumentError, DTypeError, GradientError, ShapeError } from "../errors.js";
import { copyInto } from "../ndarray/copy.js";
import { type DType, isFloat } from "../ndarray/dtype.js";
import { NDArray } from "../ndarray/ndarray.js";
import type { Element, NestedArray } from "../ndarray/nested.js";
import { formatShape, type Shape, sameShape } from "../ndarray/shape.js";
import { recorder } from "../runtime/recorder.js";
import type { TypedArray } from "../runtime/types.js";
import type { GraphNode } from "./graph.js";
import { isGradEnabled } from "./mode.js";

const inspect: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/** An n-dimensional array that can be differentiated through. */
export class Tensor {
  /** The value. Shared with views; in-place operations raise its storage's version. */
  readonly array: NDArray;
  /** The operation that made this tensor, null for a leaf. @internal */
  node: GraphNode | null = null;
  /** Which of the operation's outputs this is. @internal */
  outputIndex = 0;
  private gradient: Tensor | null = null;
  private needsGrad = false;
  private keepsGrad = false;

  constructor(array: NDArray, options?: { requiresGrad?: boolean }) {
    if (!(array instanceof NDArray)) {
      throw new ArgumentError(
        `Tensor: needs an NDArray, got ${describe(array)}; tensor() takes other values`,
      );
    }
    this.array = array;
    if (options?.requiresGrad !== undefined) this.requiresGrad = options.requiresGrad;
  }

  /** The gradient that `backward()` accumulated, of the same shape and dtype; null before, and after `zeroGrad`. */
  get grad(): Tensor | null {
    recorder()?.noteGradient(this, false);
    return this.gradient;
  }

  set grad(value: Tensor | null) {
    recorder()?.noteGradient(this, true);
    this.gradient = value;
  }

  /** Sizes of the axes. */
  get shape(): Shape {
    return this.array.shape;
  }

  /** Element type. */
  get dtype(): DType {
    return this.array.dtype;
  }

  /** Number of axes. */
  get ndim(): number {
    return this.array.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return this.array.size;
  }

  /** The elements in row-major order; shares memory when the tensor is contiguous. */
  get data(): TypedArray {
    return this.array.data;
  }

  /** Whether no recorded operation made this tensor. */
  get isLeaf(): boolean {
    return this.node === null;
  }

  /** Whether gradients flow to this tensor. Settable on leaves of a floating dtype. */
  get requiresGrad(): boolean {
    return this.needsGrad || this.node !== null;
  }

  set requiresGrad(value: boolean) {
    if (typeof value !== "boolean") {
      throw new ArgumentError(`requiresGrad: must be true or false, got ${String(value)}`);
    }
    if (value && !isFloat(this.dtype)) {
      throw new DTypeError(
        `requiresGrad: only float32 and float64 have gradients, this tensor is ${this.dtype}`,
      );
    }
    if (this.node !== null && !value) {
      throw new GradientError(
        `requiresGrad: this tensor is the result of ${this.node.operation.name}; only leaves can be changed, use detach()`,
      );
    }
    this.needsGrad = value;
  }

  /** Whether `backward()` stores the gradient here: leaves that require it, and after `retainGrad()`. */
  get storesGrad(): boolean {
    return this.keepsGrad || (this.needsGrad && this.node === null);
  }

  /** Makes `backward()` store the gradient of this intermediate result too. GradientError if it has none. */
  retainGrad(): this {
    if (!this.requiresGrad) throw new GradientError("retainGrad: this tensor does not require a gradient");
    this.keepsGrad = true;
    return this;
  }

  /** The same value as a leaf that requires no gradient. Shares memory. */
  detach(): Tensor {
    return new Tensor(this.array);
  }

  /** Forgets the gradient. */
  zeroGrad(): void {
    this.grad = null;
  }

  /**
   * Overwrites the elements in place with those of `source`, which must have the same shape; converts the dtype.
   * GradientError for a tensor whose gradient is being recorded (use `noGrad`).
   */
  assign(source: Tensor | NDArray): this {
    const from = source instanceof Tensor ? source.array : source;
    if (!(from instanceof NDArray)) {
      throw new ArgumentError(`assign: needs a Tensor or NDArray, got ${describe(source)}`);
    }
    if (!sameShape(from.shape, this.shape)) {
      throw new ShapeError(
        `assign: source is ${formatShape(from.shape)}, this tensor is ${formatShape(this.shape)}; they must be equal`,
      );
    }
    if (this.requiresGrad && isGradEnabled()) {
      throw new GradientError("assign: this tensor requires a gradient; overwrite it inside noGrad");
    }
    const { storage, offset, strides, dtype } = this.array;
    if (this.array.isBroadcast) {
      throw new ShapeError(
        `assign: this tensor of shape ${formatShape(this.shape)} is a broadcast view, several of its elements are one ` +
          "in memory; assign to what was broadcast, or to a clone",
      );
    }
    // A source that overlaps its target would be read half overwritten.
    const safe = from.storage.overlaps(storage) ? from.clone() : from;
    copyInto(safe, dtype, storage, offset, strides);
    storage.version++;
    return this;
  }

  /** Nested JavaScript arrays of numbers, booleans (bool) or bigints (int64). */
  toArray(): NestedArray {
    return this.array.toArray();
  }

  /**
   * The only element, of a tensor of size 1. ShapeError for any other size; DTypeError for an int64 that a number
   * cannot hold (`array.item()` gives it as a bigint).
   */
  item(): number {
    const element: Element = this.array.item();
    if (typeof element === "bigint" && !Number.isSafeInteger(Number(element))) {
      throw new DTypeError(`item: ${element} does not fit a number; array.item() gives it as a bigint`);
    }
    return Number(element);
  }

  /** Comparisons and arithmetic of JavaScript take the only element; texts show the tensor. */
  [Symbol.toPrimitive](hint: string): number | string {
    return hint === "string" ? this.toString() : this.item();
  }

  /** Dtype, shape and elements, and what the tensor has to do with gradients. */
  toString(): string {
    const graph = this.node ? `, from ${this.node.operation.name}` : this.needsGrad ? ", requiresGrad" : "";
    return this.array.toString().replace(/^NDArray\(([^)]*)\)/, `Tensor($1${graph})`);
  }

  [inspect](): string {
    return this.toString();
  }
}
