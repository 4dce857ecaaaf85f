/**
 * Elementwise kernels of two and three arguments. Each states its loop: z = f(x, y) over a row. The store rounds
 * to float32 and wraps to int32. Comparisons give 1 or 0.
 */
import type { KernelFactory } from "../types.js";
import { larger, movable, smaller } from "./elements.js";
import { binary, byType, elementwiseLayout, mapFactory, type TernaryLoop } from "./elementwise.js";
import * as special from "./special.js";
import { forEachRow } from "./strided.js";

export const add = binary((n, x, i, si, y, j, sj, z, k, sk) => {
  for (let e = 0; e < n; e++, i += si, j += sj, k += sk) z[k] = x[i] + y[j];
});

export const sub = binary((n, x, i, si, y, j, sj, z, k, sk) => {
  for (let e = 0; e < n; e++, i += si, j += sj, k += sk) z[k] = x[i] - y[j];
});

const mulFloat = binary((n, x, i, si, y, j, sj, z, k, sk) => {
  for (let e = 0; e < n; e++, i += si, j += sj, k += sk) z[k] = x[i] * y[j];
});

const mulInteger = binary((n, x, i, si, y, j, sj, z, k, sk) => {
  for (let e = 0; e < n; e++, i += si, j += sj, k += sk) z[k] = Math.imul(x[i], y[j]);
});

export const mul = byType((dtype) => (dtype === "i32" ? mulInteger : mulFloat));

export const div = binary((n, x, i, si, y, j, sj, z, k, sk) => {
  for (let e = 0; e < n; e++, i += si, j += sj, k += sk) z[k] = x[i] / y[j];
});

/** C99 pow. */
export const pow = binary((n, x, i, si, y, j, sj, z, k, sk) => {
  for (let e = 0; e < n; e++, i += si, j += sj, k += sk) z[k] = special.pow(x[i], y[j]);
});

/** The larger argument, or the NaN; y where they are equal. */
export const maximum = binary((n, x, i, si, y, j, sj, z, k, sk) => {
  for (let e = 0; e < n; e++, i += si, j += sj, k += sk) z[k] = larger(x[i], y[j]);
});

/** The smaller argument, or the NaN; y where they are equal. */
export const minimum = binary((n, x, i, si, y, j, sj, z, k, sk) => {
  for (let e = 0; e < n; e++, i += si, j += sj, k += sk) z[k] = smaller(x[i], y[j]);
});

/** (x, g): g where x > 0, else 0. */
export const reluGrad = binary((n, x, i, si, g, j, sj, z, k, sk) => {
  for (let e = 0; e < n; e++, i += si, j += sj, k += sk) z[k] = x[i] > 0 ? g[j] : 0;
});

/** (x, g): g where x > 0, else slope·g. */
export const leakyReluGrad = binary((n, x, i, si, g, j, sj, z, k, sk, slope) => {
  for (let e = 0; e < n; e++, i += si, j += sj, k += sk) z[k] = x[i] > 0 ? g[j] : slope * g[j];
});

export const eq = binary((n, x, i, si, y, j, sj, z, k, sk) => {
  for (let e = 0; e < n; e++, i += si, j += sj, k += sk) z[k] = x[i] === y[j] ? 1 : 0;
});

export const ne = binary((n, x, i, si, y, j, sj, z, k, sk) => {
  for (let e = 0; e < n; e++, i += si, j += sj, k += sk) z[k] = x[i] !== y[j] ? 1 : 0;
});

export const lt = binary((n, x, i, si, y, j, sj, z, k, sk) => {
  for (let e = 0; e < n; e++, i += si, j += sj, k += sk) z[k] = x[i] < y[j] ? 1 : 0;
});

export const le = binary((n, x, i, si, y, j, sj, z, k, sk) => {
  for (let e = 0; e < n; e++, i += si, j += sj, k += sk) z[k] = x[i] <= y[j] ? 1 : 0;
});

export const gt = binary((n, x, i, si, y, j, sj, z, k, sk) => {
  for (let e = 0; e < n; e++, i += si, j += sj, k += sk) z[k] = x[i] > y[j] ? 1 : 0;
});

export const ge = binary((n, x, i, si, y, j, sj, z, k, sk) => {
  for (let e = 0; e < n; e++, i += si, j += sj, k += sk) z[k] = x[i] >= y[j] ? 1 : 0;
});

export const logicalAnd = binary((n, x, i, si, y, j, sj, z, k, sk) => {
  for (let e = 0; e < n; e++, i += si, j += sj, k += sk) z[k] = x[i] !== 0 && y[j] !== 0 ? 1 : 0;
});

export const logicalOr = binary((n, x, i, si, y, j, sj, z, k, sk) => {
  for (let e = 0; e < n; e++, i += si, j += sj, k += sk) z[k] = x[i] !== 0 || y[j] !== 0 ? 1 : 0;
});

export const logicalXor = binary((n, x, i, si, y, j, sj, z, k, sk) => {
  for (let e = 0; e < n; e++, i += si, j += sj, k += sk) z[k] = (x[i] !== 0) !== (y[j] !== 0) ? 1 : 0;
});

const select: TernaryLoop = (n, c, h, sh, x, i, si, y, j, sj, z, k, sk) => {
  for (let e = 0; e < n; e++, h += sh, i += si, j += sj, k += sk) z[k] = c[h] !== 0 ? x[i] : y[j];
};

const whereKernel: KernelFactory = () => (buffers, offsets, dims) => {
  const [c, x, y, z] = movable(buffers);
  forEachRow(elementwiseLayout(dims, 4), offsets, (n, at, step) => {
    select(n, c, at[0], step[0], x, at[1], step[1], y, at[2], step[2], z, at[3], step[3]);
  });
};

/** (condition, x, y): x where the condition is not 0, else y. */
export const where = mapFactory(whereKernel, { inputs: 3, loop: select });
