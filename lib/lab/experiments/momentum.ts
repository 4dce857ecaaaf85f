/** Momentum beside gradient descent at the same step size. */
import * as optim from "../../optim/index.js";
import { near } from "../checks.js";
import type { Experiment } from "../experiment.js";
import { ITERATES, type Point } from "../lecture.js";
import { firstIterates, matches, type Path, walk } from "../quadratic.js";

/** Paths by rule. */
export interface MomentumData {
  readonly gradientDescent: Path;
  readonly averaged: Path;
  /** u ← βu + ∇f at the step size that (1 − β) makes of the averaged form's. */
  readonly classic: Path;
  /** The same by SGD's option `momentum`. */
  readonly pytorch: Path;
}

const LR = 0.35;
const BETA = 0.7;
const CLASSIC_LR = 0.1;
const PRINTED: readonly Point[] = [
  [4.08, -2.97],
  [4.0, -1.69],
  [3.59, -0.8],
];

export const momentum: Experiment<MomentumData> = {
  name: "momentum",
  run: () => ({
    gradientDescent: walk("gradient descent", (params) => new optim.SGD(params, { lr: LR })),
    averaged: walk(
      "momentum",
      (params) => new optim.Momentum(params, { lr: LR, beta: BETA, form: "averaged" }),
    ),
    classic: walk(
      "classic momentum",
      (params) => new optim.Momentum(params, { lr: CLASSIC_LR, beta: BETA, form: "classic" }),
    ),
    pytorch: walk("SGD with momentum", (params) => new optim.SGD(params, { lr: CLASSIC_LR, momentum: BETA })),
  }),
  check({ gradientDescent, averaged, classic, pytorch }) {
    const apart = classic.iterates.map(([x, y], k) =>
      Math.hypot(x - pytorch.iterates[k][0], y - pytorch.iterates[k][1]),
    );
    return [
      ...firstIterates(averaged, PRINTED),
      matches(gradientDescent, ITERATES.gradientDescent),
      matches(averaged, ITERATES.averagedMomentum),
      matches(classic, ITERATES.classicMomentum),
      near("largest distance of classic momentum to SGD's with momentum", Math.max(...apart), 0, 1e-12),
    ];
  },
};
