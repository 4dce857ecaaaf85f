/** Losses by name. */
import { describe } from "../describe.js";
import { ArgumentError } from "../errors.js";
import * as functional from "../nn/functional/index.js";
import { describeResult } from "../ops/operands.js";
import { Tensor } from "../tensor.js";

/** A loss: the model's output and the target in, a 0-d tensor out. */
export type LossFunction = (output: Tensor, target: Tensor) => Tensor;

/** The losses that can be asked for by name, each with its default options. */
export const LOSSES = {
  crossEntropy: (output, target) => functional.crossEntropy(output, target),
  nllLoss: (output, target) => functional.nllLoss(output, target),
  mseLoss: (output, target) => functional.mseLoss(output, target),
  l1Loss: (output, target) => functional.l1Loss(output, target),
  huberLoss: (output, target) => functional.huberLoss(output, target),
  smoothL1Loss: (output, target) => functional.smoothL1Loss(output, target),
  binaryCrossEntropyWithLogits: (output, target) => functional.binaryCrossEntropyWithLogits(output, target),
} as const satisfies Record<string, LossFunction>;

export type LossName = keyof typeof LOSSES;

/** The function of a name, or the function itself. ArgumentError for anything else. */
export function lossFunction(owner: string, loss: unknown): LossFunction {
  if (typeof loss === "function") return (output, target) => checkLoss(owner, loss(output, target));
  if (typeof loss === "string" && Object.hasOwn(LOSSES, loss)) return LOSSES[loss as LossName];
  const got = typeof loss === "string" ? `"${loss}"` : describe(loss);
  throw new ArgumentError(
    `${owner}: loss must be a function (output, target) => Tensor or one of ${Object.keys(LOSSES).join(", ")}, got ${got}`,
  );
}

function checkLoss(owner: string, value: unknown): Tensor {
  if (value instanceof Tensor && value.size === 1) return value;
  throw new ArgumentError(`${owner}: loss must return a Tensor of one element, got ${describeResult(value)}`);
}
