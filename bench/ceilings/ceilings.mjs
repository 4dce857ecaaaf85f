// The machine's limits in the same run (ceilings.cc): the peak of fused multiply-adds, and the bandwidth of
// hand-written loops. Of each the fastest variant counts.
import { fileURLToPath } from "node:url";
import { loadAddon } from "../compile.mjs";

const addon = () => loadAddon(fileURLToPath(new URL("ceilings.cc", import.meta.url)));

// Right after ours and short: it is the same at every turn but for what the machine does at that time.
const TURN = { isCeiling: true, turnNs: 5e6 };

/** The variant with the highest rate over a few tries: `{ run, work }`, work in flops or bytes per call. */
function fastest(variants, calls) {
  const rate = ({ run, work }) => Math.max(...Array.from({ length: 4 }, () => (work * calls) / run(calls)));
  return variants.reduce((best, variant) => (rate(variant) > rate(best) ? variant : best));
}

/** Fused multiply-adds on all threads; work in flops. */
function fmaCeiling(dtype, threads) {
  const isDouble = dtype === "float64";
  const { fma, fmaFlops } = addon();
  const variants = [128, 256, 512].map((bits, variant) => ({
    ...TURN,
    note: `${bits}-bit vectors`,
    work: threads * fmaFlops(isDouble, variant),
    run: (calls) => fma(isDouble, variant, threads, calls),
  }));
  return fastest(variants, 20);
}

/** A loop over large float32 `arrays` of one size; work in bytes. */
function loopCeiling(name, threads, arrays) {
  const { loop, patterns, variants: names } = addon();
  const index = patterns().findIndex((pattern) => pattern.name === name);
  const { moves } = patterns()[index];
  const variants = names().map((note, variant) => ({
    ...TURN,
    note,
    work: moves * arrays[0].byteLength,
    run: (calls) => loop(index, variant, threads, calls, ...arrays),
  }));
  return fastest(variants, 1);
}

/** The ceiling of a case on its operands; undefined where none is known. */
export function ceilingOf({ unit, dtype, pattern }, threads, operands) {
  if (unit === "GFLOP/s") return { ...fmaCeiling(dtype, threads), note: undefined };
  if (!pattern) return undefined;
  const arrays = Object.values(operands).filter(({ length }) => length > 1);
  return loopCeiling(pattern, threads, arrays);
}

// Far beyond any last-level cache: two arrays of 128 MiB.
const COPIED = 1 << 25;

/** The ceilings as rows of their own: `peak fma`, and `peak copy` with bytes read and written. */
export function* ceilingRows(threads) {
  const row = (work, { run, note }) => ({ work, side: { run, note } });
  for (const dtype of ["float32", "float64"]) {
    const fma = fmaCeiling(dtype, threads);
    yield row({ name: "peak fma", shape: [], dtype, unit: "GFLOP/s", flops: fma.work }, fma);
  }
  const arrays = [0, 1].map(() => new Float32Array(COPIED).fill(1));
  const copy = loopCeiling("copy", threads, arrays);
  const common = { name: "peak copy", shape: [COPIED], dtype: "float32", unit: "GB/s" };
  yield row({ ...common, bytes: copy.work }, copy);
}
