/** Integer labels: checks, and one-hot vectors. */
import { DTypeError, IndexError } from "../../errors.js";
import { arange } from "../../ndarray/creation.js";
import type { DType } from "../../ndarray/dtype.js";
import { checkTensor } from "../../ops/operands.js";
import { where } from "../../ops/select.js";
import { checkNumber, POSITIVE_INTEGER, withDefaults } from "../../options.js";
import { recorder } from "../../runtime/recorder.js";
import { Tensor, zeros } from "../../tensor.js";

/** What messages call the integers. */
const PLURAL = { label: "labels", index: "indices" };
type Noun = keyof typeof PLURAL;

/** Throws an IndexError that names the first label for which `holds` is false. */
function checkEach(
  operation: string,
  noun: Noun,
  labels: Tensor,
  range: string,
  holds: (label: number) => boolean,
): void {
  labels.data.forEach((value: number | bigint, position: number) => {
    if (holds(Number(value))) return;
    throw new IndexError(`${operation}: ${noun} ${value} at position ${position} is outside ${range}`);
  });
}

/** The labels as int32. DTypeError unless they are integers, IndexError if int32 does not hold one. */
export function labelsAsInt32(operation: string, labels: Tensor, noun: Noun = "label"): Tensor {
  checkTensor(operation, labels, `the ${PLURAL[noun]}`);
  // A trace cannot look at labels. By way of float64 what int32 does not hold becomes its largest, which no class has.
  if (labels.dtype === "int64" && recorder()) return labels.astype("float64").astype("int32");
  if (labels.dtype === "int64") {
    checkEach(operation, noun, labels, "the range of int32", (label) => label === (label | 0));
  } else if (labels.dtype !== "int32" && labels.dtype !== "uint8") {
    const all = PLURAL[noun];
    throw new DTypeError(
      `${operation}: ${all} must be int32 (or uint8 or int64), got ${labels.dtype}; ` +
        `make them with tensor(${all}, { dtype: "int32" })`,
    );
  }
  return labels.astype("int32");
}

/** The labels as int32, each in [0, classes) or equal to `ignoreIndex`; IndexError that names the first one not. */
export function checkLabels(
  operation: string,
  labels: Tensor,
  classes: number,
  options: { ignoreIndex?: number; noun?: Noun } = {},
): Tensor {
  const { ignoreIndex, noun = "label" } = options;
  const result = labelsAsInt32(operation, labels, noun);
  const holds = (label: number): boolean => (label >= 0 && label < classes) || label === ignoreIndex;
  if (recorder()) checkInKernel(result, classes, ignoreIndex);
  else checkEach(operation, noun, result, `[0, ${classes})`, holds);
  return result;
}

/** The check that a trace can hold: looking labels up in a table of that many rows, which fails at a bad one. */
function checkInKernel(labels: Tensor, classes: number, ignoreIndex: number | undefined): void {
  const looked = ignoreIndex === undefined ? labels : where(labels.eq(ignoreIndex), 0, labels);
  // A negative label must not count from the end.
  zeros([classes], { dtype: "uint8" }).take(where(looked.lt(0), classes, looked));
}

/** Whether each label [...] (int32) is each of the classes: bool [..., classes]. */
export function isClass(labels: Tensor, classes: number): Tensor {
  return labels.expandDims(-1).eq(new Tensor(arange(classes, { dtype: "int32" })));
}

/** Options of `oneHot`. */
export interface OneHotOptions {
  /** The number of classes; by default as many as the largest label needs. */
  numClasses?: number;
  /** Element type of the result (default int32). */
  dtype?: DType;
}

/** One-hot vectors [..., classes] of integer labels [...]. IndexError for a label outside the classes. */
export function oneHot(labels: Tensor, options: OneHotOptions = {}): Tensor {
  const integers = labelsAsInt32("oneHot", labels);
  const { numClasses, dtype = "int32" } = withDefaults<OneHotOptions>("oneHot", options, {
    numClasses: undefined,
    dtype: "int32",
  });
  const classes =
    numClasses === undefined
      ? (integers.data as Int32Array).reduce((count, label) => Math.max(count, label + 1), 0)
      : checkNumber("oneHot", "numClasses", numClasses, POSITIVE_INTEGER);
  return isClass(checkLabels("oneHot", integers, classes), classes).astype(dtype);
}
