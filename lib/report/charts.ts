/** Curves over one axis, as ECharts options; colours are the page's CSS variables. */
import type { EChartsOption, LineSeriesOption } from "echarts";
import { AXIS, LEGEND } from "./svg.js";

/** A named curve; `color` is a CSS colour. */
export interface Curve {
  name: string;
  color: string;
  points: readonly (readonly [x: number, y: number])[];
  /** Mark each point. */
  hasMarks: boolean;
  /** Default solid. */
  dash?: "solid" | "dashed" | "dotted";
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
  /** Values of x are counts: no ticks between integers (default true). */
  isCounted?: boolean;
  /** Names the curves above the chart (default true, where there are several). */
  hasLegend?: boolean;
  /** Ends of the y axis; what lies outside is cut off. Chosen by the values where left out. */
  yRange?: readonly [low: number, high: number];
}

/** Names of powers of ten along an axis. */
const MOST_LABELS = 7;
const MAX_POINTS = 1000;
const MARK_SIZE = 7;
/** Marks of curves with many points would hide the line. */
const SMALL_MARK_SIZE = 4;
const MANY_POINTS = 25;

/** The chart as ECharts takes it. */
export function curvesOption(chart: Chart): EChartsOption {
  const { curves, hasLegend = true } = chart;
  return {
    legend: { ...LEGEND, show: hasLegend && curves.length > 1, top: 0, right: 0 },
    grid: { left: 8, right: 16, top: hasLegend ? 40 : 28, bottom: 28, containLabel: true },
    xAxis: xAxis(chart),
    yAxis: yAxis(chart),
    series: curves.map(seriesOf),
  };
}

function xAxis({ xName, curves, isCounted = true }: Chart): EChartsOption["xAxis"] {
  const common = { ...AXIS, name: xName, nameLocation: "middle" as const, nameGap: 28 };
  const splitLine = { show: false };
  const largest = Math.max(...curves.flatMap(({ points }) => points.map(([x]) => x)));
  const ends = isCounted ? { max: Math.ceil(Math.max(1, largest)), minInterval: 1 } : { max: largest };
  return { ...common, type: "value", splitLine, min: 0, ...ends };
}

function yAxis({ yName, isLogarithmic, yRange }: Chart): EChartsOption["yAxis"] {
  const common = {
    ...AXIS,
    name: yName,
    nameLocation: "end" as const,
    nameTextStyle: { ...AXIS.nameTextStyle, align: "left" as const },
    ...(yRange === undefined ? {} : { min: yRange[0], max: yRange[1] }),
  };
  if (!isLogarithmic) return { ...common, type: "value", scale: true };
  const decades = yRange === undefined ? undefined : Math.log10(yRange[1] / yRange[0]);
  return {
    ...common,
    type: "log",
    // In powers of ten; left to itself, the axis names few of a wide range.
    ...(decades === undefined ? {} : { interval: Math.ceil(decades / MOST_LABELS) }),
    axisLabel: { ...AXIS.axisLabel, formatter: formatPower },
  };
}

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const FEW_DIGITS = 1e4;

/** `10⁻⁸`, and numbers of few digits as they are. */
export function formatPower(value: number): string {
  const exponent = Math.round(Math.log10(value));
  const isPower = Math.abs(value / 10 ** exponent - 1) < 1e-9;
  if (!isPower || (value < FEW_DIGITS && value > 1 / FEW_DIGITS)) return String(Number(value.toPrecision(4)));
  const digits = [...String(Math.abs(exponent))].map((digit) => SUPERSCRIPTS[Number(digit)]).join("");
  return `10${exponent < 0 ? "⁻" : ""}${digits}`;
}

function seriesOf({ name, color, points, hasMarks, dash = "solid" }: Curve): LineSeriesOption {
  const stride = Math.ceil(points.length / MAX_POINTS);
  return {
    type: "line",
    name,
    data: points.filter((_, i) => (points.length - 1 - i) % stride === 0).map((point) => [...point]),
    color,
    lineStyle: { color, width: hasMarks ? 2.5 : 1.5, type: dash },
    itemStyle: { color },
    symbol: "circle",
    symbolSize: points.length > MANY_POINTS ? SMALL_MARK_SIZE : MARK_SIZE,
    showSymbol: hasMarks,
    emphasis: { disabled: true },
    clip: true,
  };
}
