// From nanoseconds to rows: their fields, and a line of the table for each as soon as it is measured.
import { median, medianRatio } from "./harness.mjs";

const IN_UNIT = {
  "GFLOP/s": ({ flops }, ns) => flops / ns,
  "GB/s": ({ bytes }, ns) => bytes / ns,
  us: (_work, ns) => ns / 1e3,
  "samples/s": ({ samples }, ns) => (samples / ns) * 1e9,
};

/**
 * Nanoseconds that a training step takes at least: its operations and bytes at the rates of the ceilings among the rows
 * of the same run, on as many threads. Undefined where these are not measured yet.
 */
export function floorNs({ floor: { flops, bytes } }, rows, threads) {
  const [fma, copy] = ["peak fma", "peak copy"].map((name) =>
    rows.find((row) => row.name === name && row.threads === threads && row.dtype === "float32"),
  );
  return fma && copy && flops / fma.median + bytes / copy.median;
}

/**
 * One row of turns measured. `by` says who ran our side (backend, isa, threads); `theirs` and `ceiling` are null where
 * there is none. `floorNs` is what a call takes at least, where that is known instead of a ceiling. The fields after
 * `against` are ours, beyond the contract: the other's median in the row's unit, flops and bytes of a call, a note.
 */
export function makeRow(work, { by, residual, against, note, floorNs }, { ours, theirs, ceiling }) {
  const convert = (ns) => IN_UNIT[work.unit](work, ns);
  const amount = work.unit === "GFLOP/s" ? work.flops : work.bytes;
  const ofFloor = floorNs === undefined ? null : floorNs / median(ours);
  return {
    name: work.name,
    shape: work.shape,
    dtype: work.dtype,
    ...by,
    median: convert(median(ours)),
    best: convert(Math.min(...ours)),
    unit: work.unit,
    peakFraction: ceiling ? (medianRatio(ours, ceiling.times) * amount) / ceiling.work : ofFloor,
    residual: residual ?? null,
    ratio: theirs ? medianRatio(ours, theirs) : null,
    against: against ?? null,
    theirs: theirs ? convert(median(theirs)) : null,
    flops: work.flops ?? null,
    bytes: work.bytes ?? null,
    note: note ?? null,
  };
}

/** A row's name with its type where the name does not say it and it is not float32. */
export const titleOf = ({ name, dtype }) =>
  dtype === "float64" && !name.endsWith("f64") ? `${name} f64` : name;

const NAME_WIDTH = 37;
const number = (x) => x.toPrecision(4).padStart(10);
const optional = (x) => (x === null ? "" : x.toFixed(2)).padStart(8);

export const HEADER = `${"name".padEnd(NAME_WIDTH)} thr${"median".padStart(10)}${"best".padStart(10)} ${"unit".padEnd(10)}${"of peak".padStart(8)}${"ratio".padStart(8)}  against`;

export function formatRow(row) {
  const { threads, median, best, unit, peakFraction, ratio, against, note } = row;
  return (
    `${titleOf(row).padEnd(NAME_WIDTH)}${String(threads).padStart(4)}${number(median)}${number(best)} ${unit.padEnd(10)}` +
    `${optional(peakFraction)}${optional(ratio)}  ${against ?? ""}${note ? ` (${note})` : ""}`
  ).trimEnd();
}

export const formatFailure = ({ name }, error) => `${name.padEnd(NAME_WIDTH)} FAILED: ${error.message}`;
