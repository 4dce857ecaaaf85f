/** Random tensors from the default generator, or from the one in the options. */
import type { Tensor } from "../autograd/tensor.js";
import type { Shape } from "../ndarray/shape.js";
import { checkBoolean, withDefaults } from "../options.js";
import { checkGenerator, type DrawOptions, type Generator } from "./generator.js";

export type { DrawOptions, GeneratorOptions } from "./generator.js";
export { defaultGenerator, Generator, manualSeed } from "./generator.js";
export type { Algorithm, GeneratorState } from "./source.js";

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

/**
 * Integers uniform on [low, high), int32 (default) or int64. ArgumentError for an unknown option or integers that the
 * dtype does not hold.
 */
export function randint(
  low: number | bigint,
  high: number | bigint,
  shape: Shape,
  options: { generator?: Generator; dtype?: "int32" | "int64" } = {},
): Tensor {
  const { generator, dtype } = withDefaults<typeof options>("randint", options, {
    dtype: "int32",
    generator: undefined,
  });
  return checkGenerator("randint", generator).integers(low, high, shape, { dtype });
}
