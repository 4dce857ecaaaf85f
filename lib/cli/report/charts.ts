/** Curves as inline SVG without scripts, drawn by ECharts on the server; colours are the page's CSS variables. */
import type { EChartsOption, LineSeriesOption } from "echarts";

/** A named curve; `color` is a CSS colour. */
export interface Curve {
  name: string;
  color: string;
  points: readonly (readonly [x: number, y: number])[];
  /** Mark each point. */
  hasMarks: boolean;
}

/** What to draw. */
export interface Chart {
  /** For readers who do not see it. */
  label: string;
  xName: string;
  yName: string;
  curves: readonly Curve[];
  /** A logarithmic y axis, for values above 0. */
  isLogarithmic: boolean;
}

/** Draws one chart in the given size (CSS pixels). */
export type DrawChart = (chart: Chart, size: { width: number; height: number }) => string;

const INK = "var(--ink)";
const MUTED = "var(--muted)";
const GRID_LINE = "var(--line)";
// Without a DOM the widths of letters are estimated for this family.
const FONT = "sans-serif";
const MAX_POINTS = 1000;

/** A function that draws; null where the optional package `echarts` is not installed. */
export async function chartDrawer(): Promise<DrawChart | null> {
  let echarts: typeof import("echarts");
  try {
    echarts = await import("echarts");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND") return null;
    throw error;
  }
  return (chart, size) => {
    const instance = echarts.init(null, null, { renderer: "svg", ssr: true, ...size });
    try {
      instance.setOption(optionOf(chart));
      // The style is for a pointer over the chart; nothing here reacts to one.
      const svg = instance.renderToSVGString({ useViewBox: true }).replace(/<style[\s\S]*?<\/style>/, "");
      return svg.replace("<svg ", `<svg role="img" aria-label="${chart.label}" `);
    } finally {
      instance.dispose();
    }
  };
}

function optionOf({ xName, yName, curves, isLogarithmic }: Chart): EChartsOption {
  const axis = {
    axisLine: { lineStyle: { color: GRID_LINE } },
    axisTick: { show: false },
    axisLabel: { color: MUTED, fontSize: 12 },
    nameTextStyle: { color: MUTED, fontSize: 12 },
    splitLine: { lineStyle: { color: GRID_LINE } },
    minorSplitLine: { show: false },
  };
  return {
    animation: false,
    backgroundColor: "transparent",
    textStyle: { fontFamily: FONT },
    legend: {
      show: curves.length > 1,
      top: 0,
      right: 0,
      icon: "roundRect",
      itemWidth: 14,
      itemHeight: 4,
      textStyle: { color: INK, fontSize: 12 },
    },
    grid: { left: 8, right: 16, top: 40, bottom: 28, containLabel: true },
    xAxis: {
      ...axis,
      type: "value",
      name: xName,
      nameLocation: "middle",
      nameGap: 28,
      min: 0,
      max: Math.ceil(Math.max(1, ...curves.flatMap(({ points }) => points.map(([x]) => x)))),
      minInterval: 1,
      splitLine: { show: false },
    },
    yAxis: {
      ...axis,
      type: isLogarithmic ? "log" : "value",
      name: yName,
      nameLocation: "end",
      nameTextStyle: { ...axis.nameTextStyle, align: "left" },
      scale: true,
    },
    series: curves.map(seriesOf),
  };
}

function seriesOf({ name, color, points, hasMarks }: Curve): LineSeriesOption {
  const stride = Math.ceil(points.length / MAX_POINTS);
  return {
    type: "line",
    name,
    data: points.filter((_, i) => (points.length - 1 - i) % stride === 0).map((point) => [...point]),
    color,
    lineStyle: { color, width: hasMarks ? 2.5 : 1.5 },
    itemStyle: { color },
    symbol: "circle",
    symbolSize: 7,
    showSymbol: hasMarks,
    emphasis: { disabled: true },
  };
}
