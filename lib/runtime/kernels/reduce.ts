/**
 * Reductions over the axes R for every element of the axes O. Each kernel states what it does with one line of
 * numbers, which are the elements over R in row-major order.
 */
import { DimsReader } from "../signature.js";
import type { Kernel, KernelFactory, StorageType } from "../types.js";
import { type Numbers, rounded, scratch } from "./elements.js";
import { ColumnSums, type FoldType, type LineFold, maxLine, minLine, productLine, sumLine } from "./lanes.js";
import { collapse, countOf, forEachIndex, forEachRow, type Layout } from "./strided.js";

/** Reduces n numbers of x, from position `at` in steps of `step`. */
type LineReducer = (x: Numbers, at: number, n: number, step: number, scalars: readonly number[]) => number;

/** The axes of a reduction: O with the strides of input and output, and R with the stride of the input. */
interface Axes {
  outer: Layout;
  reduced: Layout;
}

function readAxes(dims: readonly number[]): Axes {
  const reader = new DimsReader(dims);
  const outer = reader.group();
  const reduced = reader.group();
  const xOuter = reader.strides(outer);
  const xReduced = reader.strides(reduced);
  const yOuter = reader.strides(outer);
  return {
    outer: { sizes: outer, strides: [xOuter, yOuter] },
    reduced: collapse({ sizes: reduced, strides: [xReduced] }),
  };
}

/** A kernel that reduces line by line. Axes R that do not form one line are first copied into one. */
function reduceLines(dtype: StorageType, reduceLine: LineReducer, axes: Axes): Kernel {
  return (buffers, offsets, _dims, scalars) => {
    const [x, y] = buffers as readonly Numbers[];
    const { outer, reduced } = axes;
    const n = countOf(reduced.sizes);
    if (reduced.sizes.length <= 1) {
      const step = reduced.sizes.length === 1 ? reduced.strides[0][0] : 0;
      forEachIndex(outer, offsets, (at) => {
        y[at[1]] = reduceLine(x, at[0], n, step, scalars);
      });
      return;
    }
    const line = scratch(dtype, n);
    forEachIndex(outer, offsets, (at) => {
      let k = 0;
      forEachRow(reduced, [at[0]], (length, [from], [step]) => {
        for (let i = 0; i < length; i++, from += step) line[k++] = x[from];
      });
      y[at[1]] = reduceLine(line, 0, n, 1, scalars);
    });
  };
}

const byLine =
  (make: (dtype: StorageType) => LineReducer): KernelFactory =>
  (dtype) => {
    const reduceLine = make(dtype);
    return (buffers, offsets, dims, scalars) =>
      reduceLines(dtype, reduceLine, readAxes(dims))(buffers, offsets, dims, scalars);
  };

/**
 * Sums, divided by `divisor(n)`: line by line, or, where the input lies the other way (the bias gradient is the
 * common case), all columns of a row of O at once.
 */
const sums =
  (divisor: (n: number) => number): KernelFactory =>
  (dtype) => {
    const type = dtype as FoldType;
    const single = type === "f32";
    const byLines: LineReducer = (x, at, n, step) => finish(sumLine(type, x, at, n, step), n);
    const finish = (sum: number, n: number): number => sum / rounded(single, divisor(n));
    return (buffers, offsets, dims, scalars) => {
      const axes = readAxes(dims);
      if (!liesInColumns(axes)) {
        reduceLines(dtype, byLines, axes)(buffers, offsets, dims, scalars);
        return;
      }
      const [x, y] = buffers as readonly Numbers[];
      const n = countOf(axes.reduced.sizes);
      forEachRow(collapse(axes.outer), offsets, (columns, at, step) => {
        const total = new ColumnSums(type, columns);
        forEachIndex(axes.reduced, [at[0]], ([from]) => total.add(x, from, step[0]));
        const result = total.finish();
        for (let c = 0, j = at[1]; c < columns; c++, j += step[1]) y[j] = finish(result[c], n);
      });
    };
  };

/** Whether neighbours in memory belong to neighbouring sums, and there are enough of those for it to matter. */
function liesInColumns({ outer, reduced }: Axes): boolean {
  const { sizes, strides } = collapse(outer);
  const last = sizes.length - 1;
  if (last < 0 || sizes[last] < 8 || reduced.sizes.length === 0) return false;
  const [x] = reduced.strides;
  return Math.abs(strides[0][last]) < Math.abs(x[x.length - 1]);
}

export const sum = sums(() => 1);

/** Σx / n; NaN for n = 0. */
export const mean = sums((n) => n);

/** A reduction that is a fold and no more. */
const byFold = (foldLine: LineFold): KernelFactory =>
  byLine((dtype) => (x, at, n, step) => foldLine(dtype as FoldType, x, at, n, step));

export const prod = byFold(productLine);

/** The largest number, or NaN if there is one. */
export const max = byFold(maxLine);

/** The smallest number, or NaN if there is one. */
export const min = byFold(minLine);

/** Σ(x − mean)² / max(n − correction, 0), in two passes. */
export const variance = byLine((dtype) => {
  const type = dtype as FoldType;
  const single = type === "f32";
  return (x, at, n, step, [correction]) => {
    const average = rounded(single, sumLine(type, x, at, n, step) / rounded(single, n));
    const squares = scratch(type, n);
    for (let k = 0; k < n; k++, at += step) {
      const d = rounded(single, x[at] - average);
      squares[k] = d * d;
    }
    return sumLine(type, squares, 0, n, 1) / rounded(single, Math.max(n - correction, 0));
  };
});

/** Position in row-major order of the first largest number, or of the first NaN. */
export const argmax = byLine(() => (x, at, n, step) => {
  let best = x[at];
  let position = 0;
  for (let k = 0; k < n && !Number.isNaN(best); k++, at += step) {
    if (!(x[at] <= best)) {
      best = x[at];
      position = k;
    }
  }
  return position;
});

/** Position in row-major order of the first smallest number, or of the first NaN. */
export const argmin = byLine(() => (x, at, n, step) => {
  let best = x[at];
  let position = 0;
  for (let k = 0; k < n && !Number.isNaN(best); k++, at += step) {
    if (!(x[at] >= best)) {
      best = x[at];
      position = k;
    }
  }
  return position;
});

/**
 * The sum of the numbers exp(x − shift), which are left in `terms` (of the element type, at least n long).
 */
export function sumOfExp(
  type: FoldType,
  x: Numbers,
  at: number,
  n: number,
  step: number,
  shift: number,
  terms: Numbers,
): number {
  const single = type === "f32";
  for (let k = 0; k < n; k++, at += step) terms[k] = Math.exp(rounded(single, x[at] - shift));
  return sumLine(type, terms, 0, n, 1);
}

/** m + log Σ exp(x − m), m the maximum; m itself where that is ±∞. */
export const logsumexp = byLine((dtype) => {
  const type = dtype as FoldType;
  const single = type === "f32";
  return (x, at, n, step) => {
    const m = maxLine(type, x, at, n, step);
    if (m === Infinity || m === -Infinity) return m;
    return m + rounded(single, Math.log(sumOfExp(type, x, at, n, step, m, scratch(type, n))));
  };
});
