/** Figure 1. */
import type { Figure } from "../experiment.js";
import type { GradientDescentData } from "../experiments/gradient_descent.js";
import { BLUE, GREEN, ORANGE, RED } from "./colors.js";
import { objectivePanel, pathsPanel } from "./paths.js";

const COLORS = [BLUE, GREEN, ORANGE, RED];

export const gradientDescentFigure: Figure<GradientDescentData> = {
  title: "Gradient descent and its step size",
  formulas: ["θ ← θ − α ∇f(θ)", "f(θ) = ½ θᵀPθ,  P = [1.63 1.82; 1.82 4.28],  θ₀ = (4, −4)"],
  code: `const theta = tensor([4, -4], { dtype: "float64", requiresGrad: true });
const optimizer = new optim.SGD([theta], { lr: 0.35 });
optimizer.step(() => {
  optimizer.zeroGrad();
  const loss = theta.matmul(P).mul(theta).sum().mul(0.5);
  loss.backward();
  return loss;
});`,
  look: [
    "The valley is steep across and flat along. A small step creeps along its floor; a larger one gets there sooner, until it jumps from wall to wall; beyond 2/λ_max each jump is longer than the last.",
    "Nobody told the program P: λ_max comes from power iteration on products of the Hessian with a vector (hvp), and 2/λ_max is where convergence ends, as the last two rows of the checks show.",
  ],
  rows({ descents }) {
    const paths = descents.map(({ path, character, lr }, i) => ({
      path: { ...path, name: `α ${lr}, ${character}` },
      color: COLORS[i],
    }));
    return [
      { shape: "square", panels: paths.map((path) => pathsPanel(path.path.name, [path])) },
      { shape: "full", panels: [objectivePanel(paths, [1e-6, 1e2])] },
    ];
  },
  facts: ({ lambdaMax, limit }) => [
    ["λ_max, measured", lambdaMax.toFixed(6)],
    ["limit 2/λ_max", limit.toFixed(4)],
  ],
};
