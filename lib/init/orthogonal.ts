/** Random matrices whose rows or columns are orthonormal (Saxe, McClelland and Ganguli 2014), and sparse ones. */
import { ShapeError } from "../errors.js";
import { array } from "../ndarray/creation.js";
import { formatShape } from "../ndarray/shape.js";
import { checkTensor } from "../ops/operands.js";
import { checkNumber, FINITE, NON_NEGATIVE, UNIT_INTERVAL, withDefaults } from "../options.js";
import { checkGenerator } from "../random/generator.js";
import type { Tensor } from "../tensor.js";
import { overwrite, RANDOM_INIT, type RandomInit } from "./fill.js";

/** Options of `orthogonal`. */
export interface OrthogonalOptions extends RandomInit {
  /** Factor on all elements (default 1), see `calculateGain`. */
  gain?: number;
}

/**
 * Overwrites x, taken as a matrix [x.shape[0], rest], with `gain` times a random matrix whose rows are orthonormal, or
 * its columns if there are more rows than columns. Uniform over all such matrices: the Gram–Schmidt process on normal
 * vectors. ShapeError for fewer than two axes.
 *
 * Source: Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning", 2014.
 */
export function orthogonal<T extends Tensor>(x: T, options: OrthogonalOptions = {}): T {
  const { shape, size, dtype } = checkTensor("orthogonal", x);
  const { gain, generator } = withDefaults("orthogonal", options, { ...RANDOM_INIT, gain: 1 });
  checkNumber("orthogonal", "gain", gain, FINITE);
  if (shape.length < 2)
    throw new ShapeError(`orthogonal: needs at least two axes, got ${formatShape(shape)}`);
  const rows = shape[0];
  const columns = rows === 0 ? 0 : size / rows;
  const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
  const drawn = checkGenerator("orthogonal", generator).normal([count, length], { dtype: "float64" });
  const vectors = drawn.data as Float64Array;
  orthonormalize(vectors, count, length);
  const scaled = array(
    vectors.map((value) => gain * value),
    { shape: [count, length], dtype },
  );
  return overwrite(x, (rows <= columns ? scaled : scaled.transpose()).reshape(shape));
}

/** Makes the `count` vectors of a row-major matrix orthonormal, in order. */
function orthonormalize(vectors: Float64Array, count: number, length: number): void {
  const rows = Array.from({ length: count }, (_, i) => vectors.subarray(i * length, (i + 1) * length));
  rows.forEach((row, i) => {
    // Twice: what rounding leaves of the earlier vectors after the first time is gone after the second.
    for (let time = 0; time < 2; time++) {
      for (const earlier of rows.slice(0, i)) {
        let inner = 0;
        for (let k = 0; k < length; k++) inner += earlier[k] * row[k];
        for (let k = 0; k < length; k++) row[k] -= inner * earlier[k];
      }
    }
    const size = norm(row);
    for (let k = 0; k < length; k++) row[k] /= size;
  });
}

const norm = (row: Float64Array): number => Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));

/** Options of `sparse`. */
export interface SparseOptions extends RandomInit {
  /** Standard deviation of what is not zero (default 0.01). */
  std?: number;
}

/**
 * Overwrites the matrix x with normal numbers of which in each column ⌈sparsity·rows⌉ at random places are zero
 * (Martens 2010). ShapeError unless it has two axes; ArgumentError for a sparsity outside [0, 1].
 *
 * Source: Martens, "Deep learning via Hessian-free optimization", 2010.
 */
export function sparse<T extends Tensor>(x: T, sparsity: number, options: SparseOptions = {}): T {
  const { shape, dtype } = checkTensor("sparse", x);
  const { std, generator: source } = withDefaults("sparse", options, { ...RANDOM_INIT, std: 0.01 });
  checkNumber("sparse", "sparsity", sparsity, UNIT_INTERVAL);
  checkNumber("sparse", "std", std, NON_NEGATIVE);
  if (shape.length !== 2) throw new ShapeError(`sparse: needs a matrix, got shape ${formatShape(shape)}`);
  const generator = checkGenerator("sparse", source);
  const [rows, columns] = shape;
  const values = generator.normal(shape, { std, dtype }).data;
  const zeros = Math.ceil(sparsity * rows);
  for (let column = 0; column < columns; column++) {
    for (const row of generator.permutation(rows).subarray(0, zeros)) values[row * columns + column] = 0;
  }
  return overwrite(x, array(values, { shape, dtype }));
}
