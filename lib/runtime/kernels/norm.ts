/**
 * Layer and batch normalization and their derivatives. Means and variances are those of the contract's sum in two
 * passes; every step is rounded to the element type. Counts enter formulas as numbers of the element type.
 */
import { DimsReader } from "../signature.js";
import type { KernelFactory } from "../types.js";
import { type Numbers, rounded, scratch } from "./elements.js";
import { ColumnSums, type FoldType, sumLine } from "./lanes.js";
import { countOf, forEachIndex } from "./strided.js";

/** 1/√(variance + eps), each operation rounded. */
const reciprocalDeviation = (single: boolean, variance: number, eps: number): number =>
  rounded(single, 1 / rounded(single, Math.sqrt(rounded(single, variance + eps))));

/** (x − mean)·rstd. */
const normalized = (single: boolean, x: number, mean: number, rstd: number): number =>
  rounded(single, rounded(single, x - mean) * rstd);

/** (x[B,n], weight[n], bias[n]) → (y[B,n], mean[B], rstd[B]): y = (x − mean)·rstd·weight + bias. */
export const layerNorm: KernelFactory = (dtype) => (buffers, offsets, dims, scalars) => {
  const type = dtype as FoldType;
  const single = type === "f32";
  const [x, weight, bias, y, means, rstds] = buffers as readonly Numbers[];
  const eps = rounded(single, scalars[0]);
  const reader = new DimsReader(dims);
  const batch = reader.group();
  const n = reader.size();
  const xB = reader.strides(batch);
  const xN = reader.stride();
  const weightN = reader.stride();
  const biasN = reader.stride();
  const yB = reader.strides(batch);
  const yN = reader.stride();
  const strides = [xB, yB, reader.strides(batch), reader.strides(batch)];
  const count = rounded(single, n);
  const squares = scratch(type, n);
  forEachIndex({ sizes: batch, strides }, [offsets[0], offsets[3], offsets[4], offsets[5]], (at) => {
    const mean = rounded(single, sumLine(type, x, at[0], n, xN) / count);
    for (let k = 0, i = at[0]; k < n; k++, i += xN) {
      const d = rounded(single, x[i] - mean);
      squares[k] = d * d;
    }
    const variance = rounded(single, sumLine(type, squares, 0, n, 1) / count);
    const rstd = reciprocalDeviation(single, variance, eps);
    let [i, j] = at;
    let w = offsets[1];
    let b = offsets[2];
    for (let k = 0; k < n; k++, i += xN, j += yN, w += weightN, b += biasN) {
      y[j] = rounded(single, normalized(single, x[i], mean, rstd) * weight[w]) + bias[b];
    }
    means[at[2]] = mean;
    rstds[at[3]] = rstd;
  });
};

/**
 * (g[B,n], x[B,n], weight[n], mean[B], rstd[B]) → (gx[B,n], gweight[n], gbias[n]): with h = (x − mean)·rstd and
 * d = g·weight, gx = rstd·(d − (Σd)/n − h·((Σ d·h)/n)), gweight = Σ_B g·h, gbias = Σ_B g.
 */
export const layerNormGrad: KernelFactory = (dtype) => (buffers, offsets, dims) => {
  const type = dtype as FoldType;
  const single = type === "f32";
  const [g, x, weight, means, rstds, gx, gweight, gbias] = buffers as readonly Numbers[];
  const reader = new DimsReader(dims);
  const batch = reader.group();
  const n = reader.size();
  const gB = reader.strides(batch);
  const gN = reader.stride();
  const xB = reader.strides(batch);
  const xN = reader.stride();
  const weightN = reader.stride();
  const meansB = reader.strides(batch);
  const rstdsB = reader.strides(batch);
  const gxB = reader.strides(batch);
  const gxN = reader.stride();
  const gweightN = reader.stride();
  const gbiasN = reader.stride();
  const count = rounded(single, n);
  const h = scratch(type, n);
  const d = scratch(type, n);
  const products = scratch(type, n);
  const weightSums = new ColumnSums(type, n);
  const biasSums = new ColumnSums(type, n);
  const layout = { sizes: batch, strides: [gB, xB, meansB, rstdsB, gxB] };
  const from = [offsets[0], offsets[1], offsets[3], offsets[4], offsets[5]];
  forEachIndex(layout, from, (at) => {
    const mean = means[at[2]];
    const rstd = rstds[at[3]];
    biasSums.add(g, at[0], gN);
    for (let k = 0, i = at[0], j = at[1]; k < n; k++, i += gN, j += xN) {
      h[k] = normalized(single, x[j], mean, rstd);
      products[k] = g[i] * h[k];
    }
    weightSums.add(products, 0, 1);
    for (let k = 0, i = at[0], w = offsets[2]; k < n; k++, i += gN, w += weightN) {
      d[k] = g[i] * weight[w];
      products[k] = d[k] * h[k];
    }
    const dMean = rounded(single, sumLine(type, d, 0, n, 1) / count);
    const dhMean = rounded(single, sumLine(type, products, 0, n, 1) / count);
    for (let k = 0, i = at[4]; k < n; k++, i += gxN) {
      gx[i] = rstd * rounded(single, rounded(single, d[k] - dMean) - rounded(single, h[k] * dhMean));
    }
  });
  const weightResult = weightSums.finish();
  const biasResult = biasSums.finish();
  for (let k = 0; k < n; k++) {
    gweight[offsets[6] + k * gweightN] = weightResult[k];
    gbias[offsets[7] + k * gbiasN] = biasResult[k];
  }
};

