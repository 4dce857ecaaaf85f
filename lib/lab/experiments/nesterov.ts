/** Nesterov's look-ahead in its three forms, beside momentum. */
import { adviseStepSize } from "../../optim/advisor/advise.js";
import * as optim from "../../optim/index.js";
import { atLeast, atMost, near } from "../checks.js";
import type { Experiment } from "../experiment.js";
import { ITERATES, type Point } from "../lecture.js";
import {
  firstIterates,
  matches,
  type Path,
  quadratic,
  reduction,
  startingPoint,
  walk,
} from "../quadratic.js";

/** Paths by rule. */
export interface NesterovData {
  readonly momentum: Path;
  readonly second: Path;
  /** The first form at a step size that it stands. */
  readonly first: Path;
  /** The first form at the second form's step size. */
  readonly diverging: Path;
  readonly pytorch: Path;
  /** Step sizes below which the forms converge at this β, from the curvature. */
  readonly limits: { readonly first: number; readonly second: number };
  /** Largest distance of PyTorch's iterates to the look-ahead points θ − αβu of the first form. */
  readonly changeOfVariables: number;
}

const LR = 0.35;
const BETA = 0.7;
const SMALL_LR = 0.1;
const PRINTED: readonly Point[] = [
  [4.08, -2.97],
  [3.79, -2.17],
  [3.25, -1.66],
];

const nesterovPath = (name: string, lr: number, form: "first" | "second" | "pytorch"): Path =>
  walk(name, (params) => new optim.Nesterov(params, { lr, beta: BETA, form }));

export const nesterov: Experiment<NesterovData> = {
  name: "nesterov",
  run() {
    const first = nesterovPath("first form, α 0.1", SMALL_LR, "first");
    const pytorch = nesterovPath("PyTorch's form, α 0.1", SMALL_LR, "pytorch");
    const theta = startingPoint();
    const { limits } = adviseStepSize(() => quadratic(theta), [theta], { beta: BETA });
    return {
      limits: { first: limits.nesterovFirst, second: limits.nesterovSecond },
      momentum: walk(
        "momentum",
        (params) => new optim.Momentum(params, { lr: LR, beta: BETA, form: "averaged" }),
      ),
      second: nesterovPath("Nesterov", LR, "second"),
      first,
      diverging: nesterovPath("first form, α 0.35", LR, "first"),
      pytorch,
      changeOfVariables: distanceToLookAhead(pytorch, first),
    };
  },
  check({ momentum, second, first, diverging, limits, changeOfVariables }) {
    return [
      ...firstIterates(second, PRINTED),
      matches(momentum, ITERATES.averagedMomentum),
      matches(second, ITERATES.secondNesterov),
      matches(first, ITERATES.firstNesterov),
      matches(diverging, ITERATES.divergingNesterov),
      atLeast("first form at α 0.35: f after 30 updates over f(θ₀)", reduction(diverging), 1e6),
      atMost("largest step size of the first form, below the figure's 0.35", limits.first, LR),
      atLeast("largest step size of the second form, above the figure's 0.35", limits.second, LR),
      near(
        "largest distance of PyTorch's iterates to the first form's look-ahead",
        changeOfVariables,
        0,
        1e-12,
      ),
      atMost("f after 30 updates, Nesterov's over momentum's", reduction(second) / reduction(momentum), 1),
    ];
  },
};

/**
 * With y = θ − αβu, the point where the first form takes its gradient, u ← βu + ∇f(y) and θ ← θ − αu become
 * y ← y − α(∇f(y) + βu): PyTorch's form. u is read off two iterates, θ′ = θ − αu.
 */
function distanceToLookAhead(pytorch: Path, first: Path): number {
  const distances = first.iterates.slice(1).map((theta, k) => {
    const before = first.iterates[k];
    const ahead = theta.map((value, axis) => value - BETA * (before[axis] - value));
    const point = pytorch.iterates[k + 1];
    return Math.hypot(ahead[0] - point[0], ahead[1] - point[1]);
  });
  return Math.max(...distances);
}
