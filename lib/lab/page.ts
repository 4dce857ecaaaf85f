/** The lab's page: every figure with its formulas, its call, what to look for, and the numbers it must meet. */
import { escapeHtml, facts, page, table } from "../report/html.js";
import { STYLE } from "../report/style.js";
import type { RenderSvg } from "../report/svg.js";
import type { Check } from "./checks.js";
import type { DrawnFigure, LegendEntry, PanelRow, PanelShape, StudyResult } from "./experiment.js";
import type { LabResults } from "./run.js";
import { LAB_STYLE } from "./style.js";

/** Names and values. */
type Rows = readonly (readonly [name: string, value: string])[];

/** Panels come in two sizes, since text in a scaled one would be too small on a phone. */
const SIZES: Record<PanelShape, Record<"wide" | "narrow", { width: number; height: number }>> = {
  square: { wide: { width: 440, height: 456 }, narrow: { width: 320, height: 336 } },
  wide: { wide: { width: 480, height: 340 }, narrow: { width: 320, height: 280 } },
  third: { wide: { width: 320, height: 320 }, narrow: { width: 320, height: 280 } },
  full: { wide: { width: 960, height: 340 }, narrow: { width: 320, height: 300 } },
};

/** The page as HTML. Without `render` (no echarts) it has the numbers alone. */
export function labPage(results: LabResults, machine: Rows, render: RenderSvg | null): string {
  const body = [
    header(results),
    ...(render === null ? [WITHOUT_FIGURES] : []),
    ...results.studies.map((result, i) => studySection(result, i + 1, render)),
    `<section><h2>Machine</h2>${facts(machine)}</section>`,
  ];
  return page("thalweg lab", STYLE + LAB_STYLE, body.join("\n"));
}

const WITHOUT_FIGURES =
  '<p class="note">The figures are drawn where the optional package echarts is installed; the numbers are below.</p>';

function header({ studies, source, seconds }: LabResults): string {
  const checks = studies.flatMap((result) => result.checks);
  const met = checks.filter(({ isMet }) => isMet).length;
  const cards = [
    ["numbers met", `${met} of ${checks.length}`, met === checks.length ? "met" : "failed"],
    ["figures", String(studies.length), ""],
    ["images", source, ""],
    ["time", `${seconds.toFixed(1)} s`, ""],
  ].map(
    ([name, value, className]) =>
      `<div><dt>${name}</dt><dd class="${className}">${escapeHtml(value)}</dd></div>`,
  );
  const links = studies.map(({ name, figure, checks: own }, i) => {
    const className = own.every(({ isMet }) => isMet) ? "" : ' class="failed"';
    return `<li><a${className} href="#${name}">${i + 1} ${escapeHtml(figure.title)}</a></li>`;
  });
  const lead =
    "Fully connected networks, optimization and initialization: a lecture's experiments, measured here and held against its numbers.";
  return `<header><h1>The lab</h1><p class="lead">${lead}</p></header><dl class="numbers">${cards.join("")}</dl><ol class="contents">${links.join("")}</ol>`;
}

function studySection(
  { name, figure, checks }: StudyResult,
  number: number,
  render: RenderSvg | null,
): string {
  const { title, formulas, code, look } = figure;
  const parts = [
    `<h2><span class="number">${number}</span>${escapeHtml(title)}</h2>`,
    `<ul class="formulas">${formulas.map((formula) => `<li>${withSubscripts(formula)}</li>`).join("")}</ul>`,
    ...look.map((paragraph) => `<p class="look">${withSubscripts(paragraph)}</p>`),
    ...(render === null ? [] : figure.rows.map((row) => panels(row, render))),
    numbersOf(figure),
    `<pre><code>${escapeHtml(code)}</code></pre>`,
    checksOf(checks),
  ];
  return `<section id="${name}">${parts.join("\n")}</section>`;
}

/** Text with `_x` and `_{…}` as subscripts. */
const withSubscripts = (text: string): string =>
  escapeHtml(text).replace(
    /_(?:\{([^}]*)\}|(\w+))/g,
    (_, braced?: string, word?: string) => `<sub>${braced ?? word}</sub>`,
  );

function panels({ shape, panels: list, legend: shared = [] }: PanelRow, render: RenderSvg): string {
  const figures = list.map(({ title, label, legend, option }) => {
    const images = Object.entries(SIZES[shape]).map(
      ([name, size]) => `<div class="${name}">${render(option(size), size, label)}</div>`,
    );
    return `<figure><figcaption>${escapeHtml(title)}</figcaption>${legendOf(legend)}${images.join("")}</figure>`;
  });
  return `${legendOf(shared)}<div class="panels ${shape}">${figures.join("")}</div>`;
}

function legendOf(legend: readonly LegendEntry[]): string {
  if (legend.length === 0) return "";
  const items = legend.map(({ name, color, dash = "solid" }) => {
    const line = `<i style="border-top: 3px ${dash} ${color}"></i>`;
    return `<li>${line}${escapeHtml(name)}</li>`;
  });
  return `<ul class="legend">${items.join("")}</ul>`;
}

function numbersOf({ facts: rows, table: numbers }: DrawnFigure): string {
  return (
    (rows.length > 0 ? facts(rows, withSubscripts) : "") +
    (numbers === null ? "" : table(numbers.head, numbers.rows))
  );
}

/** Folded up where all are met. */
function checksOf(checks: readonly Check[]): string {
  const met = checks.filter(({ isMet }) => isMet).length;
  const isComplete = met === checks.length;
  const rows = checks.map(({ name, measured, expected, tolerance, isMet }) => {
    const cells = [
      name,
      formatMeasured(measured),
      formatMeasured(expected),
      tolerance,
      isMet ? "met" : "not met",
    ];
    return `<tr${isMet ? "" : ' class="failed"'}>${cells.map((cell) => `<td>${withSubscripts(cell)}</td>`).join("")}</tr>`;
  });
  const head = ["number", "measured", "expected", "tolerance", ""].map((cell) => `<th>${cell}</th>`).join("");
  const summary = `<summary${isComplete ? "" : ' class="failed"'}>${met} of ${checks.length} numbers met</summary>`;
  return `<details${isComplete ? "" : " open"}>${summary}<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${rows.join("\n")}</tbody></table></div></details>`;
}

/** Six digits, and powers of ten where a number is far from 1. */
export function formatMeasured(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-3 && size < 1e6)) return String(Number(value.toPrecision(6)));
  return value.toExponential(2);
}