/** (x[b,c,l], weight[c], bias[c]) → (y[b,c,l], mean[c], biased variance[c]), over b and l for each c. */
export const batchNorm: KernelFactory = (dtype) => (buffers, offsets, dims, scalars) => {
  const type = dtype as FoldType;
  const single = type === "f32";
  const [x, weight, bias, y, means, variances] = buffers as readonly Numbers[];
  const eps = rounded(single, scalars[0]);
  const reader = new DimsReader(dims);
  const b = reader.size();
  const c = reader.size();
  const l = reader.size();
  const [xB, xC, xL] = [reader.stride(), reader.stride(), reader.stride()];
  const weightC = reader.stride();
  const biasC = reader.stride();
  const [yB, yC, yL] = [reader.stride(), reader.stride(), reader.stride()];
  const meansC = reader.stride();
  const variancesC = reader.stride();
  const samples = {
    sizes: [b, l],
    strides: [
      [xB, xL],
      [yB, yL],
    ],
  };
  const from = [offsets[0], offsets[3]];
  const count = rounded(single, countOf(samples.sizes));

  const sums = new ColumnSums(type, c);
  forEachIndex(samples, from, ([i]) => sums.add(x, i, xC));
  const mean = sums.finish().map((sum) => sum / count);

  const squareSums = new ColumnSums(type, c);
  const squares = scratch(type, c);
  forEachIndex(samples, from, ([i]) => {
    for (let k = 0; k < c; k++, i += xC) {
      const d = rounded(single, x[i] - mean[k]);
      squares[k] = d * d;
    }
    squareSums.add(squares, 0, 1);
  });
  const variance = squareSums.finish().map((sum) => sum / count);
  const rstd = variance.map((value) => reciprocalDeviation(single, value, eps));

  forEachIndex(samples, from, ([i, j]) => {
    let w = offsets[1];
    let o = offsets[2];
    for (let k = 0; k < c; k++, i += xC, j += yC, w += weightC, o += biasC) {
      y[j] = rounded(single, normalized(single, x[i], mean[k], rstd[k]) * weight[w]) + bias[o];
    }
  });
  for (let k = 0; k < c; k++) {
    means[offsets[4] + k * meansC] = mean[k];
    variances[offsets[5] + k * variancesC] = variance[k];
  }
};

/**
 * (g[b,c,l], x[b,c,l], weight[c], mean[c], var[c]) → (gx[b,c,l], gweight[c], gbias[c]): with
 * rstd = 1/√(var + eps), h = (x − mean)·rstd and N = b·l, gx = weight·rstd·(g − (Σg)/N − h·((Σ g·h)/N)),
 * gweight = Σ g·h, gbias = Σ g, all over b and l.
 */
export const batchNormGrad: KernelFactory = (dtype) => (buffers, offsets, dims, scalars) => {
  const type = dtype as FoldType;
  const single = type === "f32";
  const [g, x, weight, means, variances, gx, gweight, gbias] = buffers as readonly Numbers[];
  const eps = rounded(single, scalars[0]);
  const reader = new DimsReader(dims);
  const b = reader.size();
  const c = reader.size();
  const l = reader.size();
  const [gB, gC, gL] = [reader.stride(), reader.stride(), reader.stride()];
  const [xB, xC, xL] = [reader.stride(), reader.stride(), reader.stride()];
  const weightC = reader.stride();
  const meansC = reader.stride();
  const variancesC = reader.stride();
  const [gxB, gxC, gxL] = [reader.stride(), reader.stride(), reader.stride()];
  const gweightC = reader.stride();
  const gbiasC = reader.stride();
  const samples = {
    sizes: [b, l],
    strides: [
      [gB, gL],
      [xB, xL],
      [gxB, gxL],
    ],
  };
  const from = [offsets[0], offsets[1], offsets[5]];
  const count = rounded(single, countOf(samples.sizes));
  const rstd = scratch(type, c);
  for (let k = 0; k < c; k++) {
    rstd[k] = reciprocalDeviation(single, variances[offsets[4] + k * variancesC], eps);
  }

  const gSums = new ColumnSums(type, c);
  const ghSums = new ColumnSums(type, c);
  const products = scratch(type, c);
  forEachIndex(samples, from, ([i, j]) => {
    gSums.add(g, i, gC);
    for (let k = 0, m = offsets[3]; k < c; k++, i += gC, j += xC, m += meansC) {
      products[k] = g[i] * normalized(single, x[j], means[m], rstd[k]);
    }
    ghSums.add(products, 0, 1);
  });
  const gSum = gSums.finish();
  const ghSum = ghSums.finish();
  const gMean = gSum.map((sum) => sum / count);
  const ghMean = ghSum.map((sum) => sum / count);
  const scale = rstd.map((value, k) => weight[offsets[2] + k * weightC] * value);

  forEachIndex(samples, from, ([i, j, to]) => {
    for (let k = 0, m = offsets[3]; k < c; k++, i += gC, j += xC, to += gxC, m += meansC) {
      const h = normalized(single, x[j], means[m], rstd[k]);
      gx[to] = scale[k] * rounded(single, rounded(single, g[i] - gMean[k]) - rounded(single, h * ghMean[k]));
    }
  });
  for (let k = 0; k < c; k++) {
    gweight[offsets[6] + k * gweightC] = ghSum[k];
    gbias[offsets[7] + k * gbiasC] = gSum[k];
  }
};
