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

/** (u, p, s): s = p; p −= scale·u. Nesterov's look-ahead, which remembers where it came from. */
export const lookAhead: KernelFactory = (dtype) => (buffers, offsets, dims, scalars) => {
  const single = dtype === "f32";
  const [u, p, s] = buffers as readonly Numbers[];
  const { n, steps } = readVectors(dims, 3);
  const scale = rounded(single, scalars[0]);
  let [i, j, k] = offsets;
  for (let e = 0; e < n; e++, i += steps[0], j += steps[1], k += steps[2]) {
    s[k] = p[j];
    p[j] -= rounded(single, scale * u[i]);
  }
};

/** (g, p, u, s): g as in sgd; u = momentum·u + (1−dampening)·g; p = s − lr·u. */
export const nesterov: KernelFactory = (dtype) => (buffers, offsets, dims, scalars) => {
  const single = dtype === "f32";
  const [g, p, u, s] = buffers as readonly Numbers[];
  const { n, steps } = readVectors(dims, 4);
  const lr = rounded(single, scalars[0]);
  const momentum = rounded(single, scalars[1]);
  const fresh = rounded(single, 1 - scalars[2]);
  const weightDecay = rounded(single, scalars[3]);
  const direction = scalars[4] !== 0 ? -1 : 1;
  const [gStep, pStep, uStep, sStep] = steps;
  let [i, j, k, l] = offsets;
  for (let e = 0; e < n; e++, i += gStep, j += pStep, k += uStep, l += sStep) {
    const d = rounded(single, direction * g[i] + rounded(single, weightDecay * p[j]));
    u[k] = rounded(single, momentum * u[k]) + rounded(single, fresh * d);
    p[j] = s[l] - rounded(single, lr * u[k]);
  }
};

/** (g, u, d): g = maximize ? −g : g; u = momentum·u + (1−momentum)·g; d = nesterov ? momentum·u + (1−momentum)·g : u. */
export const muonMomentum: KernelFactory = (dtype) => (buffers, offsets, dims, scalars) => {
  const single = dtype === "f32";
  const [g, u, d] = buffers as readonly Numbers[];
  const { n, steps } = readVectors(dims, 3);
  const momentum = rounded(single, scalars[0]);
  const fresh = rounded(single, 1 - scalars[0]);
  const isNesterov = scalars[1] !== 0;
  const direction = scalars[2] !== 0 ? -1 : 1;
  let [i, j, k] = offsets;
  for (let e = 0; e < n; e++, i += steps[0], j += steps[1], k += steps[2]) {
    const part = rounded(single, fresh * (direction * g[i]));
    u[j] = rounded(single, momentum * u[j]) + part;
    d[k] = isNesterov ? rounded(single, momentum * u[j]) + part : u[j];
  }
};

/** What Adam and AMSGrad have in common; the latter has a fifth operand. */
const adamUpdate =
  (isAmsgrad: boolean): KernelFactory =>
  (dtype) =>
  (buffers, offsets, dims, scalars) => {
    const single = dtype === "f32";
    const [g, p, m, v, w] = buffers as readonly Numbers[];
    const { n, steps } = readVectors(dims, isAmsgrad ? 5 : 4);
    const [lr, rawBeta1, rawBeta2, rawEps, rawDecay, decoupled, maximize, correction1, correction2] = scalars;
    const beta1 = rounded(single, rawBeta1);
    const beta2 = rounded(single, rawBeta2);
    const fresh1 = rounded(single, 1 - rawBeta1);
    const fresh2 = rounded(single, 1 - rawBeta2);
    const scale = Math.sqrt(correction2);
    const eps = rounded(single, rawEps * scale);
    const isDecoupled = decoupled !== 0;
    const decay = rounded(single, isDecoupled ? lr * rawDecay : rawDecay);
    const direction = maximize !== 0 ? -1 : 1;
    const rate = rounded(single, (lr * scale) / correction1);
    const [gStep, pStep, mStep, vStep, wStep] = steps;
    let [i, j, k, l, o] = offsets;
    for (let e = 0; e < n; e++, i += gStep, j += pStep, k += mStep, l += vStep, o += wStep) {
      let x = p[j];
      let d = direction * g[i];
      const decayed = rounded(single, decay * x);
      if (isDecoupled) x = rounded(single, x - decayed);
      else d = rounded(single, d + decayed);
      const first = rounded(single, rounded(single, beta1 * m[k]) + rounded(single, fresh1 * d));
      const square = rounded(single, d * d);
      const second = rounded(single, rounded(single, beta2 * v[l]) + rounded(single, fresh2 * square));
      m[k] = first;
      v[l] = second;
      let bound = second;
      if (isAmsgrad) w[o] = bound = second < w[o] ? w[o] : second;
      const root = rounded(single, Math.sqrt(bound));
      const ratio = rounded(single, first / rounded(single, root + eps));
      p[j] = x - rounded(single, rate * ratio);
    }
  };

