/** Figure 8. */
import type { Chart } from "../../report/charts.js";
import type { Figure } from "../experiment.js";
import type { DeepRun, DeepTrainingData } from "../experiments/deep_training.js";
import { BLUE, GREEN, GREY, RED } from "./colors.js";
import { curvesPanel } from "./curves_panel.js";

const COLORS = [BLUE, GREEN, RED, GREY];
const DASHES = ["solid", "solid", "solid", "dashed"] as const;
/** Steps that a point of a curve is the mean of: single batches differ too much to be told apart. */
const SMOOTHING = 10;

export const deepTrainingFigure: Figure<DeepTrainingData> = {
  title: "Depth 50 in training",
  formulas: ["θ ← θ − α · mean over 100 images of ∇f_i(θ),  α 0.005"],
  code: `const step = compile((x, y) => {
  const loss = nn.functional.crossEntropy(network.forward(x), y);
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  return loss;
});
const { results } = await step.epoch(train, { batchSize: 100 });
detectAnomaly(() => plainStep(x, y));      // names the first operation that produces a NaN`,
  look: [
    "c = 1: gradients of 10⁻⁸ move nothing; the loss stays at ln 10 = 2.30, that of guessing. c = 2: the only one that learns. c = 3: one step along gradients of 10⁴ makes weights so large that the next step overflows to infinity, and ∞ − ∞ is NaN.",
    "Zero weights: every unit of a layer computes the same nothing, so no hidden weight ever gets a gradient. Only the last bias moves, which learns how often each class occurs: its curve lies on that of c = 1.",
  ],
  rows({ runs, steps }) {
    const small: Chart = {
      label: "Training loss by step for c = 1, 2 and zero",
      xName: "step",
      yName: "cross-entropy",
      isLogarithmic: false,
      curves: runs.flatMap((run, i) =>
        run.firstNaN === null ? [{ ...curveOf(run), color: COLORS[i], dash: DASHES[i] }] : [],
      ),
    };
    const overflowing = runs.flatMap((run, i) =>
      run.firstNaN === null
        ? []
        : [
            {
              name: `${run.name}: NaN from step ${run.firstNaN.step} on`,
              color: COLORS[i],
              points: run.losses
                .map((loss, k) => [k + 1, loss] as const)
                .filter(([, loss]) => Number.isFinite(loss)),
              hasMarks: true,
            },
          ],
    );
    const all: Chart = {
      ...small,
      label: `First steps of all runs of ${steps} steps, with the loss of c = 3`,
      isLogarithmic: true,
      curves: [
        ...overflowing,
        ...runs.flatMap((run, i) =>
          run.firstNaN === null ? [{ ...firstSteps(run), color: COLORS[i], dash: DASHES[i] }] : [],
        ),
      ],
    };
    return [
      {
        shape: "wide",
        panels: [curvesPanel("Loss, mean of ten steps", small), curvesPanel("First ten steps", all)],
      },
    ];
  },
  facts: ({ runs }) =>
    runs.map(({ name, losses, firstNaN }) => [
      name,
      firstNaN === null
        ? `loss ${losses[0].toFixed(3)} → ${meanOf(losses.slice(-SMOOTHING)).toFixed(3)}`
        : `first NaN in step ${firstNaN.step}: ${firstNaN.operation}`,
    ]),
};

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const curveOf = ({ name, losses }: DeepRun) => ({
  name,
  hasMarks: false,
  points: Array.from({ length: Math.floor(losses.length / SMOOTHING) }, (_, i) => {
    const end = (i + 1) * SMOOTHING;
    return [end, meanOf(losses.slice(end - SMOOTHING, end))] as const;
  }),
});

const FIRST = 10;
const firstSteps = ({ name, losses }: DeepRun) => ({
  name,
  hasMarks: true,
  points: losses.slice(0, FIRST).map((loss, k) => [k + 1, loss] as const),
});
