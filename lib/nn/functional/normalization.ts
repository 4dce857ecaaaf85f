/** Layer and batch normalization with PyTorch's arguments. The kernels' canonical shapes are made here. */
import { noGrad } from "../../autograd/mode.js";
import { ShapeError } from "../../errors.js";
import type { DType } from "../../ndarray/dtype.js";
import { checkShape, formatShape, type Shape, sameShape, sizeOf } from "../../ndarray/shape.js";
import { sub } from "../../ops/arithmetic.js";
import { batchNormChannels, layerNormRows } from "../../ops/normalize.js";
import { checkTensor } from "../../ops/operands.js";
import { checkBoolean, checkNumber, NON_NEGATIVE, UNIT_INTERVAL, withDefaults } from "../../options.js";
import { ones, Tensor, zeros } from "../../tensor.js";

/** What both normalizations take. */
interface AffineOptions {
  /** Factor after the normalization; 1 if left out. */
  weight?: Tensor | null;
  /** Summand after the normalization; 0 if left out. */
  bias?: Tensor | null;
  /** Added to the variance, ≥ 0 (default 1e-5). */
  eps?: number;
}

const AFFINE: Required<AffineOptions> = { weight: null, bias: null, eps: 1e-5 };

/** A parameter of the given shape; the fallback if it was left out. */
function parameter(
  operation: string,
  name: string,
  value: Tensor | null,
  shape: Shape,
  fallback: () => Tensor,
): Tensor {
  if (value === null) return fallback();
  if (sameShape(checkTensor(operation, value, name).shape, shape)) return value;
  throw new ShapeError(
    `${operation}: ${name} is ${formatShape(value.shape)}; it must be ${formatShape(shape)}`,
  );
}

/**
 * (x − mean)/√(variance + eps)·weight + bias over the last axes, which must have the shape `normalizedShape`; weight
 * and bias have it too (Ba et al. 2016). ShapeError if they do not fit.
 */
export function layerNorm(x: Tensor, normalizedShape: Shape, options: AffineOptions = {}): Tensor {
  const { weight, bias, eps } = withDefaults("layerNorm", options, AFFINE);
  checkShape("layerNorm", normalizedShape);
  checkNumber("layerNorm", "eps", eps, NON_NEGATIVE);
  const { shape, dtype } = checkTensor("layerNorm", x);
  const lead = shape.length - normalizedShape.length;
  if (normalizedShape.length === 0 || lead < 0 || !sameShape(shape.slice(lead), normalizedShape)) {
    throw new ShapeError(
      `layerNorm: input is ${formatShape(shape)}; its last axes must be ${formatShape(normalizedShape)}`,
    );
  }
  const n = sizeOf(normalizedShape);
  const scale = parameter("layerNorm", "weight", weight, normalizedShape, () =>
    ones(normalizedShape, { dtype }),
  );
  const shift = parameter("layerNorm", "bias", bias, normalizedShape, () =>
    zeros(normalizedShape, { dtype }),
  );
  const rows = x.reshape([sizeOf(shape.slice(0, lead)), n]);
  return layerNormRows(rows, scale.reshape([n]), shift.reshape([n]), eps).reshape(shape);
}

/** Options of `batchNorm`. */
export interface BatchNormOptions extends AffineOptions {
  /** Normalize by the batch and update the running statistics, instead of normalizing by those (default off). */
  training?: boolean;
  /** How much of the batch goes into the running statistics, in [0, 1] (default 0.1); a 0-d tensor is not checked. */
  momentum?: number | Tensor;
}

/** The share of the batch and that of the past in running statistics. */
function shares(momentum: number | Tensor, dtype: DType): readonly [number | Tensor, number | Tensor] {
  if (typeof momentum === "number") return [momentum, 1 - momentum];
  return [momentum.astype(dtype), sub(1, momentum).astype(dtype)];
}

/**
 * (x − mean)/√(variance + eps)·weight + bias for each channel of x [N, C] or [N, C, ...] (Ioffe and Szegedy 2015).
 * When training, or without running statistics, mean and biased variance are the batch's; the running ones [C] then
 * move toward the batch's mean and unbiased variance, in place. ShapeError for a batch of one value per channel.
 */
export function batchNorm(
  x: Tensor,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  options: BatchNormOptions = {},
): Tensor {
  const { weight, bias, eps, training, momentum } = withDefaults<Required<BatchNormOptions>>(
    "batchNorm",
    options,
    {
      ...AFFINE,
      training: false,
      momentum: 0.1,
    },
  );
  checkNumber("batchNorm", "eps", eps, NON_NEGATIVE);
  if (!(momentum instanceof Tensor)) checkNumber("batchNorm", "momentum", momentum, UNIT_INTERVAL);
  checkBoolean("batchNorm", "training", training);
  const { shape, dtype } = checkTensor("batchNorm", x);
  if (shape.length < 2) {
    throw new ShapeError(`batchNorm: input is ${formatShape(shape)}; it must be [N, C] or [N, C, ...]`);
  }
  const [n, c, ...window] = shape;
  const values = n * sizeOf(window);
  const scale = parameter("batchNorm", "weight", weight, [c], () => ones([c], { dtype }));
  const shift = parameter("batchNorm", "bias", bias, [c], () => zeros([c], { dtype }));
  const mean = parameter("batchNorm", "runningMean", runningMean, [c], () => zeros([c], { dtype }));
  const variance = parameter("batchNorm", "runningVar", runningVar, [c], () => ones([c], { dtype }));
  const cube = x.reshape([n, c, sizeOf(window)]);
  if (!training && runningMean !== null && runningVar !== null) {
    const factor = variance.add(eps).rsqrt().mul(scale);
    const column = (parameter: Tensor): Tensor => parameter.reshape([c, 1]);
    return cube.sub(column(mean)).mul(column(factor)).add(column(shift)).reshape(shape);
  }
  if (values < 2) {
    throw new ShapeError(
      `batchNorm: input ${formatShape(shape)} has ${values} value per channel; a batch's variance needs at least two`,
    );
  }
  const batch = batchNormChannels(cube, scale, shift, eps);
  noGrad(() => {
    const [share, rest] = shares(momentum, dtype);
    const move = (running: Tensor, toward: Tensor): void => {
      running.assign(running.mul(rest).add(toward.mul(share)));
    };
    if (runningMean !== null) move(runningMean, batch.mean);
    if (runningVar !== null) move(runningVar, batch.variance.mul(values / (values - 1)));
  });
  return batch.output.reshape(shape);
}
