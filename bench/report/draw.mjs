// Inline SVG without scripts, drawn by ECharts on the server; colours are the page's CSS variables.
import * as echarts from "echarts";

export const INK = "var(--ink)";
export const MUTED = "var(--muted)";
export const LINE = "var(--line)";

export const AXIS = {
  axisLine: { show: true, onZero: false, lineStyle: { color: LINE } },
  axisTick: { show: false },
  axisLabel: { color: MUTED, fontSize: 12 },
  nameTextStyle: { color: MUTED, fontSize: 12 },
  splitLine: { lineStyle: { color: LINE } },
  minorSplitLine: { show: false },
};

/** Draws an ECharts option at a size in CSS pixels. `label` is for readers who do not see it. */
export function draw(option, { width, height, label }) {
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: "transparent",
      // Without a DOM the widths of letters are estimated for this family.
      textStyle: { fontFamily: "sans-serif" },
      ...option,
    });
    const svg = chart.renderToSVGString({ useViewBox: true }).replace(/<style[\s\S]*?<\/style>/, "");
    return svg.replace("<svg ", `<svg role="img" aria-label="${label}" `);
  } finally {
    chart.dispose();
  }
}
