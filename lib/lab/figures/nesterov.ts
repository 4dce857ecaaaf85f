/** Figure 3. */
import type { Figure } from "../experiment.js";
import type { NesterovData } from "../experiments/nesterov.js";
import { BLUE, GREY, ORANGE, RED } from "./colors.js";
import { objectivePanel, pathsPanel } from "./paths.js";

export const nesterovFigure: Figure<NesterovData> = {
  title: "Nesterov's look-ahead against momentum",
  formulas: [
    "second form: u ← βu + (1 − β) ∇f(θ − αu),  θ ← θ − αu",
    "first form: u ← βu + ∇f(θ − αβu),  θ ← θ − αu",
    "PyTorch's: u ← βu + g,  θ ← θ − α(g + βu)",
  ],
  code: `const optimizer = new optim.Nesterov([theta], { lr: 0.35, beta: 0.7, form: "second" });
optimizer.step(closure);      // the closure is called at the look-ahead point
adviseStepSize(() => f(theta), [theta], { beta: 0.7 }).limits;      // how large α may be, for each rule`,
  look: [
    "The gradient is taken where momentum is about to carry the parameters, so an overshoot is seen one step earlier: less swing than momentum at the same α and β.",
    "The first form lacks the factor 1 − β, so its steps are 1/(1 − β) times as long: at α 0.35 it diverges, at α 0.1 it converges. PyTorch's form is the first one, followed from look-ahead point to look-ahead point; the checks hold the two to the same numbers.",
  ],
  rows({ momentum, second, first, diverging }) {
    const both = [
      { path: momentum, color: GREY },
      { path: { ...second, name: "Nesterov, second form" }, color: BLUE },
    ];
    const forms = [
      { path: first, color: ORANGE },
      { path: diverging, color: RED },
    ];
    return [
      { shape: "square", panels: [pathsPanel("Second form", both), pathsPanel("First form", forms)] },
      { shape: "full", panels: [objectivePanel([...both, ...forms], [1e-8, 1e6])] },
    ];
  },
  facts: ({ limits }) => [
    ["largest α, first form", limits.first.toFixed(3)],
    ["largest α, second form", limits.second.toFixed(3)],
  ],
};
