// Elementwise work and reductions over all elements: on arrays that caches hold, and on arrays far beyond them.
import { erf } from "../../dist/runtime/kernels/special.js";
import { residual, uniform } from "./data.mjs";

const FUNCTIONS = {
  exp: Math.exp,
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  gelu: (x) => (x / 2) * (1 + erf(x * Math.SQRT1_2)),
  relu: (x) => Math.max(x, 0),
};
const spread = (size, seed) => uniform(size, seed).map((x) => 4 * x);

// For each element; a transcendental function has no count that is not of an implementation.
const FLOPS = { add: 1, sum: 1, relu: 1 };

/** `pattern` names the hand-written loop (ceilings.cc) that arrays beyond the caches are held against. */
const common = (name, size, arrays, pattern) => ({
  kind: name,
  name: `${name} ${size}`,
  shape: [size],
  dtype: "float32",
  unit: "GB/s",
  bytes: 4 * size * arrays,
  flops: name in FLOPS ? FLOPS[name] * size : undefined,
  kernel: `${name}_f32`,
  scalars: [],
  pattern,
});

const unary = (name, size, pattern) => ({
  ...common(name, size, 2, pattern),
  dims: [1, size, 1, 1],
  inputs: () => ({ x: spread(size, 3) }),
  outputs: () => ({ y: new Float32Array(size) }),
  residual: ({ x, y }) => residual(y, Float64Array.from(x, FUNCTIONS[name])),
  tolerance: 1e-6,
});

const add = (size, pattern) => ({
  ...common("add", size, 3, pattern),
  dims: [1, size, 1, 1, 1],
  inputs: () => ({ a: spread(size, 3), b: spread(size, 4) }),
  outputs: () => ({ y: new Float32Array(size) }),
  residual: ({ a, b, y }) =>
    residual(
      y,
      a.map((x, i) => x + b[i]),
    ),
  tolerance: 0,
});

const sum = (size, pattern) => ({
  ...common("sum", size, 1, pattern),
  dims: [0, 1, size, 1],
  // Positive numbers, whose sum has digits to lose.
  inputs: () => ({ x: uniform(size, 3).map((x) => x + 1) }),
  outputs: () => ({ y: new Float32Array(1) }),
  residual: ({ x, y }) => {
    let expected = 0;
    for (let i = 0; i < x.length; i++) expected += x[i];
    return residual(y, [expected]);
  },
  tolerance: 1e-6,
});

/** The least that a call can cost: one instruction on one vector. */
const program = () => ({ ...add(16), name: "program 16", unit: "us" });

export const elementwiseCases = () => [
  program(),
  add(1_000_000),
  ...["exp", "tanh", "sigmoid", "gelu"].map((name) => unary(name, 100_000)),
  sum(1_000_000),
  add(1 << 24, "add"),
  unary("relu", 1 << 24, "copy"),
  unary("exp", 1 << 24, "copy"),
  unary("gelu", 1 << 24, "copy"),
  sum(1 << 26, "sum"),
];
