/** Random tensors from the default generator, or from the one in the options. */
import type { Tensor } from "../autograd/tensor.js";
import type { Shape } from "../ndarray/shape.js";
import { type DrawOptions, defaultGenerator, type Generator } from "./generator.js";

export type { DrawOptions, GeneratorState } from "./generator.js";
export { defaultGenerator, Generator, manualSeed } from "./generator.js";

/** Options of random tensors. */
export interface RandomOptions extends DrawOptions {
  generator?: Generator;
  /** Record operations on it. */
  requiresGrad?: boolean;
}

const drawn = (options: RandomOptions, draw: (generator: Generator) => Tensor): Tensor => {
  const result = draw(options.generator ?? defaultGenerator());
  if (options.requiresGrad) result.requiresGrad = true;
  return result;
};

/** Uniform on [0, 1). */
export const rand = (shape: Shape, options: RandomOptions = {}): Tensor =>
  drawn(options, (generator) => generator.uniform(shape, options));

/** Standard normal. */
export const randn = (shape: Shape, options: RandomOptions = {}): Tensor =>
  drawn(options, (generator) => generator.normal(shape, options));

/** Integers (int32) uniform on [low, high). */
export const randint = (
  low: number,
  high: number,
  shape: Shape,
  options: { generator?: Generator } = {},
): Tensor => drawn(options, (generator) => generator.integers(low, high, shape));
