/** ECharts on the server: an option in, SVG without scripts out. What is drawn belongs elsewhere. */
import type { EChartsOption } from "echarts";
import { escapeHtml } from "./html.js";

/** In CSS pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Draws an option as an image whose content `label` tells to those who do not see it. */
export type RenderSvg = (option: EChartsOption, size: Size, label: string) => string;

/** Colours are the page's CSS variables, so that one image serves light and dark. */
export const INK = "var(--ink)";
export const MUTED = "var(--muted)";
export const GRID_LINE = "var(--line)";
export const CARD = "var(--card)";

/** What all images have in common. */
export const PLAIN: EChartsOption = {
  animation: false,
  backgroundColor: "transparent",
  // Without a DOM the widths of letters are estimated for this family.
  textStyle: { fontFamily: "sans-serif" },
};

/** Looks of an axis. */
export const AXIS = {
  axisLine: { lineStyle: { color: GRID_LINE } },
  axisTick: { show: false },
  axisLabel: { color: MUTED, fontSize: 12 },
  nameTextStyle: { color: MUTED, fontSize: 12 },
  splitLine: { lineStyle: { color: GRID_LINE } },
  minorSplitLine: { show: false },
};

/** Looks of a legend. */
export const LEGEND = {
  icon: "roundRect",
  itemWidth: 14,
  itemHeight: 4,
  textStyle: { color: INK, fontSize: 12 },
};

/** A function that draws; null where the optional package `echarts` is not installed. */
export async function svgRenderer(): Promise<RenderSvg | null> {
  let echarts: typeof import("echarts");
  try {
    echarts = await import("echarts");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND") return null;
    throw error;
  }
  return (option, size, label) => {
    const instance = echarts.init(null, null, { renderer: "svg", ssr: true, ...size });
    try {
      instance.setOption({ ...PLAIN, ...option });
      // The style is for a pointer over the chart; nothing here reacts to one.
      const svg = instance.renderToSVGString({ useViewBox: true }).replace(/<style[\s\S]*?<\/style>/, "");
      return svg.replace("<svg ", `<svg role="img" aria-label="${escapeHtml(label)}" `);
    } finally {
      instance.dispose();
    }
  };
}
