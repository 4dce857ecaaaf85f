/** Orthogonal matrices by products alone: the Newton-Schulz iteration that Muon uses. */
import type { Tensor } from "../tensor.js";

/** a, b and c of X ← aX + (bA + cA²)X, A = XXᵀ. */
export type Coefficients = readonly [number, number, number];

/**
 * A matrix near the U·Vᵀ of x's singular value decomposition U·S·Vᵀ. x is scaled to Frobenius norm 1, so that no singular
 * value s exceeds 1, and then each step maps every s to as + bs³ + cs⁵. Jordan's coefficients (3.4445, −4.775, 2.0315)
 * do not converge but bring all but the smallest into about [0.7, 1.2] in five steps, which is what Muon asks for.
 *
 * @param x m × n
 * @param eps the smallest norm that is divided by
 */
export function orthogonalize(x: Tensor, steps: number, coefficients: Coefficients, eps: number): Tensor {
  const [a, b, c] = coefficients;
  const [rows, columns] = x.shape;
  // The products XXᵀ are small along the shorter side.
  const isTall = rows > columns;
  let y = isTall ? x.transpose() : x;
  y = y.div(y.norm().maximum(eps));
  for (let i = 0; i < steps; i++) {
    const gram = y.matmul(y.transpose());
    const polynomial = gram.mul(b).add(gram.matmul(gram).mul(c));
    y = y.mul(a).add(polynomial.matmul(y));
  }
  return isTall ? y.transpose() : y;
}
