/** Figure 9. */
import type { CustomSeriesOption, EChartsOption, LineSeriesOption } from "echarts";
import { AXIS } from "../../report/svg.js";
import type { Figure, Panel } from "../experiment.js";
import { type CentralLimitData, normalDensity, type Sums } from "../experiments/central_limit.js";
import { BLUE, ORANGE, TEAL } from "./colors.js";

const DENSITY = "normal density, variance c/n · ‖x‖²";
const REACH = 4;
const CURVE_POINTS = 161;
const COLORS = [BLUE, TEAL];

export const centralLimitFigure: Figure<CentralLimitData> = {
  title: "The central limit in one layer",
  formulas: ["z = Σ w_i x_i,  E w = 0,  Var w = c/n", "z → N(0, c/n · ‖x‖²)", "E relu(z)² = ½ E z²"],
  code: `const weight = init.normal(zeros([784, 20000]), { std: Math.sqrt(2 / 784) });
const z = x.matmul(weight);                   // one image, 20,000 units
z.relu().eq(0).astype("float32").mean();      // half of them are zero`,
  look: [
    "One image through 20,000 units: the sums follow the normal density with the predicted variance, not only for normal weights (left) but also for weights drawn uniformly (right), which look nothing like it one by one.",
    "ReLU sets half of them to zero and so halves the second moment. That is the whole reason for c = 2: what ReLU takes away, the variance of the weights gives back.",
  ],
  rows: (data) => [{ shape: "wide", panels: data.sums.map((sums, i) => histogram(sums, data, COLORS[i])) }],
  table: ({ predicted, sums }) => ({
    head: ["weights", "variance", "predicted", "zeros after ReLU", "second moment after ReLU"],
    rows: sums.map(({ name, variance, zeroShare, secondMoment }) => [
      name,
      variance.toFixed(4),
      predicted.toFixed(4),
      `${(100 * zeroShare).toFixed(1)} %`,
      `${secondMoment.toFixed(3)} of that before`,
    ]),
  }),
};

function histogram({ name, density }: Sums, { bins, binWidth }: CentralLimitData, color: string): Panel {
  const bars: CustomSeriesOption = {
    type: "custom",
    name: `pre-activations, ${name}`,
    color,
    silent: true,
    data: bins.map((middle, i) => [middle, density[i]]),
    renderItem: (_, api) => {
      const [middle, height] = [Number(api.value(0)), Number(api.value(1))];
      const [left, top] = api.coord([middle - binWidth / 2, height]);
      const [right, bottom] = api.coord([middle + binWidth / 2, 0]);
      // A gap of one pixel keeps bars apart.
      const shape = { x: left, y: top, width: right - left - 1, height: bottom - top };
      return { type: "rect", shape, style: { fill: color, fillOpacity: 0.55 } };
    },
  };
  const curve: LineSeriesOption = {
    type: "line",
    name: DENSITY,
    color: ORANGE,
    showSymbol: false,
    lineStyle: { color: ORANGE, width: 2.25 },
    data: Array.from({ length: CURVE_POINTS }, (_, i) => {
      const x = -REACH + (2 * REACH * i) / (CURVE_POINTS - 1);
      return [x, normalDensity(x)];
    }),
  };
  const option: EChartsOption = {
    grid: { left: 8, right: 16, top: 12, bottom: 28, containLabel: true },
    xAxis: {
      ...AXIS,
      type: "value",
      min: -REACH,
      max: REACH,
      name: "z, in predicted standard deviations",
      nameLocation: "middle",
      nameGap: 28,
      splitLine: { show: false },
    },
    yAxis: { ...AXIS, type: "value", min: 0, max: 0.5, axisLine: { show: false } },
    series: [bars, curve],
  };
  return {
    title: name,
    label: `Histogram of pre-activations for ${name}`,
    legend: [
      { name: "pre-activations", color },
      { name: DENSITY, color: ORANGE },
    ],
    option: () => option,
  };
}
