/** The last step of every loss, and the checks that losses share. */
import { ShapeError } from "../../errors.js";
import { formatShape, sameShape } from "../../ndarray/shape.js";
import { checkTensor } from "../../ops/operands.js";
import { checkChoice } from "../../options.js";
import type { Tensor } from "../../tensor.js";

/** What becomes of the losses of all examples or elements. */
export type Reduction = "none" | "mean" | "sum";

const REDUCTIONS: readonly Reduction[] = ["mean", "sum", "none"];

/** An option of every loss. */
export interface ReductionOptions {
  /** "mean" (default), "sum", or "none" to keep them apart. */
  reduction?: Reduction;
}

/** The reduction asked for. ArgumentError for another string. */
export const checkReduction = (operation: string, reduction: unknown): Reduction =>
  checkChoice(operation, "reduction", reduction, REDUCTIONS);

/** Reduces losses; the mean divides by `total` where it is given, else by their number. */
export function reduceLoss(losses: Tensor, reduction: Reduction, total?: Tensor | number): Tensor {
  if (reduction === "none") return losses;
  if (reduction === "sum") return losses.sum();
  return total === undefined ? losses.mean() : losses.sum().div(total);
}

/** Throws a ShapeError unless both tensors have one shape: losses never broadcast. */
export function checkSameShape(operation: string, input: Tensor, target: Tensor): void {
  checkTensor(operation, input, "the input");
  checkTensor(operation, target, "the target");
  if (sameShape(input.shape, target.shape)) return;
  throw new ShapeError(
    `${operation}: input is ${formatShape(input.shape)}, target is ${formatShape(target.shape)}; they must be equal`,
  );
}
