/** Losses that compare two tensors of one shape, element by element. */

import { ShapeError } from "../../errors.js";
import { formatShape } from "../../ndarray/shape.js";
import { sub } from "../../ops/arithmetic.js";
import { checkTensor } from "../../ops/operands.js";
import { where } from "../../ops/select.js";
import { checkNumber, NON_NEGATIVE, POSITIVE, withDefaults } from "../../options.js";
import type { Tensor } from "../../tensor.js";
import { checkReduction, checkSameShape, type ReductionOptions, reduceLoss } from "./reduction.js";

/** Checks what all losses here share. */
function prepare(operation: string, input: Tensor, target: Tensor, options: ReductionOptions) {
  checkSameShape(operation, input, target);
  return checkReduction(operation, options.reduction);
}

/** (input − target)². ShapeError unless the shapes are equal: nothing broadcasts. */
export function mseLoss(input: Tensor, target: Tensor, options: ReductionOptions = {}): Tensor {
  const resolved = withDefaults<ReductionOptions>("mseLoss", options, { reduction: "mean" });
  const reduction = prepare("mseLoss", input, target, resolved);
  return reduceLoss(input.sub(target).square(), reduction);
}

/** |input − target|. ShapeError unless the shapes are equal. */
export function l1Loss(input: Tensor, target: Tensor, options: ReductionOptions = {}): Tensor {
  const resolved = withDefaults<ReductionOptions>("l1Loss", options, { reduction: "mean" });
  const reduction = prepare("l1Loss", input, target, resolved);
  return reduceLoss(input.sub(target).abs(), reduction);
}

/** Options of `huberLoss`. */
export interface HuberLossOptions extends ReductionOptions {
  /** Where the parabola ends, > 0 (default 1). */
  delta?: number;
}

/**
 * ½d² where |d| ≤ delta, else delta·(|d| − ½delta), d = input − target (Huber 1964). ShapeError unless the shapes
 * are equal.
 */
export function huberLoss(input: Tensor, target: Tensor, options: HuberLossOptions = {}): Tensor {
  const resolved = withDefaults<Required<HuberLossOptions>>("huberLoss", options, {
    delta: 1,
    reduction: "mean",
  });
  const delta = checkNumber("huberLoss", "delta", resolved.delta, POSITIVE);
  const reduction = prepare("huberLoss", input, target, resolved);
  return reduceLoss(huber(input.sub(target), delta), reduction);
}

/** With c = d bounded to ±delta both branches are c·(d − ½c). */
function huber(d: Tensor, delta: number): Tensor {
  const bounded = d.clip(-delta, delta);
  return bounded.mul(d.sub(bounded.mul(0.5)));
}

/** Options of `smoothL1Loss`. */
export interface SmoothL1LossOptions extends ReductionOptions {
  /** Where the parabola ends, ≥ 0 (default 1). */
  beta?: number;
}

/** ½d²/beta where |d| < beta, else |d| − ½beta: the Huber loss over beta, and |d| for beta = 0. */
export function smoothL1Loss(input: Tensor, target: Tensor, options: SmoothL1LossOptions = {}): Tensor {
  const resolved = withDefaults<Required<SmoothL1LossOptions>>("smoothL1Loss", options, {
    beta: 1,
    reduction: "mean",
  });
  const beta = checkNumber("smoothL1Loss", "beta", resolved.beta, NON_NEGATIVE);
  const reduction = prepare("smoothL1Loss", input, target, resolved);
  const d = input.sub(target);
  return reduceLoss(beta === 0 ? d.abs() : huber(d, beta).div(beta), reduction);
}

/** Options of `binaryCrossEntropyWithLogits`. */
export interface BinaryCrossEntropyOptions extends ReductionOptions {
  /** A factor on each element's loss, of a shape that broadcasts to the input's. */
  weight?: Tensor | null;
  /** A factor on the loss of positive targets, of a shape that broadcasts to the input's. */
  posWeight?: Tensor | null;
}

/** The options with defaults, checked. */
export function binaryCrossEntropyOptions(
  operation: string,
  options: BinaryCrossEntropyOptions,
): Required<BinaryCrossEntropyOptions> {
  const resolved = withDefaults<Required<BinaryCrossEntropyOptions>>(operation, options, {
    weight: null,
    posWeight: null,
    reduction: "mean",
  });
  checkReduction(operation, resolved.reduction);
  if (resolved.weight !== null) checkTensor(operation, resolved.weight, "weight");
  if (resolved.posWeight !== null) checkTensor(operation, resolved.posWeight, "posWeight");
  return resolved;
}

/**
 * −(p·y·log σ(x) + (1 − y)·log(1 − σ(x))) for logits x, targets y in [0, 1] of the same shape and positive weight p,
 * as (1 − y)·softplus(x) + p·y·softplus(−x): neither it nor its derivative (1 − y)·σ(x) − p·y·σ(−x) overflows or
 * subtracts nearly equal numbers where the label is 0 or 1.
 */
export function binaryCrossEntropyWithLogits(
  input: Tensor,
  target: Tensor,
  options: BinaryCrossEntropyOptions = {},
): Tensor {
  const operation = "binaryCrossEntropyWithLogits";
  const { weight, posWeight, reduction } = binaryCrossEntropyOptions(operation, options);
  checkSameShape(operation, input, target);
  for (const factor of [weight, posWeight]) if (factor !== null) checkBroadcasts(operation, factor, input);
  const positive = surprise(target, input.neg());
  const negative = surprise(sub(1, target), input);
  const losses = negative.add(posWeight === null ? positive : positive.mul(posWeight));
  return reduceLoss(weight === null ? losses : losses.mul(weight), reduction);
}

/** share·softplus(x); 0 for no share, of an infinite surprise too. */
function surprise(share: Tensor, x: Tensor): Tensor {
  const isNone = share.eq(0).logicalAnd(x.eq(Number.POSITIVE_INFINITY));
  return where(isNone, 0, x.softplus().mul(share));
}

/** Throws a ShapeError for a factor that would make the loss larger than the input. */
function checkBroadcasts(operation: string, factor: Tensor, input: Tensor): void {
  const lead = input.ndim - factor.ndim;
  if (lead >= 0 && factor.shape.every((size, axis) => size === 1 || size === input.shape[lead + axis]))
    return;
  throw new ShapeError(
    `${operation}: a weight of shape ${formatShape(factor.shape)} does not broadcast to the input's ` +
      formatShape(input.shape),
  );
}
