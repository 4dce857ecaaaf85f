/** Gradient descent on the quadratic for several step sizes, and the largest one that converges. */
import { hvp } from "../../autograd/functional.js";
import * as optim from "../../optim/index.js";
import { Generator } from "../../random/generator.js";
import { atLeast, atMost, near, relative } from "../checks.js";
import type { Experiment } from "../experiment.js";
import { ITERATES, LAMBDA_MAX } from "../lecture.js";
import { matches, type Path, quadratic, reduction, startingPoint, walk } from "../quadratic.js";

/** A path and its step size. */
export interface Descent {
  readonly lr: number;
  readonly character: string;
  readonly path: Path;
}

/** Paths, and the limit of the step size. */
export interface GradientDescentData {
  readonly descents: readonly Descent[];
  /** Largest eigenvalue of the Hessian, found by products with it alone. */
  readonly lambdaMax: number;
  /** 2/λ_max. */
  readonly limit: number;
  /** Objective after many updates over that at the start, a little below and above the limit. */
  readonly belowLimit: number;
  readonly aboveLimit: number;
}

const CHARACTERS = [
  [0.05, "slow"],
  [0.2, "good"],
  [0.35, "oscillating"],
  [0.39, "diverging"],
] as const;
const LIMIT = 0.384;
const NEAR_LIMIT = 0.01;
const MANY_UPDATES = 300;

const descend = (lr: number, updates?: number): Path =>
  walk(`gradient descent, α ${lr}`, (params) => new optim.SGD(params, { lr }), { updates });

export const gradientDescent: Experiment<GradientDescentData> = {
  name: "gradientDescent",
  run() {
    const lambdaMax = largestEigenvalue();
    const limit = 2 / lambdaMax;
    return {
      descents: CHARACTERS.map(([lr, character]) => ({ lr, character, path: descend(lr) })),
      lambdaMax,
      limit,
      belowLimit: reduction(descend(limit * (1 - NEAR_LIMIT), MANY_UPDATES)),
      aboveLimit: reduction(descend(limit * (1 + NEAR_LIMIT), MANY_UPDATES)),
    };
  },
  check({ descents, lambdaMax, limit, belowLimit, aboveLimit }) {
    const [slow, , oscillating, diverging] = descents.map(({ path }) => path);
    return [
      relative("λ_max by Hessian-vector products", lambdaMax, LAMBDA_MAX, 1e-9),
      near("limit of the step size, 2/λ_max", limit, LIMIT, 5e-4),
      matches(slow, ITERATES.slowGradientDescent),
      matches(oscillating, ITERATES.gradientDescent),
      matches(diverging, ITERATES.divergingGradientDescent),
      atMost(`f after ${MANY_UPDATES} updates over f(θ₀), 1 % below the limit`, belowLimit, 0.01),
      atLeast(`f after ${MANY_UPDATES} updates over f(θ₀), 1 % above the limit`, aboveLimit, 100),
    ];
  },
};

const ROUNDS = 60;

/** By power iteration: v ← Hv/‖Hv‖, and at last vᵀHv. */
function largestEigenvalue(): number {
  const theta = startingPoint();
  let v = new Generator(0).normal([2], { dtype: "float64" });
  for (let i = 0; i < ROUNDS; i++) {
    const [product] = hvp(quadratic, [theta], [v]);
    v = product.div(product.norm());
  }
  return v
    .mul(hvp(quadratic, [theta], [v])[0])
    .sum()
    .item();
}
