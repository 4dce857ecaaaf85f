/** Truncated conjugate gradients: a direction of descent from products with the Hessian, definite or not. */
import { addScaled, dot, norm } from "./vectors.js";

/** What conjugate gradients came to. */
export interface Direction {
  /** A direction of descent. */
  direction: Float64Array;
  /** Number of products with the Hessian. */
  iterations: number;
  /** The curvature along the last direction tried, if it was not positive, else null. */
  negativeCurvature: number | null;
}

/**
 * Solves H·d = −g until the residual is at most `tolerance`·‖g‖ or after `maxIterations`. Where the curvature along
 * a search direction is not positive it ends with what it has, which is a direction of descent: −g at first (Nocedal
 * and Wright, Numerical Optimization, algorithm 7.1).
 */
export function truncatedCg(
  multiply: (v: Float64Array) => Float64Array,
  gradient: Float64Array,
  { maxIterations, tolerance }: { maxIterations: number; tolerance: number },
): Direction {
  const direction = new Float64Array(gradient.length);
  const residual = gradient.slice();
  let search = gradient.map((g) => -g);
  let square = dot(residual, residual);
  const enough = tolerance * norm(gradient);
  let iterations = 0;
  while (iterations < maxIterations && Math.sqrt(square) > enough) {
    const product = multiply(search);
    iterations++;
    const curvature = dot(search, product) / dot(search, search);
    if (!(curvature > 0)) {
      return {
        direction: iterations === 1 ? search : direction,
        iterations,
        negativeCurvature: curvature,
      };
    }
    const length = square / (curvature * dot(search, search));
    addScaled(direction, length, search);
    addScaled(residual, length, product);
    const next = dot(residual, residual);
    search = search.map((s, i) => (next / square) * s - residual[i]);
    square = next;
  }
  return { direction, iterations, negativeCurvature: null };
}
