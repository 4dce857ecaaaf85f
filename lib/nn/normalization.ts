/** Layer and batch normalization as modules. */
import { noGrad } from "../autograd/mode.js";
import { ShapeError } from "../errors.js";
import type { DType } from "../ndarray/dtype.js";
import { checkShape, formatShape, type Shape } from "../ndarray/shape.js";
import {
  checkBoolean,
  checkNumber,
  NON_NEGATIVE,
  POSITIVE_INTEGER,
  UNIT_INTERVAL,
  withDefaults,
} from "../options.js";
import { ones, type Tensor, tensor, zeros } from "../tensor.js";
import { batchNorm, layerNorm } from "./functional/normalization.js";
import { checkInput } from "./input.js";
import { Module } from "./module.js";
import { Parameter } from "./parameter.js";

/** Options of `LayerNorm`. */
export interface LayerNormOptions {
  /** Added to the variance (default 1e-5). */
  eps?: number;
  /** Learn a factor and a summand per element (default true). */
  elementwiseAffine?: boolean;
  /** Learn the summand too (default true). */
  bias?: boolean;
  /** float32 (default) or float64. */
  dtype?: DType;
}

/** Normalizes over the last axes, of the given shape or size, then scales and shifts: `functional.layerNorm`. */
export class LayerNorm extends Module {
  readonly normalizedShape: Shape;
  readonly eps: number;
  /** Initially 1. */
  readonly weight: Parameter | null;
  /** Initially 0. */
  readonly bias: Parameter | null;

  constructor(normalizedShape: number | Shape, options: LayerNormOptions = {}) {
    super();
    const { eps, elementwiseAffine, bias, dtype } = withDefaults<Required<LayerNormOptions>>(
      "LayerNorm",
      options,
      {
        eps: 1e-5,
        elementwiseAffine: true,
        bias: true,
        dtype: "float32",
      },
    );
    const shape = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
    checkShape("LayerNorm", shape);
    this.normalizedShape = [...shape];
    this.eps = checkNumber("LayerNorm", "eps", eps, NON_NEGATIVE);
    const hasWeight = checkBoolean("LayerNorm", "elementwiseAffine", elementwiseAffine);
    const hasBias = checkBoolean("LayerNorm", "bias", bias) && hasWeight;
    this.weight = hasWeight ? new Parameter(ones(shape, { dtype })) : null;
    this.bias = hasBias ? new Parameter(zeros(shape, { dtype })) : null;
  }

  override forward(x: Tensor): Tensor {
    const { weight, bias, eps } = this;
    return layerNorm(checkInput(this, x), this.normalizedShape, { weight, bias, eps });
  }

  override extraRepr(): string {
    return `${formatShape(this.normalizedShape)}, eps=${this.eps}, elementwiseAffine=${this.weight !== null}`;
  }
}

/** Options of `BatchNorm1d`. */
export interface BatchNorm1dOptions {
  /** Added to the variance (default 1e-5). */
  eps?: number;
  /** How much of each batch goes into the running statistics (default 0.1); null takes the mean over all batches. */
  momentum?: number | null;
  /** Learn a factor and a summand per channel (default true). */
  affine?: boolean;
  /** Keep running statistics and evaluate with them (default true), instead of always using the batch's. */
  trackRunningStats?: boolean;
  /** float32 (default) or float64. */
  dtype?: DType;
}

/**
 * Normalizes each channel of [N, C] or [N, C, L] over the batch, then scales and shifts; in evaluation by the running
 * statistics: `functional.batchNorm`. Buffers, named as in PyTorch: running_mean, running_var, num_batches_tracked.
 */
export class BatchNorm1d extends Module {
  readonly numFeatures: number;
  readonly eps: number;
  readonly momentum: number | null;
  readonly trackRunningStats: boolean;
  /** Initially 1. */
  readonly weight: Parameter | null;
  /** Initially 0. */
  readonly bias: Parameter | null;

  constructor(numFeatures: number, options: BatchNorm1dOptions = {}) {
    super();
    const { eps, momentum, affine, trackRunningStats, dtype } = withDefaults<Required<BatchNorm1dOptions>>(
      "BatchNorm1d",
      options,
      { eps: 1e-5, momentum: 0.1, affine: true, trackRunningStats: true, dtype: "float32" },
    );
    const shape = [checkNumber("BatchNorm1d", "numFeatures", numFeatures, POSITIVE_INTEGER)];
    this.numFeatures = numFeatures;
    this.eps = checkNumber("BatchNorm1d", "eps", eps, NON_NEGATIVE);
    this.momentum =
      momentum === null ? null : checkNumber("BatchNorm1d", "momentum", momentum, UNIT_INTERVAL);
    this.trackRunningStats = checkBoolean("BatchNorm1d", "trackRunningStats", trackRunningStats);
    const isAffine = checkBoolean("BatchNorm1d", "affine", affine);
    this.weight = isAffine ? new Parameter(ones(shape, { dtype })) : null;
    this.bias = isAffine ? new Parameter(zeros(shape, { dtype })) : null;
    if (trackRunningStats) {
      this.registerBuffer("running_mean", zeros(shape, { dtype }));
      this.registerBuffer("running_var", ones(shape, { dtype }));
      this.registerBuffer("num_batches_tracked", tensor(0n));
    }
  }

  /** The running mean [C], null where none is kept. */
  get runningMean(): Tensor | null {
    return this.trackRunningStats ? this.getBuffer("running_mean") : null;
  }

  /** The running unbiased variance [C], null where none is kept. */
  get runningVar(): Tensor | null {
    return this.trackRunningStats ? this.getBuffer("running_var") : null;
  }

  override forward(x: Tensor): Tensor {
    const { shape, ndim } = checkInput(this, x);
    if ((ndim !== 2 && ndim !== 3) || shape[1] !== this.numFeatures) {
      throw new ShapeError(
        `BatchNorm1d: input is ${formatShape(shape)}; it must be [N,${this.numFeatures}] or [N,${this.numFeatures},L]`,
      );
    }
    const { weight, bias, eps, runningMean, runningVar, training } = this;
    if (!training || !this.trackRunningStats)
      return batchNorm(x, runningMean, runningVar, { weight, bias, eps, training });
    const counter = this.getBuffer("num_batches_tracked");
    // Through float64, which counts to 2⁵³: nothing is read here, so that a step can be compiled.
    const batches = noGrad(() => counter.astype("float64").add(1));
    const momentum = this.momentum ?? batches.reciprocal();
    const output = batchNorm(x, runningMean, runningVar, { weight, bias, eps, training, momentum });
    noGrad(() => counter.assign(batches));
    return output;
  }

  override extraRepr(): string {
    return (
      `${this.numFeatures}, eps=${this.eps}, momentum=${this.momentum}, affine=${this.weight !== null}, ` +
      `trackRunningStats=${this.trackRunningStats}`
    );
  }
}
