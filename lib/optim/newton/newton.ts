/** Newton's method with the Hessian as a matrix, for a few hundred parameters. */
import { ArgumentError, CurvatureError } from "../../errors.js";
import { checkNumber, NON_NEGATIVE } from "../../options.js";
import { Generator } from "../../random/generator.js";
import type { Tensor } from "../../tensor.js";
import type { CommonOptions, ParamGroup } from "../optimizer.js";
import { extremeEigenvalues } from "../spectrum.js";
import { factorize, solveFactored } from "./cholesky.js";
import { type Point, SecondOrderOptimizer } from "./second_order.js";
import { addScaled, along, dot, overwriteAll } from "./vectors.js";

/** Options of `Newton`. */
export interface NewtonOptions extends CommonOptions {
  /** α, the share of the step to the optimum of the quadratic model (default 1, all of it), ≥ 0. */
  lr: number;
  /** Added to the diagonal of the Hessian, ≥ 0 (default 0): above −(its smallest eigenvalue) any Hessian will do. */
  damping: number;
}

/** The Hessian of so many parameters takes 200 MB. */
const MOST_PARAMETERS = 5000;
/** Products with which the smallest eigenvalue is looked for, where one is needed for a message. */
const SEARCH = 300;

/**
 * θ ← θ − lr·(∇²f + damping·I)⁻¹∇f, by Cholesky's factorization and two triangular solves in float64. With lr = 1 a
 * quadratic's optimum is reached in one step. The Hessian takes one product, about two gradients, per parameter and n²
 * float64 numbers. CurvatureError that names the smallest eigenvalue where it is not positive definite; ArgumentError
 * for more than 5000 parameters.
 *
 * Source: Nocedal and Wright, "Numerical optimization", 2006, section 3.3.
 */
export class Newton extends SecondOrderOptimizer<NewtonOptions> {
  constructor(params: Iterable<Tensor>, options: Partial<NewtonOptions> = {}) {
    super(params, options, { lr: 1, damping: 0 });
    const n = this.paramGroups[0].params.reduce((count, { size }) => count + size, 0);
    if (n > MOST_PARAMETERS) {
      throw new ArgumentError(
        `Newton: params have ${n} elements; at most ${MOST_PARAMETERS} make a dense Hessian, NewtonCG needs none`,
      );
    }
  }

  protected override checkOptions({ lr, damping }: NewtonOptions): void {
    checkNumber(this.name, "lr", lr, NON_NEGATIVE);
    checkNumber(this.name, "damping", damping, NON_NEGATIVE);
  }

  protected override move(point: Point, { params, lr, damping }: ParamGroup<NewtonOptions>): void {
    const { gradient, parameters } = point;
    const n = gradient.length;
    const matrix = denseHessian(n, (v) => this.product(point, v));
    for (let i = 0; i < n; i++) matrix[i * n + i] += damping;
    const factor = matrix.slice();
    if (!factorize(factor, n)) throw this.notPositiveDefinite(matrix, n, damping);
    overwriteAll(params, along(parameters, -lr, solveFactored(factor, gradient)));
  }

  private notPositiveDefinite(matrix: Float64Array, n: number, damping: number): CurvatureError {
    const multiply = (v: Float64Array): Float64Array =>
      Float64Array.from({ length: n }, (_, i) => dot(matrix.subarray(i * n, (i + 1) * n), v));
    const { min } = extremeEigenvalues(multiply, n, {
      iterations: SEARCH,
      tolerance: 0,
      generator: new Generator(0),
    });
    // Its last digits are those of a search; the error's property has them all.
    const rounded = (x: number): number => Number(x.toPrecision(6));
    const what = damping === 0 ? "the Hessian" : `the Hessian with damping ${damping}`;
    // Of a singular matrix the search may find a rounding above 0.
    const needed = damping - min;
    const advice =
      needed > 0 ? `A damping above about ${rounded(needed)}` : "It is singular; any damping > 0";
    return new CurvatureError(
      `${this.name}.step: ${what} is not positive definite, its smallest eigenvalue found is ${rounded(min)}; ` +
        `the step would not lead to a minimum. ${advice} makes it one; nothing was updated`,
      min,
    );
  }
}

/** The Hessian as a row-major matrix, symmetric to the last bit. */
function denseHessian(n: number, multiply: (v: Float64Array) => Float64Array): Float64Array {
  const matrix = new Float64Array(n * n);
  const unit = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    unit[i] = 1;
    const row = multiply(unit);
    unit[i] = 0;
    // Each element twice, by row and by column: the mean makes up for their roundings.
    addScaled(matrix.subarray(i * n, (i + 1) * n), 0.5, row);
    for (let k = 0; k < n; k++) matrix[k * n + i] += row[k] / 2;
  }
  return matrix;
}
