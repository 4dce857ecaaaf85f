// Ratios as bars to the right and left of the line at 1, on a logarithmic scale.
import { AXIS, draw, INK } from "./draw.mjs";

const BAR = 20;
const STEPS = [1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16, 32, 64];

/** `rows` have a ratio; `isNarrow` says that there is little width. */
export function bars(rows, { width, isNarrow, label }) {
  const logs = rows.map(({ ratio }) => Math.log2(ratio));
  const most = Math.max(1, Math.ceil(Math.max(...logs) + 0.4));
  const least = Math.min(-1, Math.floor(Math.min(...logs) - 0.4));
  const names = rows.map(({ name }) => name.replace(/^matmul /, "").replace(/x(?=\d)/g, "×"));
  // Wider than ECharts thinks without a DOM: the page's font is not known here.
  const labelWidth = Math.max(...names.map(({ length }) => length)) * (isNarrow ? 6.3 : 7) + 12;
  const ordered = [...rows].reverse(); // the category axis counts from below
  const option = {
    grid: { left: labelWidth, right: 24, top: 8, bottom: 28 },
    xAxis: {
      ...AXIS,
      type: "value",
      min: least,
      max: most,
      interval: most - least > 8 ? 2 : 1,
      axisLabel: {
        ...AXIS.axisLabel,
        formatter: (x) => (STEPS.includes(2 ** x) && x < 0 ? `1/${2 ** -x}` : `${2 ** x}×`),
      },
    },
    yAxis: {
      ...AXIS,
      type: "category",
      data: [...names].reverse(),
      splitLine: { show: false },
      axisLine: { show: false },
      axisLabel: { color: INK, fontSize: isNarrow ? 11 : 12 },
    },
    series: [
      {
        type: "bar",
        barWidth: 11,
        data: ordered.map(({ ratio }) => ({
          value: Math.log2(ratio),
          itemStyle: { color: ratio >= 1 ? "var(--ours)" : "var(--slower)", borderRadius: 2 },
          label: {
            show: true,
            position: ratio >= 1 ? "right" : "left",
            formatter: ratio.toFixed(ratio >= 10 ? 1 : 2),
            color: INK,
            fontSize: 11,
          },
        })),
        markLine: {
          silent: true,
          symbol: "none",
          label: { show: false },
          lineStyle: { color: INK, type: "solid", width: 1.5 },
          data: [{ xAxis: 0 }],
        },
      },
    ],
  };
  return draw(option, { width, height: rows.length * BAR + 44, label });
}
