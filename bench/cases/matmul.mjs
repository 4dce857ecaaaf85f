// Matrix products c = a·b of m×k×n in all forms: `n` an operand stored row by row, `t` one stored column by column.
import { residual, uniform } from "./data.mjs";

/** Strides of a rows×columns operand in the form `n` or `t`. */
const strides = (form, rows, columns) => (form === "n" ? [columns, 1] : [1, rows]);

/** y = x·(rows×columns matrix), or the matrix times x where `isLeft`; float64 sums. */
function timesVector(data, [byRow, byColumn], rows, columns, x, isLeft) {
  const y = new Float64Array(isLeft ? rows : columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const value = data[i * byRow + j * byColumn];
      if (isLeft) y[i] += value * x[j];
      else y[j] += value * x[i];
    }
  }
  return y;
}

/**
 * Freivalds' check: c·x against a·(b·x), and xᵀ·c against (xᵀ·a)·b, for a random x of signs, in float64. It sees every
 * element of c in O(n²). Relative to the size that sums of n·k such products have at random.
 */
function freivalds({ a, b, c }, [m, k, n], [formA, formB]) {
  const signs = (size) => uniform(size, 7).map(Math.sign);
  const [right, left] = [signs(n), signs(m)];
  const [sa, sb] = [strides(formA, m, k), strides(formB, k, n)];
  const columns = timesVector(a, sa, m, k, timesVector(b, sb, k, n, right, true), true);
  const rows = timesVector(b, sb, k, n, timesVector(a, sa, m, k, left, false), false);
  return Math.max(
    residual(timesVector(c, [n, 1], m, n, right, true), columns, Math.sqrt(n * k)),
    residual(timesVector(c, [n, 1], m, n, left, false), rows, Math.sqrt(m * k)),
  );
}

function matmul([m, k, n], form, dtype = "float32") {
  const Type = dtype === "float32" ? Float32Array : Float64Array;
  const stem = dtype === "float32" ? "f32" : "f64";
  return {
    kind: "matmul",
    name: `matmul ${m}x${k}x${n} ${form}${dtype === "float32" ? "" : " f64"}`,
    shape: [m, k, n],
    form,
    dtype,
    unit: "GFLOP/s",
    flops: 2 * m * k * n,
    bytes: Type.BYTES_PER_ELEMENT * (m * k + k * n + m * n),
    kernel: `matmul_${stem}`,
    dims: [0, m, k, n, ...strides(form[0], m, k), ...strides(form[1], k, n), n, 1],
    scalars: [],
    inputs: () => ({ a: uniform(m * k, 1, Type), b: uniform(k * n, 2, Type) }),
    outputs: () => ({ c: new Type(m * n) }),
    residual: (operands) => freivalds(operands, [m, k, n], form),
    tolerance: dtype === "float32" ? 1e-5 : 1e-14,
  };
}

const CUBES = [64, 128, 256, 512, 1024, 2048];
// Batch × inputs × outputs of fully connected layers.
const LAYERS = [
  [128, 784, 256],
  [32, 784, 128],
  [64, 512, 512],
  [256, 1024, 1024],
  [8, 1024, 1024],
  [1, 1024, 1024],
];

/** The products of a layer whose weight is stored output × input: plain, forward, and the two of a backward pass. */
const ofLayer = ([batch, inputs, outputs]) => [
  matmul([batch, inputs, outputs], "nn"),
  matmul([batch, inputs, outputs], "nt"),
  matmul([batch, outputs, inputs], "nn"),
  matmul([outputs, batch, inputs], "tn"),
];

export const matmulCases = () => {
  const cases = [
    ...CUBES.flatMap((n) => ["nn", "nt", "tn"].map((form) => matmul([n, n, n], form))),
    ...LAYERS.flatMap(ofLayer),
    ...[256, 1024].map((n) => matmul([n, n, n], "nn", "float64")),
  ];
  // A square layer has a product twice.
  return cases.filter(({ name }, i) => cases.findIndex((other) => other.name === name) === i);
};