/**
 * (g, p, m, v): decoupled ? p −= (lr·weight_decay)·p : g += weight_decay·p; m = beta1·m + (1−beta1)·g;
 * v = beta2·v + (1−beta2)·(g·g); p −= (lr·√correction2/correction1)·(m / (√v + eps·√correction2)). Adam (Kingma and Ba,
 * 2015) and, decoupled, AdamW (Loshchilov and Hutter, 2019).
 */
export const adam = adamUpdate(false);

/** (g, p, m, v, w): as adam, with w = max(w, v) in the place of v in p's formula (Reddi et al., 2018). */
export const amsgrad = adamUpdate(true);

/**
 * (g, p, m, v): decoupled ? p −= decay·p : g += decay·p; m and v as in adam; c = adaptive ? √correction2 : 1;
 * d = c·gradient_rate·g + c·momentum_rate·m; p −= adaptive ? d / (√v + c·eps) : d. NAdam (Dozat, 2016); RAdam (Liu et
 * al., 2020) with gradient_rate 0.
 */
export const nadam: KernelFactory = (dtype) => (buffers, offsets, dims, scalars) => {
  const single = dtype === "f32";
  const [g, p, m, v] = buffers as readonly Numbers[];
  const { n, steps } = readVectors(dims, 4);
  const [rawGradientRate, rawMomentumRate, rawBeta1, rawBeta2, rawEps, rawDecay] = scalars;
  const [decoupled, maximize, correction2, adaptive] = scalars.slice(6);
  const isAdaptive = adaptive !== 0;
  const scale = isAdaptive ? Math.sqrt(correction2) : 1;
  const gradientRate = rounded(single, rawGradientRate * scale);
  const momentumRate = rounded(single, rawMomentumRate * scale);
  const beta1 = rounded(single, rawBeta1);
  const beta2 = rounded(single, rawBeta2);
  const fresh1 = rounded(single, 1 - rawBeta1);
  const fresh2 = rounded(single, 1 - rawBeta2);
  const eps = rounded(single, rawEps * scale);
  const decay = rounded(single, rawDecay);
  const isDecoupled = decoupled !== 0;
  const direction = maximize !== 0 ? -1 : 1;
  const [gStep, pStep, mStep, vStep] = steps;
  let [i, j, k, l] = offsets;
  for (let e = 0; e < n; e++, i += gStep, j += pStep, k += mStep, l += vStep) {
    let x = p[j];
    let d = direction * g[i];
    const decayed = rounded(single, decay * x);
    if (isDecoupled) x = rounded(single, x - decayed);
    else d = rounded(single, d + decayed);
    m[k] = rounded(single, beta1 * m[k]) + rounded(single, fresh1 * d);
    v[l] = rounded(single, beta2 * v[l]) + rounded(single, fresh2 * rounded(single, d * d));
    let step = rounded(single, rounded(single, gradientRate * d) + rounded(single, momentumRate * m[k]));
    if (isAdaptive) {
      const root = rounded(single, Math.sqrt(v[l]));
      step = rounded(single, step / rounded(single, root + eps));
    }
    p[j] = x - step;
  }
};

/**
 * (g, p, m, u): g as in sgd; m = beta1·m + (1−beta1)·g; u = max(beta2·u, |g| + eps); p −= (lr/correction1)·(m/u).
 * Adamax (Kingma and Ba, 2015).
 */
