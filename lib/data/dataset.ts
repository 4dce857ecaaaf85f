/**
 * Datasets: what can be asked for the samples at given positions, a whole batch at once. Order and batches
 * are the loader's business (data_loader.ts).
 */
import { Tensor } from "../autograd/tensor.js";
import { describe } from "../describe.js";
import { ArgumentError, IndexError, ShapeError } from "../errors.js";
import { fromTypedArray } from "../ndarray/creation.js";
import type { NDArray } from "../ndarray/ndarray.js";
import { formatShape } from "../ndarray/shape.js";
import { checkTensor } from "../ops/operands.js";
import { listOf, withDefaults } from "../options.js";
import { checkGenerator, type Generator } from "../random/generator.js";

/** Positions are int32. */
const END_OF_POSITIONS = 2 ** 31;

/**
 * A set of samples with positions 0 … length − 1, each made of one or more tensors (for example input and
 * label). A dataset of your own gives `length` and `batch`.
 */
export abstract class Dataset<Sample extends Tensor[] = Tensor[]> {
  /** Number of samples. */
  abstract readonly length: number;

  /**
   * The samples at `indices`, stacked along a new first axis. IndexError for a position outside [0, length).
   */
  abstract batch(indices: Int32Array): Sample;

  /**
   * The same in operations on tensors, for positions (int32) that are not known yet: with it `step.epoch` of a compiled
   * step gathers batches inside its program. Positions are in range.
   */
  batchAt?(indices: Tensor): Sample;

  /** The sample at position `index`, without a batch axis. IndexError outside [0, length). */
  get(index: number): Sample {
    checkPositions("get", [index], this.length);
    return this.batch(Int32Array.of(index)).map((part) => new Tensor(part.array.slice(0))) as Sample;
  }
}

/** The rows of one or more tensors: sample i is row i of each. */
export class TensorDataset<Sample extends Tensor[]> extends Dataset<Sample> {
  readonly tensors: Sample;
  readonly length: number;

  /** ArgumentError for what is no tensor, ShapeError unless all have the same size on axis 0. */
  constructor(...tensors: Sample) {
    super();
    if (tensors.length === 0) throw new ArgumentError("TensorDataset: needs at least one tensor, got none");
    tensors.forEach((tensor, i) => {
      checkTensor("TensorDataset", tensor, `tensor ${i}`);
    });
    for (const [i, { shape }] of tensors.entries()) {
      if (shape.length === 0 || shape[0] !== tensors[0].shape[0]) {
        const got = tensors.map((tensor) => formatShape(tensor.shape)).join(", ");
        const problem =
          shape.length === 0 ? "has no axis 0" : `has ${shape[0]} rows, not ${tensors[0].shape[0]}`;
        throw new ShapeError(
          `TensorDataset: tensor ${i} ${problem}: shapes are ${got}; all must have the same size on axis 0`,
        );
      }
    }
    this.tensors = tensors;
    this.length = tensors[0].shape[0];
  }

  override batch(indices: Int32Array): Sample {
    checkPositions("TensorDataset", indices, this.length);
    return this.tensors.map((tensor) => new Tensor(takeRows(tensor.array, indices))) as Sample;
  }

  override batchAt(indices: Tensor): Sample {
    return this.tensors.map((tensor) => new Tensor(tensor.array.take(indices.array))) as Sample;
  }
}

/** Some samples of another dataset: sample i is its sample `indices[i]`. */
export class Subset<Sample extends Tensor[]> extends Dataset<Sample> {
  readonly dataset: Dataset<Sample>;
  readonly indices: Int32Array;

  /** IndexError for a position outside the dataset. The indices are copied. */
  constructor(dataset: Dataset<Sample>, indices: Int32Array | readonly number[]) {
    super();
    checkDataset("Subset", dataset);
    checkPositions("Subset", indices, dataset.length);
    this.dataset = dataset;
    this.indices = Int32Array.from(indices);
    const own = fromTypedArray(this.indices, [this.indices.length]);
    // Only where the whole can be asked so.
    if (typeof dataset.batchAt === "function") {
      this.batchAt = (at) => (dataset.batchAt as (at: Tensor) => Sample)(new Tensor(own.take(at.array)));
    }
  }

  get length(): number {
    return this.indices.length;
  }

  override batch(indices: Int32Array): Sample {
    checkPositions("Subset", indices, this.length);
    return this.dataset.batch(indices.map((index) => this.indices[index]));
  }

