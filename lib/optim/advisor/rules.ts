/**
 * What update rules do along one direction of a quadratic, of curvature λ: θ and w = αu are mapped by a 2×2 matrix,
 * whose eigenvalues say whether and how fast they shrink.
 *
 * All rules here have the form w ← m·w + k·θ, θ ← θ − w, with k and m from h = αλ and β; so the matrix is
 * [[1 − k, −m], [k, m]], of trace 1 − k + m and determinant m.
 */

/** The update rules whose stability is predicted. */
export type StabilityRule =
  | "gradientDescent"
  | "momentumClassic"
  | "momentumAveraged"
  | "nesterovFirst"
  | "nesterovSecond";

/** One rule. */
export interface RuleDynamics {
  /** Its name in tables. */
  label: string;
  /** k and m of the iteration matrix. */
  coefficients: (h: number, beta: number) => { k: number; m: number };
  /**
   * The h = αλ below which it converges along the direction. Both eigenvalues lie inside the unit circle if and only
   * if |m| < 1, k > 0 and 2 − k + 2m > 0 (Jury's conditions); for β in [0, 1) the last one is the first to fail.
   */
  limit: (beta: number) => number;
}

export const RULES: Readonly<Record<StabilityRule, RuleDynamics>> = {
  // θ ← θ − α∇f(θ)
  gradientDescent: {
    label: "gradient descent",
    coefficients: (h) => ({ k: h, m: 0 }),
    limit: () => 2,
  },
  // u ← βu + ∇f(θ); θ ← θ − αu
  momentumClassic: {
    label: "momentum, classic",
    coefficients: (h, beta) => ({ k: h, m: beta }),
    limit: (beta) => 2 * (1 + beta),
  },
  // u ← βu + (1 − β)∇f(θ); θ ← θ − αu
  momentumAveraged: {
    label: "momentum, averaged",
    coefficients: (h, beta) => ({ k: (1 - beta) * h, m: beta }),
    limit: (beta) => (2 * (1 + beta)) / (1 - beta),
  },
  // u ← βu + ∇f(θ − αβu); θ ← θ − αu
  nesterovFirst: {
    label: "Nesterov, first form",
    coefficients: (h, beta) => ({ k: h, m: beta * (1 - h) }),
    limit: (beta) => (2 * (1 + beta)) / (1 + 2 * beta),
  },
  // u ← βu + (1 − β)∇f(θ − αu); θ ← θ − αu
  nesterovSecond: {
    label: "Nesterov, second form",
    coefficients: (h, beta) => ({ k: (1 - beta) * h, m: beta - (1 - beta) * h }),
    limit: (beta) => (2 * (1 + beta)) / (3 * (1 - beta)),
  },
};

/** The names of the rules, in the order of tables. */
export const RULE_NAMES = Object.keys(RULES) as StabilityRule[];

/** The larger modulus of the two eigenvalues of the iteration matrix: the factor per step, in the long run. */
export function spectralRadius(rule: StabilityRule, h: number, beta: number): number {
  const { k, m } = RULES[rule].coefficients(h, beta);
  const half = (1 - k + m) / 2;
  const discriminant = half * half - m;
  // A complex pair has the modulus √determinant.
  return discriminant < 0 ? Math.sqrt(m) : Math.abs(half) + Math.sqrt(discriminant);
}
