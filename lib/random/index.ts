/** Random tensors from the default generator, or from the one in the options. */
import type { Tensor } from "../autograd/tensor.js";
import type { Shape } from "../ndarray/shape.js";
import { checkBoolean, withDefaults } from "../options.js";
import { checkGenerator, type DrawOptions, type Generator } from "./generator.js";

export type { DrawOptions, GeneratorState } from "./generator.js";
export { defaultGenerator, Generator, manualSeed } from "./generator.js";

/** Options of random tensors. */
export interface RandomOptions extends DrawOptions {
  generator?: Generator;
  /** Record operations on it. */
  requiresGrad?: boolean;
}

const RANDOM: RandomOptions = { dtype: "float32", generator: undefined, requiresGrad: false };

function drawn(
  operation: string,
  options: RandomOptions,
  draw: (generator: Generator, options: DrawOptions) => Tensor,
): Tensor {
  const { generator, requiresGrad, dtype } = withDefaults<RandomOptions>(operation, options, RANDOM);
  checkBoolean(operation, "requiresGrad", requiresGrad);
  const result = draw(checkGenerator(operation, generator), { dtype });
  if (requiresGrad) result.requiresGrad = true;
  return result;
}

/** Uniform on [0, 1). ArgumentError for an unknown option. */
export const rand = (shape: Shape, options: RandomOptions = {}): Tensor =>
  drawn("rand", options, (generator, draw) => generator.uniform(shape, draw));

/** Standard normal. ArgumentError for an unknown option. */
export const randn = (shape: Shape, options: RandomOptions = {}): Tensor =>
  drawn("randn", options, (generator, draw) => generator.normal(shape, draw));

/** Integers (int32) uniform on [low, high). ArgumentError for an unknown option. */
export function randint(
  low: number,
  high: number,
  shape: Shape,
  options: { generator?: Generator } = {},
): Tensor {
  const { generator } = withDefaults<{ generator?: Generator }>("randint", options, { generator: undefined });
  return checkGenerator("randint", generator).integers(low, high, shape);
}
