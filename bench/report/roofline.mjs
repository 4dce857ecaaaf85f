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

// Axes are linear in the logarithm, so that every power of two can have its line.
const log = Math.log2;
const powerOfTwo = (x) => (x < 0 ? `1/${2 ** -x}` : `${2 ** x}`);
const axis = (min, max, more) => ({
  ...AXIS,
  type: "value",
  min,
  max,
  interval: 1,
  axisLabel: { ...AXIS.axisLabel, formatter: powerOfTwo },
  ...more,
});

/** One of the two lines, with its text at a place on it. */
const roof = (data, text, [x, y, position]) => ({
  type: "line",
  data: data.map((point) => point.map(log)),
  symbol: "none",
  silent: true,
  lineStyle: { color: INK, width: 1.5 },
  markPoint: {
    symbol: "circle",
    symbolSize: 0.1,
    label: { show: true, formatter: text, color: MUTED, fontSize: 12, position, distance: 7 },
    data: [{ coord: [log(x), log(y)] }],
  },
  z: 1,
});

const scatter = ({ side, points }) => ({
  type: "scatter",
  name: SIDES[side].label,
  symbol: SIDES[side].symbol,
  symbolSize: side === "thalweg" ? 9 : 8,
  itemStyle: { color: SIDES[side].color, opacity: 0.85 },
  z: side === "thalweg" ? 3 : 2,
  data: points.map(({ value }) => value.map(log)),
});

/** Names of some rows, above their points and the roof. */
function captions(sides, roofAt) {
  const data = Object.entries(NAMED).flatMap(([name, text]) => {
    const values = sides.flatMap(({ points }) =>
      points.filter((point) => point.name === name).map(({ value }) => value),
    );
    if (values.length === 0) return [];
    const [x] = values[0];
    const y = Math.max(roofAt(x), ...values.map((value) => value[1]));
    return [{ coord: [log(x), log(y)], label: { formatter: text } }];
  });
  const label = { show: true, position: "top", distance: 7, color: INK, fontSize: 11 };
  return {
    type: "scatter",
    data: [],
    silent: true,
    markPoint: { symbol: "circle", symbolSize: 0.1, label, data },
  };
}

/** Null where the rows have no ceilings for that count of threads. */
export function roofline(rows, threads, { width, height, isNarrow }) {
  const ceiling = (name) =>
    rows.find((row) => row.name === name && row.threads === threads && row.dtype === "float32");
  const [fma, copy] = CEILINGS.map(ceiling);
  if (!fma || !copy) return null;
  const sides = pointsOf(rows, threads);
  const points = sides.flatMap(({ points }) => points.map(({ value }) => value));
  const [intensities, speeds] = [0, 1].map((i) => points.map((value) => log(value[i])));
  const ridge = fma.median / copy.median;
  const left = Math.floor(Math.min(-1, ...intensities) - 0.3);
  const right = Math.ceil(Math.max(log(ridge) + 2, ...intensities) + 0.3);
  const bottom = Math.floor(Math.min(log(copy.median) - 2, ...speeds) - 0.5);
  const top = Math.ceil(Math.max(log(fma.median), ...speeds) + 0.4);
  const start = Math.max(2 ** left, 2 ** bottom / copy.median);
  const onSlope = Math.sqrt(start * ridge);
  const slope = [onSlope, onSlope * copy.median, "right"];
  const flat = [2 ** (right - 2), fma.median, isNarrow ? "top" : [-40, -40]];
  const option = {
    legend: {
      top: 0,
      left: 0,
      itemGap: 16,
      itemWidth: 10,
      itemHeight: 10,
      data: sides.map(({ side }) => SIDES[side].label),
      textStyle: { color: INK, fontSize: 12 },
    },
    grid: { left: 8, right: 18, top: isNarrow ? 84 : 60, bottom: 30, containLabel: true },
    xAxis: axis(left, right, { name: "flop per byte of operands", nameLocation: "middle", nameGap: 30 }),
    yAxis: axis(bottom, top, { name: "GFLOP/s", nameTextStyle: { ...AXIS.nameTextStyle, align: "left" } }),
    series: [
      roof(
        [
          [start, start * copy.median],
          [ridge, fma.median],
        ],
        `copy ${copy.median.toFixed(0)} GB/s`,
        slope,
      ),
      roof(
        [
          [ridge, fma.median],
          [2 ** right, fma.median],
        ],
        `FMA ${fma.median.toFixed(0)} GFLOP/s`,
        flat,
      ),
      ...sides.map(scatter),
      ...(isNarrow ? [] : [captions(sides, (x) => Math.min(x * copy.median, fma.median))]),
    ],
  };
  return draw(option, { width, height, label: `Roofline, ${threadsOf(threads)}` });
}