export const adamax: KernelFactory = (dtype) => (buffers, offsets, dims, scalars) => {
  const single = dtype === "f32";
  const [g, p, m, u] = buffers as readonly Numbers[];
  const { n, steps } = readVectors(dims, 4);
  const beta1 = rounded(single, scalars[1]);
  const fresh1 = rounded(single, 1 - scalars[1]);
  const beta2 = rounded(single, scalars[2]);
  const eps = rounded(single, scalars[3]);
  const weightDecay = rounded(single, scalars[4]);
  const direction = scalars[5] !== 0 ? -1 : 1;
  const rate = rounded(single, scalars[0] / scalars[6]);
  const [gStep, pStep, mStep, uStep] = steps;
  let [i, j, k, l] = offsets;
  for (let e = 0; e < n; e++, i += gStep, j += pStep, k += mStep, l += uStep) {
    const x = p[j];
    const d = rounded(single, direction * g[i] + rounded(single, weightDecay * x));
    m[k] = rounded(single, beta1 * m[k]) + rounded(single, fresh1 * d);
    const old = rounded(single, beta2 * u[l]);
    const now = rounded(single, Math.abs(d) + eps);
    u[l] = old < now || Number.isNaN(now) ? now : old;
    p[j] = x - rounded(single, rate * rounded(single, m[k] / u[l]));
  }
};

/** (g, p, v): g as in sgd; v += g·g; p −= lr·(g / (√v + eps)). Adagrad (Duchi, Hazan and Singer, 2011). */
export const adagrad: KernelFactory = (dtype) => (buffers, offsets, dims, scalars) => {
  const single = dtype === "f32";
  const [g, p, v] = buffers as readonly Numbers[];
  const { n, steps } = readVectors(dims, 3);
  const lr = rounded(single, scalars[0]);
  const eps = rounded(single, scalars[1]);
  const weightDecay = rounded(single, scalars[2]);
  const direction = scalars[3] !== 0 ? -1 : 1;
  let [i, j, k] = offsets;
  for (let e = 0; e < n; e++, i += steps[0], j += steps[1], k += steps[2]) {
    const x = p[j];
    const d = rounded(single, direction * g[i] + rounded(single, weightDecay * x));
    v[k] += rounded(single, d * d);
    const root = rounded(single, rounded(single, Math.sqrt(v[k])) + eps);
    p[j] = x - rounded(single, lr * rounded(single, d / root));
  }
};

/**
 * (g, p, v, a): g as in sgd; v = rho·v + (1−rho)·(g·g); d = (√(a + eps)/√(v + eps))·g; a = rho·a + (1−rho)·(d·d);
 * p −= lr·d. Adadelta (Zeiler, 2012).
 */
export const adadelta: KernelFactory = (dtype) => (buffers, offsets, dims, scalars) => {
  const single = dtype === "f32";
  const [g, p, v, a] = buffers as readonly Numbers[];
  const { n, steps } = readVectors(dims, 4);
  const lr = rounded(single, scalars[0]);
  const rho = rounded(single, scalars[1]);
  const fresh = rounded(single, 1 - scalars[1]);
  const eps = rounded(single, scalars[2]);
  const weightDecay = rounded(single, scalars[3]);
  const direction = scalars[4] !== 0 ? -1 : 1;
  const root = (x: number): number => rounded(single, Math.sqrt(rounded(single, x + eps)));
  const [gStep, pStep, vStep, aStep] = steps;
  let [i, j, k, l] = offsets;
  for (let e = 0; e < n; e++, i += gStep, j += pStep, k += vStep, l += aStep) {
    const x = p[j];
    const d = rounded(single, direction * g[i] + rounded(single, weightDecay * x));
    v[k] = rounded(single, rho * v[k]) + rounded(single, fresh * rounded(single, d * d));
    const delta = rounded(single, rounded(single, root(a[l]) / root(v[k])) * d);
    a[l] = rounded(single, rho * a[l]) + rounded(single, fresh * rounded(single, delta * delta));
    p[j] = x - rounded(single, lr * delta);
  }
};

