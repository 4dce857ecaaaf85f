/** Tensor with every operation whose first argument is a tensor as a method, and the functions that make tensors. */
import { type BackwardOptions, backward } from "./autograd/backward.js";
import { Tensor } from "./autograd/tensor.js";
import * as creation from "./ndarray/creation.js";
import { NDArray } from "./ndarray/ndarray.js";
import * as ops from "./ops/index.js";

/** The operations that are also methods: all but those that take their tensors as a list or a condition first. */
const { concat: _concat, stack: _stack, where: _where, ...operationsOnTensors } = ops;

const methods = { ...operationsOnTensors, backward };

type Methods = {
  [Name in keyof typeof methods]: (typeof methods)[Name] extends (
    x: Tensor,
    ...rest: infer Rest
  ) => infer Result
    ? (...rest: Rest) => Result
    : never;
};

declare module "./autograd/tensor.js" {
  interface Tensor extends Methods {}
}

for (const [name, operation] of Object.entries(methods)) {
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...rest: unknown[]) {
      return (operation as (x: Tensor, ...rest: unknown[]) => unknown)(this, ...rest);
    },
    writable: true,
    configurable: true,
  });
}

/** Options of `tensor`. */
export interface TensorOptions extends creation.ArrayOptions {
  /** Record operations on it, so that `backward()` fills its `grad`. */
  requiresGrad?: boolean;
}

/**
 * A tensor from nested arrays, numbers, a typed array (copied) or an NDArray (shared). Default dtype: float32 for
 * numbers, bool for booleans, int64 for bigints, a typed array's own. ShapeError for ragged nesting, DTypeError for
 * what is not a number.
 */
export function tensor(value: creation.ArrayValue, options: TensorOptions = {}): Tensor {
  const { requiresGrad = false, ...arrayOptions } = options;
  const shared =
    value instanceof NDArray && arrayOptions.dtype === undefined && arrayOptions.shape === undefined;
  return new Tensor(shared ? value : creation.array(value, arrayOptions), { requiresGrad });
}

type CreateOptions = creation.DTypeOptions & { requiresGrad?: boolean };

const wrap = (array: NDArray, options: CreateOptions = {}): Tensor =>
  new Tensor(array, { requiresGrad: options.requiresGrad });

/** A tensor of zeros. */
export const zeros = (shape: readonly number[], options?: CreateOptions): Tensor =>
  wrap(creation.zeros(shape, options), options);
/** A tensor of ones. */
export const ones = (shape: readonly number[], options?: CreateOptions): Tensor =>
  wrap(creation.ones(shape, options), options);
/** A tensor filled with one value. */
export const full = (shape: readonly number[], value: number, options?: CreateOptions): Tensor =>
  wrap(creation.full(shape, value, options), options);
/** The identity matrix. */
export const eye = (rows: number, columns?: number, options?: CreateOptions): Tensor =>
  wrap(creation.eye(rows, columns, options), options);
/** The numbers start, start + step, … below stop. */
export const arange = (start: number, stop: number, step = 1, options?: CreateOptions): Tensor =>
  wrap(creation.arange(start, stop, step, options), options);
/** `count` evenly spaced numbers from start to stop, both included. */
export const linspace = (start: number, stop: number, count?: number, options?: CreateOptions): Tensor =>
  wrap(creation.linspace(start, stop, count, options), options);

export type { BackwardOptions };
export { Tensor };
