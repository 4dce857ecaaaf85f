/**
 * Optimizer updates in place. Each operation is rounded to the element type; products of scalars are taken in
 * float64 and then rounded, so that a learning rate of 1e-3 times a decay of 1e-2 is rounded once.
 */
import { DimsReader } from "../signature.js";
import type { KernelFactory } from "../types.js";
import { type Numbers, rounded } from "./elements.js";

/** Reads n and the step of each of the `operands` vectors. */
function readVectors(dims: readonly number[], operands: number): { n: number; steps: number[] } {
  const reader = new DimsReader(dims);
  const n = reader.size();
  const steps: number[] = [];
  for (let i = 0; i < operands; i++) steps.push(reader.stride());
  return { n, steps };
}

/** (g, p): g = maximize ? −g : g; g += weight_decay·p; p −= lr·g. */
export const sgd: KernelFactory = (dtype) => (buffers, offsets, dims, scalars) => {
  const single = dtype === "f32";
  const [g, p] = buffers as readonly Numbers[];
  const { n, steps } = readVectors(dims, 2);
  const lr = rounded(single, scalars[0]);
  const weightDecay = rounded(single, scalars[1]);
  const direction = scalars[2] !== 0 ? -1 : 1;
  let [i, j] = offsets;
  for (let e = 0; e < n; e++, i += steps[0], j += steps[1]) {
    const x = p[j];
    const d = rounded(single, direction * g[i] + rounded(single, weightDecay * x));
    p[j] = x - rounded(single, lr * d);
  }
};

/**
 * (g, p, u): g = maximize ? −g : g; g += weight_decay·p; u = first ? g : momentum·u + (1−dampening)·g;
 * d = nesterov ? g + momentum·u : u; p −= lr·d.
 */
export const sgdMomentum: KernelFactory = (dtype) => (buffers, offsets, dims, scalars) => {
  const single = dtype === "f32";
  const [g, p, u] = buffers as readonly Numbers[];
  const { n, steps } = readVectors(dims, 3);
  const lr = rounded(single, scalars[0]);
  const momentum = rounded(single, scalars[1]);
  const fresh = rounded(single, 1 - scalars[2]);
  const weightDecay = rounded(single, scalars[3]);
  const nesterov = scalars[4] !== 0;
  const direction = scalars[5] !== 0 ? -1 : 1;
  const isFirst = scalars[6] !== 0;
  let [i, j, k] = offsets;
  for (let e = 0; e < n; e++, i += steps[0], j += steps[1], k += steps[2]) {
    const x = p[j];
    const d = rounded(single, direction * g[i] + rounded(single, weightDecay * x));
    const velocity = isFirst
      ? d
      : rounded(single, rounded(single, momentum * u[k]) + rounded(single, fresh * d));
    const step = nesterov ? rounded(single, d + rounded(single, momentum * velocity)) : velocity;
    u[k] = velocity;
    p[j] = x - rounded(single, lr * step);
  }
};

/**
 * (g, p, m, v): decoupled ? p −= (lr·weight_decay)·p : g += weight_decay·p; m = beta1·m + (1−beta1)·g;
 * v = beta2·v + (1−beta2)·(g·g); p −= (lr/correction1)·(m / (√v/√correction2 + eps)). Adam (Kingma and Ba, 2015)
 * and, decoupled, AdamW (Loshchilov and Hutter, 2019).
 */
export const adam: KernelFactory = (dtype) => (buffers, offsets, dims, scalars) => {
  const single = dtype === "f32";
  const [g, p, m, v] = buffers as readonly Numbers[];
  const { n, steps } = readVectors(dims, 4);
  const [lr, rawBeta1, rawBeta2, rawEps, rawDecay, decoupled, maximize, correction1, correction2] = scalars;
  const beta1 = rounded(single, rawBeta1);
  const beta2 = rounded(single, rawBeta2);
  const fresh1 = rounded(single, 1 - rawBeta1);
  const fresh2 = rounded(single, 1 - rawBeta2);
  const eps = rounded(single, rawEps);
  const isDecoupled = decoupled !== 0;
  const decay = rounded(single, isDecoupled ? lr * rawDecay : rawDecay);
  const direction = maximize !== 0 ? -1 : 1;
  const rate = rounded(single, lr / correction1);
  const scale = rounded(single, Math.sqrt(correction2));
  const [gStep, pStep, mStep, vStep] = steps;
  let [i, j, k, l] = offsets;
  for (let e = 0; e < n; e++, i += gStep, j += pStep, k += mStep, l += vStep) {
    let x = p[j];
    let d = direction * g[i];
    const decayed = rounded(single, decay * x);
    if (isDecoupled) x = rounded(single, x - decayed);
    else d = rounded(single, d + decayed);
    const first = rounded(single, rounded(single, beta1 * m[k]) + rounded(single, fresh1 * d));
    const square = rounded(single, d * d);
    const second = rounded(single, rounded(single, beta2 * v[l]) + rounded(single, fresh2 * square));
    const root = rounded(single, rounded(single, Math.sqrt(second)) / scale);
    const ratio = rounded(single, first / rounded(single, root + eps));
    m[k] = first;
    v[l] = second;
    p[j] = x - rounded(single, rate * ratio);
  }
};
