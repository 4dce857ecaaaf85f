/** Losses of classifiers: softmax cross-entropy and the negative log-likelihood. */
import { IndexError, ShapeError } from "../../errors.js";
import { type DType, isFloat } from "../../ndarray/dtype.js";
import { formatShape, type Shape, sameShape, sizeOf } from "../../ndarray/shape.js";
import { crossEntropyPerExample } from "../../ops/cross_entropy.js";
import { checkTensor } from "../../ops/operands.js";
import { where } from "../../ops/select.js";
import { checkNumber, INTEGER, UNIT_INTERVAL, withDefaults } from "../../options.js";
import { ones, type Tensor } from "../../tensor.js";
import { checkLabels, isClass, labelsAsInt32 } from "./labels.js";
import { checkReduction, checkSameShape, type ReductionOptions, reduceLoss } from "./reduction.js";

/** Options of `nllLoss`. */
export interface NllLossOptions extends ReductionOptions {
  /** A weight per class, [classes]; the mean is then the weighted mean. */
  weight?: Tensor | null;
  /** Examples with this label count for nothing (default −100). */
  ignoreIndex?: number;
}

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions extends NllLossOptions {
  /** How much of the target is spread evenly over all classes, in [0, 1] (default 0). */
  labelSmoothing?: number;
}

/** The options with defaults, checked. */
export function crossEntropyOptions(
  operation: string,
  options: CrossEntropyOptions,
): Required<CrossEntropyOptions> {
  const resolved = withDefaults<Required<CrossEntropyOptions>>(operation, options, {
    weight: null,
    ignoreIndex: -100,
    reduction: "mean",
    labelSmoothing: 0,
  });
  checkNumber(operation, "labelSmoothing", resolved.labelSmoothing, UNIT_INTERVAL);
  return checkCommon(operation, resolved);
}

/** The same for `nllLoss`. */
export function nllLossOptions(operation: string, options: NllLossOptions): Required<NllLossOptions> {
  return checkCommon(
    operation,
    withDefaults<Required<NllLossOptions>>(operation, options, {
      weight: null,
      ignoreIndex: -100,
      reduction: "mean",
    }),
  );
}

function checkCommon<Options extends Required<NllLossOptions>>(operation: string, options: Options): Options {
  checkNumber(operation, "ignoreIndex", options.ignoreIndex, INTEGER);
  checkReduction(operation, options.reduction);
  if (options.weight !== null) checkTensor(operation, options.weight, "weight");
  return options;
}

/**
 * The cross-entropy between softmax(logits) and the target, with PyTorch's semantics. Logits are [N, C, ...] or [C];
 * the target is integer labels [N, ...] (int32, int64 or uint8), or probabilities of the logits' shape in floating
 * point. The mean over labels divides by the sum of the weights of their classes, over probabilities by their number.
 * Errors: IndexError for a label outside [0, C) other than `ignoreIndex`, DTypeError for labels in floating point,
 * ShapeError, ArgumentError.
 */
export function crossEntropy(logits: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const { weight, ignoreIndex, labelSmoothing, reduction } = crossEntropyOptions("crossEntropy", options);
  const { rows, batch } = asRows("crossEntropy", logits);
  checkTensor("crossEntropy", target, "the target");
  const classes = rows.shape[1];
  const weights = classWeights("crossEntropy", weight, classes, rows.dtype);
  // Floats of the labels' shape are labels of the wrong dtype: probabilities have an axis more.
  if (isFloat(target.dtype) && !sameShape(target.shape, batch)) {
    checkSameShape("crossEntropy", logits, target);
    const given = asRows("crossEntropy", target).rows.astype(rows.dtype);
    const wanted = labelSmoothing === 0 ? given : given.mul(1 - labelSmoothing).add(labelSmoothing / classes);
    const losses = rows.logSoftmax(1).mul(wanted).mul(weights).sum(1).neg();
    return reduceLoss(losses.reshape(batch), reduction);
  }
  checkBatch("crossEntropy", logits, target, batch);
  const labels = labelsAsInt32("crossEntropy", target).reshape([rows.shape[0]]);
  try {
    const { loss, weight: total } = crossEntropyPerExample(rows, labels, weights, {
      labelSmoothing,
      ignoreIndex,
    });
    return reduceLoss(loss.reshape(batch), reduction, total.sum());
  } catch (error) {
    // The kernel has looked at every label already; only the wrong one is searched for again.
    if (error instanceof IndexError) checkLabels("crossEntropy", target, classes, { ignoreIndex });
    throw error;
  }
}

/**
 * −w_y · logProbabilities_y for each example, w the class weights and y the label. Shapes and errors are those of
 * `crossEntropy` with labels, which is this after `logSoftmax`.
 */
export function nllLoss(logProbabilities: Tensor, target: Tensor, options: NllLossOptions = {}): Tensor {
  const { weight, ignoreIndex, reduction } = nllLossOptions("nllLoss", options);
  const { rows, batch } = asRows("nllLoss", logProbabilities);
  const classes = rows.shape[1];
  const weights = classWeights("nllLoss", weight, classes, rows.dtype);
  checkBatch("nllLoss", logProbabilities, checkTensor("nllLoss", target, "the target"), batch);
  const labels = checkLabels("nllLoss", target, classes, { ignoreIndex }).reshape([rows.shape[0]]);
  const counts = isClass(labels, classes).logicalAnd(labels.ne(ignoreIndex).expandDims(-1));
  const losses = where(counts, rows.mul(weights), 0).sum(1).neg();
  return reduceLoss(losses.reshape(batch), reduction, where(counts, weights, 0).sum());
}

/** The input as one row of classes per example or position, and the shape of the losses. */
function asRows(operation: string, input: Tensor): { rows: Tensor; batch: Shape } {
  const { shape, ndim } = checkTensor(operation, input, "the input");
  if (ndim === 0) throw new ShapeError(`${operation}: the input is 0-d; it must be [N, C, ...] or [C]`);
  if (ndim === 1) return { rows: input.expandDims(0), batch: [] };
  if (ndim === 2) return { rows: input, batch: [shape[0]] };
  const [, classes, ...positions] = shape;
  const batch = [shape[0], ...positions];
  const last = input.permute([0, ...positions.map((_, i) => i + 2), 1]);
  return { rows: last.reshape([sizeOf(batch), classes]), batch };
}

function checkBatch(operation: string, input: Tensor, target: Tensor, batch: Shape): void {
  if (sameShape(target.shape, batch)) return;
  throw new ShapeError(
    `${operation}: input is ${formatShape(input.shape)}, labels are ${formatShape(target.shape)}; ` +
      `for this input they must be ${formatShape(batch)}`,
  );
}

function classWeights(operation: string, weight: Tensor | null, classes: number, dtype: DType): Tensor {
  if (weight === null) return ones([classes], { dtype });
  if (weight.ndim === 1 && weight.shape[0] === classes) return weight.astype(dtype);
  throw new ShapeError(
    `${operation}: weight is ${formatShape(weight.shape)}; for ${classes} classes it must be [${classes}]`,
  );
}
