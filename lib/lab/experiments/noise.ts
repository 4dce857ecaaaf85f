/** Gradients of minibatches on the quadratic, beside exact ones. */
import { grad } from "../../autograd/functional.js";
import * as optim from "../../optim/index.js";
import { Generator } from "../../random/generator.js";
import type { Tensor } from "../../tensor.js";
import { atMost, near, relative } from "../checks.js";
import type { Experiment } from "../experiment.js";
import { ITERATES } from "../lecture.js";
import { EIGENPAIRS, matches, type Path, quadratic, startingPoint, walk } from "../quadratic.js";

/** Two paths, and how the noisy one ends. */
export interface NoiseData {
  readonly exact: Path;
  readonly stochastic: Path;
  readonly batchSize: number;
  readonly examples: number;
  /** Largest distance of the mean of all examples' gradients to the exact gradient, at the start. */
  readonly bias: number;
  /** Mean of f over the end of a long noisy run, and its theory. */
  readonly floor: number;
  readonly floorInTheory: number;
}

const EXACT_LR = 0.35;
const NOISY_LR = 0.1;
const EXAMPLES = 1000;
const BATCH_SIZE = 4;
const SPREAD = 4;
const SHOWN = 120;
const LONG = 20_000;
const BURN_IN = 200;
const FLOOR_SHARE = 0.1;

export const noise: Experiment<NoiseData> = {
  name: "noise",
  run() {
    const q = centred(new Generator(6).normal([EXAMPLES, 2], { std: SPREAD, dtype: "float64" }));
    const random = new Generator(7);
    const step = (updates: number): Path =>
      walk("stochastic, α 0.1", (params) => new optim.SGD(params, { lr: NOISY_LR }), {
        updates,
        evaluate: (theta) => batchLoss(theta, q.take(random.integers(0, EXAMPLES, [BATCH_SIZE]))),
      });
    const { objective } = step(LONG);
    const end = objective.slice(BURN_IN);
    return {
      exact: walk("exact, α 0.35", (params) => new optim.SGD(params, { lr: EXACT_LR }), {
        updates: SHOWN,
      }),
      stochastic: step(SHOWN),
      batchSize: BATCH_SIZE,
      examples: EXAMPLES,
      bias: biasOf(q),
      floor: end.reduce((sum, value) => sum + value, 0) / end.length,
      floorInTheory: floorInTheory(q),
    };
  },
  check({ exact, stochastic, bias, floor, floorInTheory: theory }) {
    const last = stochastic.objective.slice(-10);
    return [
      matches(exact, ITERATES.gradientDescent),
      near("mean of all examples' gradients: distance to the exact gradient", bias, 0, 1e-12),
      relative("mean of f at the end of a long noisy run against theory", floor, theory, FLOOR_SHARE),
      atMost(
        "stochastic: f over the last ten updates over f(θ₀)",
        Math.max(...last) / stochastic.objective[0],
        0.5,
      ),
    ];
  },
};

const centred = (q: Tensor): Tensor => q.sub(q.mean(0));

/** The mean over a batch of f_i(θ) = ½θᵀPθ + q_iᵀθ, with q [B, 2]. */
const batchLoss = (theta: Tensor, q: Tensor): Tensor => quadratic(theta).add(q.matmul(theta).mean());

function biasOf(q: Tensor): number {
  const theta = startingPoint();
  const [mean] = grad(batchLoss(theta, q), theta);
  const [exact] = grad(quadratic(theta), theta);
  return mean.sub(exact).norm().item();
}

/**
 * Along an eigenvector of eigenvalue λ the iterate is θ ← (1 − αλ)θ − αε, of variance α²s²/(1 − (1 − αλ)²) where ε has
 * variance s²; so ½λ·variance = ½αs²/(2 − αλ), summed over both.
 */
function floorInTheory(q: Tensor): number {
  const covariance = q
    .transpose()
    .matmul(q)
    .div(EXAMPLES * BATCH_SIZE).data;
  const [a, b, , c] = [...covariance].map(Number);
  return EIGENPAIRS.map(({ value, vector: [x, y] }) => {
    const variance = a * x * x + 2 * b * x * y + c * y * y;
    return (NOISY_LR * variance) / (2 * (2 - NOISY_LR * value));
  }).reduce((sum, part) => sum + part, 0);
}
