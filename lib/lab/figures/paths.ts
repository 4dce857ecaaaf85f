/** Paths over the contours of the quadratic, and the objective along them. */
import type { CustomSeriesOption, EChartsOption, LineSeriesOption, ScatterSeriesOption } from "echarts";
import { AXIS, CARD, INK } from "../../report/svg.js";
import type { Panel } from "../experiment.js";
import { type Point, START } from "../lecture.js";
import { EIGENPAIRS, type Path } from "../quadratic.js";
import { curvesPanel } from "./curves_panel.js";

/** A path with its colour. */
export interface ColoredPath {
  readonly path: Path;
  readonly color: string;
}

/** Half the width of the part of the plane that is shown. */
const REACH = 5;
const CONTOUR = "var(--contour)";
/** f at the start is 18.16. */
const LEVELS = [0.3, 1.5, 4, 8, 13, 18.16, 25, 34, 45, 60, 80];
const CORNERS = 72;

/** Contours with paths, both axes to the same scale in a square. */
export function pathsPanel(title: string, paths: readonly ColoredPath[]): Panel {
  const names = paths.map(({ path }) => path.name).join(" and ");
  return {
    title,
    label: `Contours of the quadratic with the path of ${names}`,
    legend: paths.length > 1 ? paths.map(({ path, color }) => ({ name: path.name, color })) : [],
    option: () => contourOption(paths),
  };
}

function contourOption(paths: readonly ColoredPath[]): EChartsOption {
  const axis = {
    ...AXIS,
    type: "value" as const,
    min: -REACH,
    max: REACH,
    interval: 2.5,
    splitLine: { show: false },
  };
  return {
    grid: { left: 36, right: 12, top: 12, bottom: 36 },
    xAxis: { ...axis, name: "θ₁", nameLocation: "middle", nameGap: 22, axisLine: { show: false } },
    yAxis: { ...axis, name: "θ₂", nameLocation: "middle", nameGap: 24, axisLine: { show: false } },
    series: [contours(), ...paths.map(pathSeries), ends()],
  };
}

/** Filled ellipses, the outermost first, so that the ground darkens towards the optimum. */
function contours(): CustomSeriesOption {
  const levels = [...LEVELS].reverse();
  return {
    type: "custom",
    silent: true,
    clip: true,
    data: levels.map((level) => [level]),
    renderItem: ({ dataIndex }, api) => ({
      type: "polygon",
      shape: { points: ellipse(levels[dataIndex]).map(([x, y]) => api.coord([x, y])) },
      style: { fill: CONTOUR, fillOpacity: 0.07, stroke: CONTOUR, strokeOpacity: 0.55, lineWidth: 1 },
    }),
  };
}

/** Points where f has one value: along each eigenvector, √(2f/λ) from the optimum. */
function ellipse(level: number): Point[] {
  return Array.from({ length: CORNERS }, (_, i): Point => {
    const angle = (2 * Math.PI * i) / CORNERS;
    const along = [Math.cos(angle), Math.sin(angle)].map(
      (share, k) => share * Math.sqrt((2 * level) / EIGENPAIRS[k].value),
    );
    return [0, 1].map((axis) =>
      EIGENPAIRS.reduce((sum, { vector }, k) => sum + along[k] * vector[axis], 0),
    ) as unknown as Point;
  });
}

const pathSeries = ({ path, color }: ColoredPath): LineSeriesOption => ({
  type: "line",
  name: path.name,
  data: path.iterates.map((point) => [...point]),
  clip: true,
  color,
  lineStyle: { color, width: 1.75 },
  itemStyle: { color, borderColor: CARD, borderWidth: 0.75 },
  symbol: "circle",
  symbolSize: 6,
  showSymbol: true,
  showAllSymbol: true,
  emphasis: { disabled: true },
});

/** Where paths begin, and the optimum. */
const ends = (): ScatterSeriesOption => ({
  type: "scatter",
  silent: true,
  z: 5,
  data: [
    {
      value: [...START],
      symbol: "circle",
      symbolSize: 9,
      itemStyle: { color: CARD, borderColor: INK, borderWidth: 2 },
      label: { show: true, formatter: "start", position: "left", color: INK, fontSize: 12 },
    },
    {
      value: [0, 0],
      symbol: "path://M-1 0L1 0M0 -1L0 1",
      symbolSize: 11,
      itemStyle: { color: "none", borderColor: INK, borderWidth: 1.5 },
    },
  ],
});

/** The objective after each update, on a logarithmic axis. */
export function objectivePanel(paths: readonly ColoredPath[], yRange: readonly [number, number]): Panel {
  return curvesPanel("Objective", {
    label: `Objective by update for ${paths.map(({ path }) => path.name).join(", ")}`,
    xName: "update",
    yName: "f(θ)",
    isLogarithmic: true,
    yRange,
    curves: paths.map(({ path, color }) => ({
      name: path.name,
      color,
      // Zero, where Newton arrives, has no place on a logarithmic axis.
      points: path.objective.map((value, k) => [k, Math.max(value, yRange[0] / 10)] as const),
      hasMarks: true,
    })),
  });
}
