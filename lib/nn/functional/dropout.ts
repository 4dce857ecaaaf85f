/** Dropout. */
import { checkTensor } from "../../ops/operands.js";
import { checkBoolean, checkNumber, UNIT_INTERVAL, withDefaults } from "../../options.js";
import { checkGenerator, type Generator } from "../../random/generator.js";
import type { Tensor } from "../../tensor.js";

/** Options of `dropout`. */
export interface DropoutOptions {
  /** Probability of 0, in [0, 1] (default 0.5). */
  p?: number;
  /** Off leaves x as it is (default on). */
  training?: boolean;
  /** The default generator if left out. */
  generator?: Generator;
}

/** Each element becomes 0 with probability p and is divided by 1 − p otherwise (Srivastava et al. 2014). */
export function dropout(x: Tensor, options: DropoutOptions = {}): Tensor {
  const { p, training, generator } = withDefaults<DropoutOptions>("dropout", options, {
    p: 0.5,
    training: true,
    generator: undefined,
  });
  const { shape, dtype } = checkTensor("dropout", x);
  const probability = checkNumber("dropout", "p", p, UNIT_INTERVAL);
  const source = checkGenerator("dropout", generator);
  if (!checkBoolean("dropout", "training", training) || probability === 0) return x;
  return x.mul(probability === 1 ? 0 : source.dropoutMask(shape, probability, { dtype }));
}
