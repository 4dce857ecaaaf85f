/** Tensor with every operation whose first argument is a tensor as a method, and the functions that make tensors. */
import { backward } from "./autograd/backward.js";
import { Tensor } from "./autograd/tensor.js";
import * as creation from "./ndarray/creation.js";
import { NDArray } from "./ndarray/ndarray.js";
import * as ops from "./ops/index.js";
import { checkTensor } from "./ops/operands.js";
import { withDefaults } from "./options.js";

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
  const known: TensorOptions = { dtype: undefined, shape: undefined, requiresGrad: false };
  const { requiresGrad, dtype, shape } = withDefaults("tensor", options, known);
  const shared = value instanceof NDArray && dtype === undefined && shape === undefined;
  return new Tensor(shared ? value : creation.array(value, { dtype, shape }), { requiresGrad });
}

/** Options of the functions that make tensors. */
export interface CreateOptions extends creation.DTypeOptions {
  /** Record operations on it, so that `backward()` fills its `grad`. */
  requiresGrad?: boolean;
}

function create(
  operation: string,
  options: CreateOptions | undefined,
  make: (options: creation.DTypeOptions) => NDArray,
): Tensor {
  const known: CreateOptions = { dtype: undefined, requiresGrad: false };
  const { dtype, requiresGrad } = withDefaults(operation, options === undefined ? {} : options, known);
  return new Tensor(make({ dtype }), { requiresGrad });
}

/** A tensor of zeros. */
export const zeros = (shape: readonly number[], options?: CreateOptions): Tensor =>
  create("zeros", options, (o) => creation.zeros(shape, o));
/** A tensor of ones. */
export const ones = (shape: readonly number[], options?: CreateOptions): Tensor =>
  create("ones", options, (o) => creation.ones(shape, o));
/** A tensor filled with one value. */
export const full = (shape: readonly number[], value: number, options?: CreateOptions): Tensor =>
  create("full", options, (o) => creation.full(shape, value, o));
/** Zeros of the shape and dtype of a tensor. */
export const zerosLike = (x: Tensor): Tensor => zeros(checkTensor("zerosLike", x).shape, { dtype: x.dtype });
/** Ones of the shape and dtype of a tensor. */
export const onesLike = (x: Tensor): Tensor => ones(checkTensor("onesLike", x).shape, { dtype: x.dtype });
/** The identity matrix. */
export const eye = (rows: number, columns?: number, options?: CreateOptions): Tensor =>
  create("eye", options, (o) => creation.eye(rows, columns, o));

/** The numbers start, start + step, … up to but not including stop; `arange(stop)` starts at 0. */
export function arange(stop: number, options?: CreateOptions): Tensor;
export function arange(start: number, stop: number, options?: CreateOptions): Tensor;
export function arange(start: number, stop: number, step: number, options?: CreateOptions): Tensor;
export function arange(...args: (number | CreateOptions | undefined)[]): Tensor {
  const options = typeof args.at(-1) === "object" ? (args.pop() as CreateOptions) : undefined;
  const numbers = args as [start: number, stop: number, step: number];
  return create("arange", options, (o) => creation.arange(...numbers, o));
}

/** `count` evenly spaced numbers from start to stop, both included. */
export const linspace = (start: number, stop: number, count?: number, options?: CreateOptions): Tensor =>
  create("linspace", options, (o) => creation.linspace(start, stop, count, o));

export { Tensor };
