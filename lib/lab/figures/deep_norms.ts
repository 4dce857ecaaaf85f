/** Figure 7. */
import { DEPTH } from "../deep_network.js";
import type { Figure, Panel } from "../experiment.js";
import type { DeepNorms, DeepNormsData, Norms } from "../experiments/deep_norms.js";
import { BLUE, GREEN, RED } from "./colors.js";
import { curvesPanel } from "./curves_panel.js";

const COLORS = [BLUE, GREEN, RED];

export const deepNormsFigure: Figure<DeepNormsData> = {
  title: "Depth 50 at initialization",
  formulas: ["W ~ N(0, c/n)", "E ‖Z_{i+1}‖² = (c/2) ‖Z_i‖²", "‖∇W_i‖ ∝ ‖∂loss/∂Z_{i+1}‖ · ‖Z_i‖"],
  code: `init.normal(layer.weight, { std: Math.sqrt(c / layer.inFeatures) });      // c = 2: init.kaimingNormal
for (const z of activations) z.retainGrad();
nn.functional.crossEntropy(logits, labels).backward();
activations.map((z) => [z.norm(), z.grad.norm()]);      // in one compiled step
diagnose(network, images, { target: labels });`,
  look: [
    "Left: activations shrink, keep or grow by √(c/2) a layer; dashed is the theory. Right: the error that travels backward does the same in the other direction.",
    "Middle: the gradient of a weight is the product of the two, one of which grows as the other shrinks, so it is nearly the same at all layers, but of the size 10⁻⁸, 1 or 10⁴. The lecture's figure shows the flat lines, its text speaks of the errors; both are right.",
  ],
  rows: ({ variances }) => [
    {
      shape: "third",
      panels: [
        normsPanel("Activations ‖Z‖", variances, "activations", true),
        normsPanel("Weight gradients ‖∇W‖", variances, "weightGradients", false),
        normsPanel("Errors ‖∂loss/∂Z‖", variances, "errors", false),
      ],
    },
  ],
  facts: ({ variances }) =>
    variances.map(({ c, failure }) => [`diagnose, c = ${c}`, failure ?? "nothing wrong"] as const),
  table: ({ variances, seeds }) => ({
    head: [
      "c",
      "√(c/2)",
      `growth of ‖Z‖, ${seeds} draws`,
      "one draw: ‖∇W‖ at 1 / 25 / 50",
      "‖∂loss/∂Z‖ at 1 / 49",
    ],
    rows: variances.map(({ c, growthInTheory, growth, one }) => [
      String(c),
      growthInTheory.toFixed(3),
      growth.toFixed(3),
      [1, 25, DEPTH].map((layer) => short(one.weightGradients[layer - 1])).join(" / "),
      [1, DEPTH - 1].map((layer) => short(one.errors[layer - 1])).join(" / "),
    ]),
  }),
};

const short = (value: number): string =>
  value >= 0.01 && value < 1000 ? value.toPrecision(2) : value.toExponential(1);

/** Norms by layer of one draw; with `theory`, dashed lines of the growth in theory from the first layer on. */
function normsPanel(
  title: string,
  variances: readonly DeepNorms[],
  key: keyof Norms,
  theory: boolean,
): Panel {
  const measured = variances.map(({ c, one }, i) => ({
    name: `c = ${c}`,
    color: COLORS[i],
    points: one[key].map((norm, layer) => [layer + 1, norm] as const),
    hasMarks: true,
  }));
  const expected = variances.map(({ growthInTheory, one }, i) => ({
    name: "",
    color: COLORS[i],
    points: one.activations
      .slice(0, -1)
      .map((_, k) => [k + 1, one.activations[0] * growthInTheory ** k] as const),
    hasMarks: false,
    dash: "dashed" as const,
  }));
  return curvesPanel(title, {
    label: `${title} by layer for c = 1, 2 and 3`,
    xName: "layer",
    yName: "",
    isLogarithmic: true,
    yRange: [1e-9, 1e6],
    curves: theory ? [...measured, ...expected] : measured,
  });
}
