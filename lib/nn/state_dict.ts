/** Loading a state dict into tensors by name: everything is checked before anything is written. */
import { noGrad } from "../autograd/mode.js";
import { describe } from "../describe.js";
import { ArgumentError, StateError } from "../errors.js";
import { type DType, isFloat } from "../ndarray/dtype.js";
import { NDArray } from "../ndarray/ndarray.js";
import { formatShape, sameShape } from "../ndarray/shape.js";
import { checkBoolean, withDefaults } from "../options.js";
import { Tensor } from "../tensor.js";

/** Tensors by name. */
export type StateDict = Readonly<Record<string, Tensor | NDArray>>;

/** Options of `loadStateDict`. */
export interface LoadOptions {
  /** Missing and unexpected names are errors (default), instead of being returned. */
  strict?: boolean;
}

/** The names that were not in both. */
export interface LoadResult {
  missing: string[];
  unexpected: string[];
}

/** Why a tensor cannot take the values of another, or undefined if it can. */
export function misfit(target: Tensor, source: unknown): string | undefined {
  if (!(source instanceof Tensor || source instanceof NDArray)) return `is ${describe(source)}, not a Tensor`;
  if (!sameShape(source.shape, target.shape)) {
    return `has shape ${formatShape(source.shape)}, ${formatShape(target.shape)} is needed`;
  }
  return convertible(source.dtype, target.dtype)
    ? undefined
    : `is ${source.dtype}, ${target.dtype} is needed`;
}

const convertible = (from: DType, to: DType): boolean => from === to || (isFloat(from) && isFloat(to));

/** Copies `source` into `targets` in place. One StateError lists all that does not fit; then nothing has changed. */
export function loadTensors(
  operation: string,
  targets: Readonly<Record<string, Tensor>>,
  source: StateDict,
  options: LoadOptions,
): LoadResult {
  const strict = checkBoolean(operation, "strict", withDefaults(operation, options, { strict: true }).strict);
  if (typeof source !== "object" || source === null || source instanceof Map) {
    throw new ArgumentError(`${operation}: the state dict must be a plain object, got ${describe(source)}`);
  }
  const missing = Object.keys(targets).filter((name) => !Object.hasOwn(source, name));
  const unexpected = Object.keys(source).filter((name) => !Object.hasOwn(targets, name));
  const common = Object.keys(targets).filter((name) => Object.hasOwn(source, name));
  const problems: string[] = [];
  if (strict && missing.length > 0) problems.push(`missing: ${missing.join(", ")}`);
  if (strict && unexpected.length > 0) problems.push(`unexpected: ${unexpected.join(", ")}`);
  for (const name of common) {
    const reason = misfit(targets[name], source[name]);
    if (reason !== undefined) problems.push(`${name} ${reason}`);
  }
  if (problems.length > 0) {
    throw new StateError(
      `${operation}: the state dict does not fit, nothing was loaded: ${problems.join("; ")}`,
    );
  }
  const arrays = common.map((name) => ownValues(source[name], targets));
  noGrad(() => {
    common.forEach((name, i) => {
      targets[name].assign(arrays[i]);
    });
  });
  return { missing, unexpected };
}

/** The values; a copy if they lie in memory that is about to be overwritten under another name. */
function ownValues(source: Tensor | NDArray, targets: Readonly<Record<string, Tensor>>): NDArray {
  const array = source instanceof Tensor ? source.array : source;
  const overlaps = Object.values(targets).some((target) => target.array.storage === array.storage);
  return overlaps ? array.clone() : array;
}
