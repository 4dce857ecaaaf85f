// Arithmetic per byte against speed, under the two ceilings that the machine has: bytes from memory, and arithmetic.
import { AXIS, draw, INK, MUTED } from "./draw.mjs";
import { CEILINGS, SIDES, threadsOf } from "./names.mjs";

/** Rows whose arithmetic and bytes are counted: products, and what streams through memory. */
const isPoint = ({ name, flops, bytes, dtype, threads }, wanted) =>
  flops &&
  bytes &&
  dtype === "float32" &&
  threads === wanted &&
  !CEILINGS.includes(name) &&
  !/^(eager|program)/.test(name);

const speed = ({ unit, flops, bytes }, value) => (unit === "GB/s" ? (value * flops) / bytes : value);

/** One point per side and name; a row that was measured more than once (against several peers) counts by its median. */
function pointsOf(rows, threads) {
  const bySide = new Map(Object.keys(SIDES).map((side) => [side, new Map()]));
  for (const row of rows.filter((one) => isPoint(one, threads))) {
    const add = (side, value) => {
      if (!bySide.get(side)?.has(row.name)) bySide.get(side)?.set(row.name, []);
      bySide
        .get(side)
        ?.get(row.name)
        .push([row.flops / row.bytes, speed(row, value)]);
    };
    if (row.backend === "native") add("thalweg", row.median);
    if (row.theirs !== null && row.against !== "ts") add(row.against, row.theirs);
  }
  const middle = (points) => points.sort((a, b) => a[1] - b[1])[points.length >> 1];
  return [...bySide]
    .filter(([, names]) => names.size > 0)
    .map(([side, names]) => ({
      side,
      points: [...names].map(([name, points]) => ({ name, value: middle(points) })),
    }));
}

const NAMED = {
  "matmul 64x64x64 nn": "64³",
  "matmul 2048x2048x2048 nn": "2048³",
  "matmul 128x784x256 nn": "128×784×256",
  "matmul 8x1024x1024 nn": "8×1024×1024",
  "matmul 1x1024x1024 nn": "1×1024×1024",
  "adam 16777216": "adam",
  "sum 67108864": "sum",
  "add 16777216": "add",
};

/** Null where the rows have no ceilings for that count of threads. */
export function roofline(rows, threads, { width, height, isNarrow }) {
  const ceiling = (name) =>
    rows.find((row) => row.name === name && row.threads === threads && row.dtype === "float32");
  const [fma, copy] = CEILINGS.map(ceiling);
  if (!fma || !copy) return null;
  const [left, right] = [1 / 16, 512];
  const ridge = fma.median / copy.median;
  const bottom = 10 ** Math.floor(Math.log10(left * copy.median));
  const top = 10 ** Math.ceil(Math.log10(fma.median * 1.05));
  const roof = (data, text, position) => ({
    type: "line",
    data,
    symbol: "none",
    silent: true,
    lineStyle: { color: INK, width: 1.5 },
    endLabel: { show: false },
    markPoint: {
      symbol: "circle",
      symbolSize: 0.1,
      data: [
        {
          coord: position,
          label: { show: true, formatter: text, color: MUTED, fontSize: 12, position: "top" },
        },
      ],
    },
    z: 1,
  });
  const sides = pointsOf(rows, threads);
  const scatter = ({ side, points }) => ({
    type: "scatter",
    name: SIDES[side].label,
    symbol: SIDES[side].symbol,
    symbolSize: side === "thalweg" ? 10 : 8,
    itemStyle: { color: SIDES[side].color, opacity: side === "thalweg" ? 0.9 : 0.75 },
    z: side === "thalweg" ? 3 : 2,
    data: points.map(({ name, value }) => ({
      value,
      label: {
        show: side === "thalweg" && !isNarrow && name in NAMED,
        formatter: NAMED[name],
        position: "bottom",
        color: INK,
        fontSize: 11,
      },
    })),
    labelLayout: { hideOverlap: true },
  });
  const option = {
    legend: {
      top: 0,
      left: 0,
      data: sides.map(({ side }) => SIDES[side].label),
      textStyle: { color: INK, fontSize: 12 },
    },
    grid: { left: 8, right: 18, top: isNarrow ? 76 : 52, bottom: 30, containLabel: true },
    xAxis: {
      ...AXIS,
      type: "log",
      logBase: 2,
      min: left,
      max: right,
      name: "arithmetic per byte of operands (flop/byte)",
      nameLocation: "middle",
      nameGap: 30,
      axisLabel: { ...AXIS.axisLabel, formatter: (x) => (x < 1 ? `1/${1 / x}` : `${x}`), hideOverlap: true },
    },
    yAxis: {
      ...AXIS,
      type: "log",
      min: bottom,
      max: top,
      name: "GFLOP/s",
      nameLocation: "end",
      nameTextStyle: { ...AXIS.nameTextStyle, align: "left" },
    },
    series: [
      roof(
        [
          [left, left * copy.median],
          [ridge, fma.median],
        ],
        isNarrow ? "" : `copy ${copy.median.toFixed(0)} GB/s`,
        [left * 5, left * 6.6 * copy.median],
      ),
      roof(
        [
          [ridge, fma.median],
          [right, fma.median],
        ],
        `FMA ${fma.median.toFixed(0)} GFLOP/s`,
        [isNarrow ? 64 : 160, fma.median],
      ),
      ...sides.map(scatter),
    ],
  };
  return draw(option, { width, height, label: `Roofline, ${threadsOf(threads)}` });
}
