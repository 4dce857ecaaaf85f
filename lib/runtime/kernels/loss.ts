/** Cross entropy of logits against class labels, per example, and its derivative. */
import { DimsReader } from "../signature.js";
import type { KernelFactory } from "../types.js";
import { type Numbers, rounded, scratch } from "./elements.js";
import { checkIndices } from "./indices.js";
import { type FoldType, maxLine, sumLine } from "./lanes.js";
import { sumOfExp } from "./reduce.js";

/** −log softmax of one logit: (m − x) + total. */
const distance = (single: boolean, m: number, x: number, total: number): number =>
  rounded(single, rounded(single, m - x) + total);

/**
 * (logits[b,c], labels[b], class weights[c]) → (loss[b], weight[b], m[b], total[b]): m is the maximum, total =
 * log Σ exp(x − m), loss = (1−s)·w_y·((m − x_y) + total) + s/c·Σ_j w_j·((m − x_j) + total), weight = w_y; loss and weight
 * are 0 for ignored examples. Without label smoothing s the second term is left out.
 */
export const crossEntropy: KernelFactory = (dtype) => (buffers, offsets, dims, scalars) => {
  const type = dtype as FoldType;
  const single = type === "f32";
  const [logits, labels, weights, loss, weight, top, total] = buffers as readonly Numbers[];
  const [smoothing, ignoreIndex] = scalars;
  const reader = new DimsReader(dims);
  const b = reader.size();
  const c = reader.size();
  const logitsB = reader.stride();
  const logitsC = reader.stride();
  const labelsB = reader.stride();
  const weightsC = reader.stride();
  const [lossB, weightB, topB, totalB] = [reader.stride(), reader.stride(), reader.stride(), reader.stride()];
  checkIndices(`cross_entropy_${dtype}`, labels as Int32Array, offsets[1], b, labelsB, c, ignoreIndex);
  const hit = rounded(single, 1 - smoothing);
  const share = rounded(single, smoothing / c);
  const terms = scratch(type, c);
  for (let i = 0; i < b; i++) {
    const row = offsets[0] + i * logitsB;
    const m = maxLine(type, logits, row, c, logitsC);
    const rowTotal = rounded(single, Math.log(sumOfExp(type, logits, row, c, logitsC, m, terms)));
    const label = labels[offsets[1] + i * labelsB];
    let rowLoss = 0;
    let rowWeight = 0;
    if (label !== ignoreIndex) {
      rowWeight = weights[offsets[2] + label * weightsC];
      const miss = distance(single, m, logits[row + label * logitsC], rowTotal);
      rowLoss = rounded(single, rounded(single, hit * rowWeight) * miss);
      if (smoothing !== 0) {
        for (let j = 0; j < c; j++) {
          terms[j] =
            weights[offsets[2] + j * weightsC] * distance(single, m, logits[row + j * logitsC], rowTotal);
        }
        rowLoss += rounded(single, share * sumLine(type, terms, 0, c, 1));
      }
    }
    loss[offsets[3] + i * lossB] = rowLoss;
    weight[offsets[4] + i * weightB] = rowWeight;
    top[offsets[5] + i * topB] = m;
    total[offsets[6] + i * totalB] = rowTotal;
  }
};

/**
 * (g[b], logits[b,c], labels[b], w[c], m[b], total[b]) → ∂/∂logits[b,c]: with p = exp((x − m) − total),
 * g·(p_j·((1−s)·w_y + s/c·Σw) − (1−s)·w_y·[j=y] − s/c·w_j); 0 for ignored examples.
 */
export const crossEntropyGrad: KernelFactory = (dtype) => (buffers, offsets, dims, scalars) => {
  const type = dtype as FoldType;
  const single = type === "f32";
  const [g, logits, labels, weights, top, total, out] = buffers as readonly Numbers[];
  const [smoothing, ignoreIndex] = scalars;
  const reader = new DimsReader(dims);
  const b = reader.size();
  const c = reader.size();
  const gB = reader.stride();
  const logitsB = reader.stride();
  const logitsC = reader.stride();
  const labelsB = reader.stride();
  const weightsC = reader.stride();
  const topB = reader.stride();
  const totalB = reader.stride();
  const outB = reader.stride();
  const outC = reader.stride();
  checkIndices(`cross_entropy_grad_${dtype}`, labels as Int32Array, offsets[2], b, labelsB, c, ignoreIndex);
  const hit = rounded(single, 1 - smoothing);
  const share = rounded(single, smoothing / c);
  const spread = rounded(single, share * sumLine(type, weights, offsets[3], c, weightsC));
  for (let i = 0; i < b; i++) {
    const label = labels[offsets[2] + i * labelsB];
    let to = offsets[6] + i * outB;
    if (label === ignoreIndex) {
      for (let j = 0; j < c; j++, to += outC) out[to] = 0;
      continue;
    }
    const rowG = g[offsets[0] + i * gB];
    const m = top[offsets[4] + i * topB];
    const rowTotal = total[offsets[5] + i * totalB];
    const hitWeight = rounded(single, hit * weights[offsets[3] + label * weightsC]);
    const scale = rounded(single, hitWeight + spread);
    let from = offsets[1] + i * logitsB;
    let w = offsets[3];
    for (let j = 0; j < c; j++, from += logitsC, w += weightsC, to += outC) {
      const p = rounded(single, Math.exp(rounded(single, rounded(single, logits[from] - m) - rowTotal)));
      let d = rounded(single, p * scale);
      if (j === label) d = rounded(single, d - hitWeight);
      out[to] = rowG * rounded(single, d - rounded(single, share * weights[w]));
    }
  }
};
