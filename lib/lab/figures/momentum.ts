/** Figure 2. */
import type { Figure } from "../experiment.js";
import type { MomentumData } from "../experiments/momentum.js";
import { BLUE, GREY } from "./colors.js";
import { objectivePanel, pathsPanel } from "./paths.js";

export const momentumFigure: Figure<MomentumData> = {
  title: "Momentum against gradient descent",
  formulas: ["u ← βu + (1 − β) ∇f(θ)", "θ ← θ − αu", "α 0.35, β 0.7 (and β 0: gradient descent)"],
  code: `new optim.Momentum([theta], { lr: 0.35, beta: 0.7, form: "averaged" })`,
  look: [
    "Gradient descent at this step size bounces across the valley. The running average cancels what changes sign from step to step and keeps what does not: the path curves into the valley and rolls along it.",
    "It is not faster here: at this β every component shrinks by √β = 0.84 a step in the end, with gradient descent by 0.82. Momentum pays where gradient descent cannot take such a step: along valleys much narrower than this one.",
    "The first steps are short, since u starts at zero; figure 5 undoes that. Without the factor 1 − β (form “classic”, the one of SGD) u is 1/(1 − β) times as long, so the same path needs the step size (1 − β)α.",
  ],
  rows({ gradientDescent, averaged }) {
    const paths = [
      { path: { ...gradientDescent, name: "gradient descent" }, color: GREY },
      { path: averaged, color: BLUE },
    ];
    return [{ shape: "square", panels: [pathsPanel("Paths", paths), objectivePanel(paths, [1e-6, 1e2])] }];
  },
};
