// A run as one HTML page without scripts or outside resources: rooflines, ratios, and every row as a table.
import { escapeHtml, facts, page, section, table } from "../../dist/report/html.js";
import { STYLE } from "../../dist/report/style.js";
import { geometricMean } from "../harness.mjs";
import { describeMachine } from "../machine.mjs";
import { titleOf } from "../rows.mjs";
import { ratiosToBetterBlas } from "../summary.mjs";
import { bars } from "./bars.mjs";
import { labelOf, SIDES, threadsOf } from "./names.mjs";
import { roofline } from "./roofline.mjs";

const COLORS = `
:root { --ours: #1f6fb2; --slower: #b3372f; --s1: #c4781c; --s2: #2c8a5a; --s3: #a33c8f; --s4: #7a6a1f; --s5: #5b5fc7; --s6: #b3372f; --s7: #667085; }
@media (prefers-color-scheme: dark) {
  :root { --ours: #62b0ee; --slower: #f08a80; --s1: #e5a04b; --s2: #5cc592; --s3: #dd86cb; --s4: #cdbb5a; --s5: #9ea2f5; --s6: #f08a80; --s7: #98a3b3; }
}
h3 { margin: 22px 0 4px; font-size: 15px; }
h3 small { color: var(--muted); font-weight: 400; }
.peers { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 32px; align-items: start; }
.peers > div { min-width: 0; }
.numbers { grid-template-columns: repeat(auto-fit, minmax(180px, 1fr)); }
.numbers dd { margin: 0 0 4px; }
details summary { cursor: pointer; color: var(--muted); }
@media (max-width: 760px) { .peers { grid-template-columns: 1fr; } }
@media (max-width: 620px) { .wide { display: none; } .narrow { display: block; } }
`;

/** The same drawing for wide and for narrow pages; the style sheet shows one of them. */
const both = (wide, narrow) => `<div class="wide">${wide}</div><div class="narrow">${narrow}</div>`;

const threadCounts = (rows) => [...new Set(rows.map(({ threads }) => threads))].sort((a, b) => a - b);

function headline(rows) {
  const numbers = [...ratiosToBetterBlas(rows)].map(([threads, ratios]) => [
    `products, against the better of OpenBLAS and BLIS, ${threadsOf(threads)}`,
    `${geometricMean([...ratios.values()]).toFixed(2)}×`,
  ]);
  for (const against of ["pytorch", "ts"]) {
    const ratios = rows
      .filter((row) => row.against === against && row.threads === 1)
      .map(({ ratio }) => ratio);
    if (ratios.length === 0) continue;
    numbers.push([`all rows against ${labelOf(against)}, 1 thread`, `${geometricMean(ratios).toFixed(2)}×`]);
  }
  const large = rows.filter(
    ({ name, threads, peakFraction }) =>
      threads === 1 && peakFraction !== null && /^matmul (512|1024|2048)x\1x\1 ..$/.test(name),
  );
  if (large.length > 0) {
    const least = Math.min(...large.map(({ peakFraction }) => peakFraction));
    numbers.push([
      "of the peak of fused multiply-adds, 512³ and above, at least",
      `${(100 * least).toFixed(0)} %`,
    ]);
  }
  const items = numbers.map(
    ([name, value]) => `<div><dd>${escapeHtml(value)}</dd><dt>${escapeHtml(name)}</dt></div>`,
  );
  return `<dl class="numbers">${items.join("")}</dl>`;
}

function rooflineSection(rows) {
  const drawings = threadCounts(rows).flatMap((threads) => {
    const wide = roofline(rows, threads, { width: 960, height: 520, isNarrow: false });
    const narrow = roofline(rows, threads, { width: 340, height: 420, isNarrow: true });
    return wide ? [`<h3>${threadsOf(threads)}</h3>${both(wide, narrow)}`] : [];
  });
  if (drawings.length === 0) return "";
  const note =
    '<p class="note">Each point is one row: its arithmetic over the bytes of its operands, against its speed. The lines ' +
    "are what this machine reached in the same run with nothing but fused multiply-adds, and with nothing but copying. " +
    "Operands that caches hold may lie above the slope.</p>";
  return section("Roofline", note + drawings.join(""));
}

const KINDS = [
  { title: "matrix products", has: ({ name }) => name.startsWith("matmul") },
  { title: "training", has: ({ name }) => /^(train|mnist)/.test(name) },
  { title: "everything else", has: () => true },
];
const kindOf = (row) => KINDS.find(({ has }) => has(row));

function ratioSection(rows, threads) {
  const groups = Object.keys(SIDES).flatMap((side) => {
    const ofSide = rows.filter(
      (row) => row.against === side && row.threads === threads && row.ratio !== null,
    );
    return KINDS.map((kind) => ({
      side,
      kind: kind.title,
      some: ofSide.filter((row) => kindOf(row) === kind),
    })).filter(({ some }) => some.length > 0);
  });
  if (groups.length === 0) return "";
  const drawings = groups.map(({ side, kind, some }) => {
    const title = `${labelOf(side)} <small>${kind}, geometric mean ${geometricMean(some.map(({ ratio }) => ratio)).toFixed(2)}</small>`;
    const label = `Ratios to ${labelOf(side)}, ${kind}`;
    const chart = (width, isNarrow) => bars(some, { width, isNarrow, label });
    return `<div><h3>${title}</h3>${both(chart(500, false), chart(330, true))}</div>`;
  });
  const note =
    '<p class="note">The other\'s time over ours, median of pairs that took turns. Right of the line ours is faster.</p>';
  return section(`Ratios, ${threadsOf(threads)}`, `${note}<div class="peers">${drawings.join("")}</div>`);
}

function everyRow(rows) {
  const head = ["row", "threads", "median", "best", "unit", "of peak", "ratio", "against", "residual"];
  const body = rows.map((row) => [
    titleOf(row),
    String(row.threads),
    row.median.toPrecision(4),
    row.best.toPrecision(4),
    row.unit,
    row.peakFraction?.toFixed(2) ?? "",
    row.ratio?.toFixed(2) ?? "",
    row.against ? labelOf(row.against) : "",
    row.residual === null ? "" : row.residual.toExponential(1),
  ]);
  return section(
    "Every row",
    `<details><summary>${rows.length} rows</summary>${table(head, body)}</details>`,
  );
}

/** The page for the rows of one or more runs on this machine. */
export function reportPage(rows) {
  const body = [
    "<header><h1>thalweg: kernels against the machine and its peers</h1>",
    `<p class="lead">${escapeHtml(describeMachine()[0][1])}</p></header>`,
    headline(rows),
    rooflineSection(rows),
    ...threadCounts(rows).map((threads) => ratioSection(rows, threads)),
    everyRow(rows),
    section("Machine", facts(describeMachine())),
  ];
  return page("thalweg benchmark", STYLE + COLORS, body.join("\n"));
}
