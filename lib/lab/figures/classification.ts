/** Figure 10. */
import type { Chart } from "../../report/charts.js";
import type { Figure, Panel, PanelRow } from "../experiment.js";
import type { ClassificationData, Course, Standing } from "../experiments/classification.js";
import type { Family } from "../optimizers.js";
import { BLUE, GREEN, GREY, ORANGE, RED, TEAL, VIOLET } from "./colors.js";
import { curvesPanel } from "./curves_panel.js";

type Style = readonly [color: string, dash: "solid" | "dashed" | "dotted"];

/** Relatives share a colour. */
const STYLES: Readonly<Record<string, Style>> = {
  SGD: [GREY, "solid"],
  "Momentum, classic": [BLUE, "solid"],
  "Momentum, averaged": [BLUE, "dashed"],
  "Momentum, unbiased": [TEAL, "solid"],
  "Nesterov, first": [ORANGE, "solid"],
  "Nesterov, second": [ORANGE, "dashed"],
  "Nesterov, PyTorch's": [RED, "dotted"],
  Adagrad: [GREEN, "solid"],
  Adadelta: [RED, "solid"],
  RMSprop: [ORANGE, "solid"],
  Adam: [BLUE, "solid"],
  "Adam, uncorrected": [BLUE, "dashed"],
  AdamW: [BLUE, "dotted"],
  Adamax: [TEAL, "solid"],
  NAdam: [VIOLET, "solid"],
  RAdam: [VIOLET, "dashed"],
  Lion: [ORANGE, "solid"],
  Muon: [VIOLET, "solid"],
  "SAM of SGD": [GREEN, "solid"],
  "L-BFGS": [RED, "solid"],
  "Newton-CG": [BLUE, "solid"],
};
const UNKNOWN: Style = [GREY, "dotted"];
const FAMILIES: readonly (readonly [Family, string])[] = [
  ["momentum", "Momentum"],
  ["adaptive", "Adaptive"],
  ["other", "Sign, matrix and curvature"],
];
/** In every panel, as what others are compared with. */
const REFERENCE = "SGD";

export const classificationFigure: Figure<ClassificationData> = {
  title: "All optimizers on a real task",
  formulas: ["logits = relu(x W_1 + 1b_1ᵀ) W_2 + 1b_2ᵀ", "loss = mean of −log softmax(logits)_y"],
  code: `const step = compile((x, y) => optimizer.step(() => {
  optimizer.zeroGrad();
  const loss = nn.functional.crossEntropy(network.forward(x), y);
  loss.backward();
  return loss;
}));
await step.epoch(train, { batchSize: 100, shuffle: true, generator });      // an epoch is one native call`,
  look: [
    "Everyone starts from the same weights and sees the same batches. By epochs, the rules that scale each coordinate are ahead at first. Averaged momentum at α and classic momentum at (1 − β)α are the same curve.",
    "By seconds the order is much the same: beside the products of forward and backward pass an update costs little, whatever the rule. Those that pay are SAM, which takes two gradients a step, and Muon, which multiplies matrices to make others orthogonal.",
    "L-BFGS and Newton-CG take the whole training set as one batch and one step an epoch, each of which evaluates loss or curvature many times: compare them by seconds. The first epoch includes tracing and compiling. The step sizes work, but no search chose them, so this is no ranking.",
  ],
  rows: ({ courses }) => FAMILIES.flatMap(([family, title]) => familyRows(courses, family, title)),
  facts: ({ layers, trainImages, testImages, batchSize }) => [
    ["network", layers.join(" → ")],
    ["images", `${trainImages} to train on, in batches of ${batchSize}; ${testImages} to test with`],
  ],
  table: ({ courses }) => ({
    head: ["optimizer", "training loss", "test accuracy", "seconds", "settings"],
    rows: courses.map(({ name, settings, standings }) => {
      const { loss, accuracy, seconds } = standings[standings.length - 1];
      return [name, loss.toFixed(4), `${(100 * accuracy).toFixed(1)} %`, seconds.toFixed(2), settings];
    }),
  }),
};

function familyRows(courses: readonly Course[], family: Family, title: string): PanelRow[] {
  const shown = courses.filter((course) => course.family === family || course.name === REFERENCE);
  const panel = (what: Measure, by: "epoch" | "seconds"): Panel => {
    const isBySeconds = by === "seconds";
    const chart: Chart = {
      label: `${what.name} of ${title.toLowerCase()} by ${by}`,
      xName: by,
      yName: what.axis,
      isLogarithmic: what.isLogarithmic,
      isCounted: !isBySeconds,
      yRange: what.range(shown.flatMap(({ standings }) => standings.map(what.of))),
      curves: shown.map(({ name, standings }) => {
        const [color, dash] = STYLES[name] ?? UNKNOWN;
        const points = standings.map((standing) => [standing[by], what.of(standing)] as const);
        return { name, color, dash, points, hasMarks: false };
      }),
    };
    return curvesPanel(`${title}: ${what.name} by ${by}`, chart);
  };
  return (["epoch", "seconds"] as const).map((by) => {
    const row = [panel(LOSS, by), panel(ACCURACY, by)];
    return { shape: "wide", legend: row[0].legend, panels: row.map((each) => ({ ...each, legend: [] })) };
  });
}

interface Measure {
  readonly name: string;
  readonly axis: string;
  readonly isLogarithmic: boolean;
  of(standing: Standing): number;
  /** What the axis shows, for all values of its curves. */
  range(values: readonly number[]): readonly [number, number];
}

const LOSS: Measure = {
  name: "training loss",
  axis: "cross-entropy",
  isLogarithmic: true,
  of: ({ loss }) => loss,
  range: (values) => [10 ** Math.floor(Math.log10(Math.min(...values))), Math.ceil(Math.max(...values))],
};

const ACCURACY: Measure = {
  name: "test accuracy",
  axis: "correct, %",
  isLogarithmic: false,
  of: ({ accuracy }) => 100 * accuracy,
  /** The last steps to the best: every rule comes from a guess. */
  range(values) {
    const best = 5 * Math.ceil(Math.max(...values) / 5);
    return [best - 20, best];
  },
};
