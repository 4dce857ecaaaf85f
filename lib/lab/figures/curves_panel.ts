/** A chart of curves as a panel. */
import { type Chart, curvesOption } from "../../report/charts.js";
import type { Panel } from "../experiment.js";

/** Curves without a name are drawn, but not named. */
export const curvesPanel = (title: string, chart: Chart): Panel => ({
  title,
  label: chart.label,
  legend: chart.curves.length > 1 ? chart.curves.filter(({ name }) => name !== "") : [],
  option: () => curvesOption({ ...chart, hasLegend: false }),
});
