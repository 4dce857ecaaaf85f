/** Figure 4. */
import type { Figure } from "../experiment.js";
import type { NewtonData } from "../experiments/newton.js";
import { BLUE, GREY, ORANGE } from "./colors.js";
import { objectivePanel, pathsPanel } from "./paths.js";

export const newtonFigure: Figure<NewtonData> = {
  title: "Newton's method",
  formulas: ["θ ← θ − α (∇²f(θ))⁻¹ ∇f(θ)"],
  code: `const optimizer = new optim.Newton([theta], { lr: 1 });
optimizer.step(closure);      // solves with the Hessian; { damping } where it is not positive definite`,
  look: [
    "With α = 1 one step reaches the optimum of a quadratic, whatever its shape; with α = 0.5 the path is a straight line and halves the distance each time. Gradient descent zigzags because it does not know that the valley is narrow.",
    "The checks also take the step without forming the Hessian (conjugate gradients on Hessian-vector products), and ask for one at a saddle: an error that says why, or a finite step once damping is asked for.",
  ],
  rows({ full, half, gradientDescent }) {
    const paths = [
      { path: gradientDescent, color: GREY },
      { path: full, color: BLUE },
      { path: half, color: ORANGE },
    ];
    return [{ shape: "square", panels: [pathsPanel("Paths", paths), objectivePanel(paths, [1e-18, 1e3])] }];
  },
  facts: ({ saddle }) => [["at a saddle", saddle]],
};
