/** Figure 5. */
import type { Figure } from "../experiment.js";
import type { UnbiasedData } from "../experiments/unbiased.js";
import { BLUE, GREEN, GREY } from "./colors.js";
import { objectivePanel, pathsPanel } from "./paths.js";

export const unbiasedFigure: Figure<UnbiasedData> = {
  title: "Correcting the bias of running averages",
  formulas: [
    "momentum: θ ← θ − α u/(1 − βᵏ)",
    "Adam: θ ← θ − α û/(√v̂ + ε),  û = u/(1 − β₁ᵏ),  v̂ = v/(1 − β₂ᵏ)",
    "momentum: α 0.35, β 0.7;  Adam: α 0.6, β₁ 0.7, β₂ 0.8",
  ],
  code: `new optim.Momentum([theta], { lr: 0.35, beta: 0.7, form: "unbiased" })
new optim.Adam([theta], { lr: 0.6, betas: [0.7, 0.8], biasCorrection: false })`,
  look: [
    "A running average that starts at zero is too small at first. Divided by 1 − βᵏ, the first step is a full one: momentum begins as gradient descent, and so overshoots at first.",
    "In Adam both averages are too small, and the errors partly cancel: without correction the first step is (1 − β₁)/√(1 − β₂) = 0.67 as long. It is 0.40 in each coordinate; corrected, 0.60, which is α: Adam's first step is α times the signs of the gradient.",
  ],
  rows({ biased, unbiased, uncorrectedAdam, adam }) {
    const momentum = [
      { path: biased, color: GREY },
      { path: unbiased, color: BLUE },
    ];
    const adams = [
      { path: uncorrectedAdam, color: GREY },
      { path: adam, color: GREEN },
    ];
    return [
      { shape: "square", panels: [pathsPanel("Momentum", momentum), pathsPanel("Adam", adams)] },
      {
        shape: "wide",
        panels: [objectivePanel(momentum, [1e-5, 1e2]), objectivePanel(adams, [1e-4, 1e2])],
      },
    ];
  },
};
