/** The fully connected layer. */
import { ShapeError } from "../errors.js";
import * as init from "../init/index.js";
import type { DType } from "../ndarray/dtype.js";
import { formatShape } from "../ndarray/shape.js";
import { checkBoolean, checkNumber, POSITIVE_INTEGER, withDefaults } from "../options.js";
import { checkGenerator, type Generator } from "../random/generator.js";
import { type Tensor, zeros } from "../tensor.js";
import { linear } from "./functional/linear.js";
import { checkInput } from "./input.js";
import { Module } from "./module.js";
import { Parameter } from "./parameter.js";

/** Options of `Linear`. */
export interface LinearOptions {
  /** Add a bias (default true). */
  bias?: boolean;
  /** float32 (default) or float64. */
  dtype?: DType;
  /** Where the initial values come from; the default generator if left out. */
  generator?: Generator;
}

/**
 * Z W + 1bᵀ for examples in rows, Z [..., inFeatures]. `weight` holds Wᵀ, [outFeatures, inFeatures], so that
 * PyTorch's state dicts load as they are; the bias is broadcast, 1bᵀ is never formed. Initially both are uniform on
 * ±1/√inFeatures, as PyTorch's (its kaimingUniform with a = √5).
 */
export class Linear extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** Wᵀ, [outFeatures, inFeatures]. */
  readonly weight: Parameter;
  /** b, [outFeatures], or null. */
  readonly bias: Parameter | null;

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    super();
    const { bias, dtype, generator } = withDefaults("Linear", options, {
      bias: true,
      dtype: "float32" as DType,
      generator: undefined,
    } as LinearOptions);
    this.inFeatures = checkNumber("Linear", "inFeatures", inFeatures, POSITIVE_INTEGER);
    this.outFeatures = checkNumber("Linear", "outFeatures", outFeatures, POSITIVE_INTEGER);
    const hasBias = checkBoolean("Linear", "bias", bias);
    this.weight = new Parameter(zeros([outFeatures, inFeatures], { dtype }));
    this.bias = hasBias ? new Parameter(zeros([outFeatures], { dtype })) : null;
    this.resetParameters(checkGenerator("Linear", generator));
  }

  /** Draws weight and bias anew. */
  resetParameters(generator?: Generator): void {
    const bound = 1 / Math.sqrt(this.inFeatures);
    init.kaimingUniform(this.weight, { a: Math.sqrt(5), generator });
    if (this.bias !== null) init.uniform(this.bias, { low: -bound, high: bound, generator });
  }

  override forward(x: Tensor): Tensor {
    checkInput(this, x);
    if (x.shape.at(-1) !== this.inFeatures) {
      throw new ShapeError(
        x.ndim === 0
          ? `Linear: input is 0-d, the layer needs ${this.inFeatures} features in its last axis`
          : `Linear: input has ${x.shape.at(-1)} features in its last axis (shape ${formatShape(x.shape)}), ` +
              `the layer needs ${this.inFeatures}`,
      );
    }
    return linear(x, this.weight, this.bias);
  }

  override extraRepr(): string {
    return `inFeatures=${this.inFeatures}, outFeatures=${this.outFeatures}, bias=${this.bias !== null}`;
  }
}
