// Optimizer updates in place: the first step is verified, the later ones are timed.
import { residual, uniform } from "./data.mjs";

const LR = 1e-3;
const [BETA1, BETA2, EPS] = [0.9, 0.999, 1e-8];

const adam = (size, pattern) => ({
  kind: "adam",
  name: `adam ${size}`,
  shape: [size],
  dtype: "float32",
  unit: "GB/s",
  // Reads the gradient; reads and writes the parameter and both moments.
  bytes: 4 * size * 7,
  flops: 13 * size,
  pattern,
  kernel: "adam_f32",
  dims: [size, 1, 1, 1, 1],
  scalars: [LR, BETA1, BETA2, EPS, 0, 0, 0, 1 - BETA1, 1 - BETA2],
  inputs: () => ({
    grad: uniform(size, 6),
    param: uniform(size, 7),
    m: new Float32Array(size),
    v: new Float32Array(size),
  }),
  outputs: ({ param, m, v }) => ({ param: param.slice(), m: m.slice(), v: v.slice() }),
  residual: ({ grad, param }) => {
    const before = uniform(size, 7);
    const expected = before.map((p, i) => {
      const [m, v] = [(1 - BETA1) * grad[i], (1 - BETA2) * grad[i] ** 2];
      return p - (LR / (1 - BETA1)) * (m / (Math.sqrt(v / (1 - BETA2)) + EPS));
    });
    return residual(param, expected);
  },
  tolerance: 1e-6,
});

const sgd = (size, pattern) => ({
  kind: "sgd",
  name: `sgd ${size}`,
  shape: [size],
  dtype: "float32",
  unit: "GB/s",
  bytes: 4 * size * 3,
  flops: 2 * size,
  pattern,
  kernel: "sgd_f32",
  dims: [size, 1, 1],
  scalars: [LR, 0, 0],
  inputs: () => ({ grad: uniform(size, 6), param: uniform(size, 7) }),
  outputs: ({ param }) => ({ param: param.slice() }),
  residual: ({ grad, param }) => {
    const before = uniform(size, 7);
    return residual(
      param,
      before.map((p, i) => p - LR * grad[i]),
    );
  },
  tolerance: 1e-6,
});

export const optimCases = () => [
  adam(2_000_000),
  sgd(2_000_000),
  adam(1 << 24, "update3"),
  sgd(1 << 25, "update1"),
];
