/** Figure 6. */
import type { Figure } from "../experiment.js";
import type { NoiseData } from "../experiments/noise.js";
import { GREY, VIOLET } from "./colors.js";
import { objectivePanel, pathsPanel } from "./paths.js";

export const noiseFigure: Figure<NoiseData> = {
  title: "Noisy against exact gradients",
  formulas: ["θ ← θ − α · mean over the batch of ∇f_i(θ)", "f_i(θ) = ½ θᵀPθ + q_iᵀθ,  mean of all q_i = 0"],
  code: `const optimizer = new optim.SGD([theta], { lr: 0.1 });
const batch = q.take(generator.integers(0, 1000, [4]));      // 4 of 1000 examples`,
  look: [
    "A batch of four examples points roughly the right way. Far from the optimum that is as good as the exact gradient, at a fraction of its price; near the optimum the noise is all there is, and the path wanders in a cloud whose size is set by α.",
    "The height of that cloud has a formula: along an eigenvector of eigenvalue λ, f stays at αs²/(2(2 − αλ)) on average, s² the variance of the batch's gradient. The checks compare it with a run of 20,000 updates.",
  ],
  rows({ exact, stochastic }) {
    const [one, other] = [
      { path: exact, color: GREY },
      { path: stochastic, color: VIOLET },
    ];
    return [
      {
        shape: "square",
        panels: [
          pathsPanel("Gradient descent, α 0.35", [one]),
          pathsPanel("Stochastic gradient descent, α 0.1", [other]),
        ],
      },
      { shape: "full", panels: [objectivePanel([one, other], [1e-4, 1e2])] },
    ];
  },
  facts: ({ floor, floorInTheory, batchSize, examples }) => [
    ["batch", `${batchSize} of ${examples} examples`],
    ["mean of f in the cloud", `${floor.toFixed(4)}, in theory ${floorInTheory.toFixed(4)}`],
  ],
};
