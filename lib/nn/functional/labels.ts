/** Integer labels: checks, and one-hot vectors. */
import { DTypeError, IndexError } from "../../errors.js";
import { arange } from "../../ndarray/creation.js";
import type { DType } from "../../ndarray/dtype.js";
import { checkTensor } from "../../ops/operands.js";
import { Tensor } from "../../tensor.js";
import { checkNumber, POSITIVE_INTEGER, withDefaults } from "../options.js";

/** The labels as int32. DTypeError unless they are integers; IndexError that names the first one out of range. */
export function checkLabels(operation: string, labels: Tensor, classes: number, ignoreIndex?: number): Tensor {
  checkTensor(operation, labels, "the labels");
  if (!["int32", "int64", "uint8"].includes(labels.dtype)) {
    throw new DTypeError(`${operation}: labels must be int32, int64 or uint8, got ${labels.dtype}`);
  }
  labels.data.forEach((value: number | bigint, position: number) => {
    const label = Number(value);
    if ((label >= 0 && label < classes) || label === ignoreIndex) return;
    throw new IndexError(`${operation}: label ${label} at position ${position} is outside [0, ${classes})`);
  });
  return labels.astype("int32");
}

/** Whether each label [...] is each of the classes: bool [..., classes]. Labels are int32. */
export function isClass(labels: Tensor, classes: number): Tensor {
  return labels.expandDims(-1).eq(new Tensor(arange(classes, { dtype: "int32" })));
}

/**
 * One-hot vectors [..., classes] of integer labels [...], int32 unless `dtype` is given. Without `numClasses` there
 * are as many classes as the largest label needs. IndexError for a label outside them.
 */
export function oneHot(labels: Tensor, options: { numClasses?: number; dtype?: DType } = {}): Tensor {
  checkTensor("oneHot", labels, "the labels");
  const { numClasses, dtype } = withDefaults("oneHot", options, { numClasses: undefined, dtype: "int32" });
  const classes =
    numClasses === undefined ? largest(labels) + 1 : checkNumber("oneHot", "numClasses", numClasses, POSITIVE_INTEGER);
  return isClass(checkLabels("oneHot", labels, classes), classes).astype(dtype ?? "int32");
}

function largest(labels: Tensor): number {
  let result = 0;
  labels.data.forEach((value: number | bigint) => {
    if (value > result) result = Number(value);
  });
  return result;
}
