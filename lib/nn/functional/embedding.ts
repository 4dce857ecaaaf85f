/** Rows of a table by index. */
import { IndexError, ShapeError } from "../../errors.js";
import { formatShape } from "../../ndarray/shape.js";
import { checkTensor } from "../../ops/operands.js";
import { where } from "../../ops/select.js";
import { checkNumber, INTEGER, withDefaults } from "../../options.js";
import type { Tensor } from "../../tensor.js";
import { checkLabels } from "./labels.js";

/** Options of `embedding`. */
export interface EmbeddingOptions {
  /** The row that gets no gradient, negative counted from the end; none if left out. */
  paddingIdx?: number | null;
}

/** The row that gets no gradient, counted from the front, or null. IndexError outside the table. */
export function resolvePadding(
  operation: string,
  paddingIdx: number | null | undefined,
  rows: number,
): number | null {
  if (paddingIdx === null || paddingIdx === undefined) return null;
  const index = checkNumber(operation, "paddingIdx", paddingIdx, INTEGER);
  if (index < -rows || index >= rows) {
    throw new IndexError(`${operation}: paddingIdx ${index} is outside [${-rows}, ${rows})`);
  }
  return index < 0 ? index + rows : index;
}

/**
 * The rows of `weight` [num, dim] at integer `indices` [...]: [..., dim]. IndexError for an index outside [0, num).
 */
export function embedding(indices: Tensor, weight: Tensor, options: EmbeddingOptions = {}): Tensor {
  const { shape } = checkTensor("embedding", weight, "the weight");
  if (shape.length !== 2) {
    throw new ShapeError(`embedding: the weight must be [num, dim], got ${formatShape(shape)}`);
  }
  const { paddingIdx } = withDefaults<EmbeddingOptions>("embedding", options, { paddingIdx: null });
  const padding = resolvePadding("embedding", paddingIdx, shape[0]);
  const integers = checkLabels("embedding", indices, shape[0], { noun: "index" });
  const rows = weight.take(integers, 0);
  return padding === null ? rows : where(integers.eq(padding).expandDims(-1), rows.detach(), rows);
}
