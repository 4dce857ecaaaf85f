/** Initial values in place: the shared last step, and the rules that do not look at the shape. */
import { noGrad } from "../autograd/mode.js";
import { ShapeError } from "../errors.js";
import { eye as identity } from "../ndarray/creation.js";
import type { NDArray } from "../ndarray/ndarray.js";
import { formatShape } from "../ndarray/shape.js";
import { checkTensor, scalarTensor } from "../ops/operands.js";
import { checkNumber, FINITE, withDefaults } from "../options.js";
import { checkGenerator, type Generator } from "../random/generator.js";
import type { Tensor } from "../tensor.js";

/** Options of everything random. */
export interface RandomInit {
  /** The default generator if left out. */
  generator?: Generator;
}

/** What `RandomInit` is where it is left out. */
export const RANDOM_INIT: RandomInit = { generator: undefined };

/** Overwrites a tensor without recording it. */
export function overwrite<T extends Tensor>(x: T, values: Tensor | NDArray): T {
  noGrad(() => x.assign(values));
  return x;
}

/** Overwrites x with numbers uniform on [low, high); by default [0, 1). */
export function uniform<T extends Tensor>(
  x: T,
  options: RandomInit & { low?: number; high?: number } = {},
): T {
  const { shape, dtype } = checkTensor("uniform", x);
  const { generator, low, high } = withDefaults("uniform", options, { ...RANDOM_INIT, low: 0, high: 1 });
  return overwrite(x, checkGenerator("uniform", generator).uniform(shape, { low, high, dtype }));
}

/** Overwrites x with normally distributed numbers; by default of mean 0 and standard deviation 1. */
export function normal<T extends Tensor>(
  x: T,
  options: RandomInit & { mean?: number; std?: number } = {},
): T {
  const { shape, dtype } = checkTensor("normal", x);
  const { generator, mean, std } = withDefaults("normal", options, { ...RANDOM_INIT, mean: 0, std: 1 });
  return overwrite(x, checkGenerator("normal", generator).normal(shape, { mean, std, dtype }));
}

/** Overwrites x with one value. */
export function constant<T extends Tensor>(x: T, value: number): T {
  const { dtype } = checkTensor("constant", x);
  return overwrite(
    x,
    scalarTensor(checkNumber("constant", "the value", value, FINITE), dtype).broadcastTo(x.shape),
  );
}

/** Overwrites x with zeros. */
export const zeros = <T extends Tensor>(x: T): T => constant(x, 0);

/** Overwrites x with ones. */
export const ones = <T extends Tensor>(x: T): T => constant(x, 1);

/** Overwrites the matrix x with ones on the main diagonal and zeros elsewhere. ShapeError unless it has two axes. */
export function eye<T extends Tensor>(x: T): T {
  const { shape, dtype } = checkTensor("eye", x);
  if (shape.length !== 2) throw new ShapeError(`eye: needs a matrix, got shape ${formatShape(shape)}`);
  return overwrite(x, identity(shape[0], shape[1], { dtype }));
}
