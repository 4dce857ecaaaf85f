/** Softmax and log-softmax over the last axis, and their derivatives. Every step is rounded to the element type. */
import { DimsReader } from "../signature.js";
import type { KernelFactory } from "../types.js";
import { type Numbers, rounded, scratch } from "./elements.js";
import { type FoldType, maxLine, sumLine } from "./lanes.js";
import { sumOfExp } from "./reduce.js";
import { forEachIndex } from "./strided.js";

/** One line of n numbers: x from i in steps of si (and g from j) to the output z from k. */
type LineLoop = (
  type: FoldType,
  n: number,
  x: Numbers,
  i: number,
  si: number,
  g: Numbers,
  j: number,
  sj: number,
  z: Numbers,
  k: number,
  sk: number,
  terms: Numbers,
) => void;

/** A row with `inputs` operands (one or two) and one output, all of shape [B, n]. */
const overLines =
  (inputs: 1 | 2, loop: LineLoop): KernelFactory =>
  (dtype) =>
  (buffers, offsets, dims) => {
    const type = dtype as FoldType;
    const reader = new DimsReader(dims);
    const batch = reader.group();
    const n = reader.size();
    const strides: (readonly number[])[] = [];
    const steps: number[] = [];
    for (let operand = 0; operand <= inputs; operand++) {
      strides.push(reader.strides(batch));
      steps.push(reader.stride());
    }
    const terms = scratch(type, n);
    const [x, g] = buffers as readonly Numbers[];
    const z = buffers[inputs] as Numbers;
    forEachIndex({ sizes: batch, strides }, offsets, (at) => {
      loop(type, n, x, at[0], steps[0], g, at[1], steps[1], z, at[inputs], steps[inputs], terms);
    });
  };

/** m = max x, e = exp(x − m): e / Σe. */
export const softmax = overLines(1, (type, n, x, i, si, _g, _j, _sj, z, k, sk, terms) => {
  const total = sumOfExp(type, x, i, n, si, maxLine(type, x, i, n, si), terms);
  for (let e = 0; e < n; e++, k += sk) z[k] = terms[e] / total;
});

/** (y, g): y·(g − Σ g·y). */
export const softmaxGrad = overLines(2, (type, n, y, i, si, g, j, sj, z, k, sk, terms) => {
  const single = type === "f32";
  for (let e = 0, a = i, b = j; e < n; e++, a += si, b += sj) terms[e] = g[b] * y[a];
  const total = sumLine(type, terms, 0, n, 1);
  for (let e = 0; e < n; e++, i += si, j += sj, k += sk) z[k] = y[i] * rounded(single, g[j] - total);
});

/** m = max x: (x − m) − log Σ exp(x − m). */
export const logSoftmax = overLines(1, (type, n, x, i, si, _g, _j, _sj, z, k, sk, terms) => {
  const single = type === "f32";
  const m = maxLine(type, x, i, n, si) + 0; // +0 where it is −0
  const logTotal = rounded(single, Math.log(sumOfExp(type, x, i, n, si, m, terms)));
  for (let e = 0; e < n; e++, i += si, k += sk) z[k] = rounded(single, x[i] - m) - logTotal;
});

/** (y, g): g − exp(y)·Σg. */
export const logSoftmaxGrad = overLines(2, (type, n, y, i, si, g, j, sj, z, k, sk) => {
  const single = type === "f32";
  const total = sumLine(type, g, j, n, sj);
  for (let e = 0; e < n; e++, i += si, j += sj, k += sk) {
    z[k] = g[j] - rounded(single, rounded(single, Math.exp(y[i])) * total);
  }
});