  override readonly batchAt?: (indices: Tensor) => Sample;
}

/**
 * Cuts a dataset at random into disjoint parts that together are all of it.
 *
 * @param parts the lengths of the parts, which add up to the dataset's; or fractions that add up to 1: each
 *   part gets the whole number below its share, and the first parts one sample more until none is left
 * @param options.generator draws the order; the default generator unless given
 * @throws ArgumentError if the parts do not add up
 */
export function randomSplit<Sample extends Tensor[]>(
  dataset: Dataset<Sample>,
  parts: readonly number[],
  options: { generator?: Generator } = {},
): Subset<Sample>[] {
  checkDataset("randomSplit", dataset);
  const { generator } = withDefaults<{ generator?: Generator }>("randomSplit", options, {
    generator: undefined,
  });
  const lengths = partLengths(listOf("randomSplit", "parts", parts, "numbers"), dataset.length);
  const order = checkGenerator("randomSplit", generator).permutation(dataset.length);
  let start = 0;
  return lengths.map((length) => {
    const indices = order.subarray(start, start + length);
    start += length;
    return new Subset(dataset, indices);
  });
}

// Fractions such as 0.7 + 0.2 + 0.1 miss 1 by a few roundings.
const FRACTION_SLACK = 1e-9;

function partLengths(parts: readonly number[], total: number): number[] {
  const sum = parts.reduce((a, b) => a + b, 0);
  const nonNegative = parts.length > 0 && parts.every((part) => part >= 0);
  if (nonNegative && parts.every(Number.isInteger) && sum === total) return [...parts];
  if (!nonNegative || Math.abs(sum - 1) > FRACTION_SLACK) {
    throw new ArgumentError(
      `randomSplit: parts [${parts}] add up to ${sum}; needs non-negative lengths that add up to ${total}, ` +
        "the dataset's length, or fractions that add up to 1",
    );
  }
  const lengths = parts.map((fraction) => Math.floor(fraction * total));
  const rest = total - lengths.reduce((a, b) => a + b, 0);
  return lengths.map(
    (length, i) => length + Math.floor(rest / parts.length) + (i < rest % parts.length ? 1 : 0),
  );
}

/** Rows of an array, in the order of `indices`. */
export function takeRows(array: NDArray, indices: Int32Array): NDArray {
  return array.take(fromTypedArray(indices, [indices.length]));
}

/** Throws an ArgumentError unless the value is a dataset: an object with `length` and `batch`. */
export function checkDataset(owner: string, dataset: unknown): void {
  const { length, batch } = (dataset ?? {}) as Partial<Dataset>;
  if (typeof length !== "number" || typeof batch !== "function") {
    throw new ArgumentError(`${owner}: needs a dataset, with length and batch, got ${describe(dataset)}`);
  }
  if (Number.isInteger(length) && length >= 0 && length < END_OF_POSITIONS) return;
  throw new ArgumentError(`${owner}: a dataset's length must be an integer in [0, 2^31), got ${length}`);
}

/** A batch of a dataset, which may be anybody's: ArgumentError where it is no list of tensors. */
export function batchOf<Sample extends Tensor[]>(
  owner: string,
  dataset: Pick<Dataset<Sample>, "batch">,
  indices: Int32Array,
): Sample {
  const batch: unknown = dataset.batch(indices);
  if (!Array.isArray(batch)) {
    throw new ArgumentError(
      `${owner}: a dataset's batch must return an array of tensors, got ${describe(batch)}`,
    );
  }
  batch.forEach((part, i) => {
    checkTensor(owner, part, `part ${i} of the dataset's batch`);
  });
  return batch as Sample;
}

/**
 * Throws an IndexError unless all positions are integers in [0, length); ArgumentError for what is neither an array
 * nor an Int32Array.
 */
export function checkPositions(operation: string, positions: unknown, length: number): void {
  if (!(Array.isArray(positions) || positions instanceof Int32Array)) {
    throw new ArgumentError(
      `${operation}: indices must be an Int32Array or an array, got ${describe(positions)}`,
    );
  }
  for (let i = 0; i < positions.length; i++) {
    const position = positions[i];
    if (!Number.isInteger(position) || position < 0 || position >= length) {
      throw new IndexError(
        `${operation}: index ${position} is not the position of a sample; needs an integer in [0, ${length})`,
      );
    }
  }
}