/**
 * (g, p, v), with momentum (…, b), centered (…, a): g as in sgd; v = alpha·v + (1−alpha)·(g·g);
 * a = alpha·a + (1−alpha)·g; w = v, centered v − a·a, but 0 where that is negative, which only rounding makes it;
 * d = g / (√w + eps); b = momentum·b + d; p −= lr·d, with momentum lr·b. RMSprop (Tieleman and Hinton, 2012),
 * centered as by Graves (2013).
 */
const rmspropUpdate =
  (hasMomentum: boolean, isCentered: boolean): KernelFactory =>
  (dtype) =>
  (buffers, offsets, dims, scalars) => {
    const single = dtype === "f32";
    const operands = 3 + Number(hasMomentum) + Number(isCentered);
    const [g, p, v, b] = buffers as readonly Numbers[];
    const a = buffers[operands - 1] as Numbers;
    const { n, steps } = readVectors(dims, operands);
    const lr = rounded(single, scalars[0]);
    const alpha = rounded(single, scalars[1]);
    const fresh = rounded(single, 1 - scalars[1]);
    const eps = rounded(single, scalars[2]);
    const weightDecay = rounded(single, scalars[3]);
    const direction = scalars[4] !== 0 ? -1 : 1;
    const momentum = rounded(single, hasMomentum ? scalars[5] : 0);
    const [gStep, pStep, vStep, bStep] = steps;
    const aStep = steps[operands - 1];
    let [i, j, k, l] = offsets;
    let o = offsets[operands - 1];
    for (let e = 0; e < n; e++, i += gStep, j += pStep, k += vStep, l += bStep, o += aStep) {
      const x = p[j];
      const d = rounded(single, direction * g[i] + rounded(single, weightDecay * x));
      v[k] = rounded(single, alpha * v[k]) + rounded(single, fresh * rounded(single, d * d));
      let spread = v[k];
      if (isCentered) {
        a[o] = rounded(single, alpha * a[o]) + rounded(single, fresh * d);
        spread = rounded(single, v[k] - rounded(single, a[o] * a[o]));
        if (spread < 0) spread = 0;
      }
      let step = rounded(single, d / rounded(single, rounded(single, Math.sqrt(spread)) + eps));
      if (hasMomentum) {
        step = rounded(single, rounded(single, momentum * b[l]) + step);
        b[l] = step;
      }
      p[j] = x - rounded(single, lr * step);
    }
  };

export const rmsprop = rmspropUpdate(false, false);
export const rmspropMomentum = rmspropUpdate(true, false);
export const rmspropCentered = rmspropUpdate(false, true);
export const rmspropCenteredMomentum = rmspropUpdate(true, true);

/**
 * (g, p, m): g = maximize ? −g : g; p −= (lr·weight_decay)·p; d = beta1·m + (1−beta1)·g; p −= lr·sign(d);
 * m = beta2·m + (1−beta2)·g. Lion (Chen et al., 2023).
 */
export const lion: KernelFactory = (dtype) => (buffers, offsets, dims, scalars) => {
  const single = dtype === "f32";
  const [g, p, m] = buffers as readonly Numbers[];
  const { n, steps } = readVectors(dims, 3);
  const lr = rounded(single, scalars[0]);
  const beta1 = rounded(single, scalars[1]);
  const fresh1 = rounded(single, 1 - scalars[1]);
  const beta2 = rounded(single, scalars[2]);
  const fresh2 = rounded(single, 1 - scalars[2]);
  const decay = rounded(single, scalars[0] * scalars[3]);
  const direction = scalars[4] !== 0 ? -1 : 1;
  let [i, j, k] = offsets;
  for (let e = 0; e < n; e++, i += steps[0], j += steps[1], k += steps[2]) {
    const x = rounded(single, p[j] - rounded(single, decay * p[j]));
    const d = direction * g[i];
    const mixed = rounded(single, rounded(single, beta1 * m[k]) + rounded(single, fresh1 * d));
    p[j] = x - rounded(single, lr * Math.sign(mixed));
    m[k] = rounded(single, beta2 * m[k]) + rounded(single, fresh2 * d);
  }
};
