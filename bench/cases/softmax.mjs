// Softmax over rows, and the cross-entropy of rows of logits.
import { residual, uniform } from "./data.mjs";

const logits = (rows, columns) => uniform(rows * columns, 5).map((x) => 8 * x);

/** Calls body(row, maximum, Σ exp(x − maximum)) for every row. */
function eachRow(x, rows, columns, body) {
  for (let row = 0; row < rows; row++) {
    const values = x.subarray(row * columns, (row + 1) * columns);
    const most = values.reduce((a, b) => Math.max(a, b));
    body(
      values,
      row,
      most,
      values.reduce((sum, value) => sum + Math.exp(value - most), 0),
    );
  }
}

const common = (name, rows, columns, arrays) => ({
  kind: name,
  name: `${name} ${rows}x${columns}`,
  shape: [rows, columns],
  dtype: "float32",
  unit: "GB/s",
  bytes: 4 * rows * columns * arrays,
  kernel: `${name}_f32`,
});

const softmax = (rows, columns) => ({
  ...common("softmax", rows, columns, 2),
  dims: [1, rows, columns, columns, 1, columns, 1],
  scalars: [],
  inputs: () => ({ x: logits(rows, columns) }),
  outputs: () => ({ y: new Float32Array(rows * columns) }),
  residual: ({ x, y }) => {
    const expected = new Float64Array(rows * columns);
    eachRow(x, rows, columns, (values, row, most, sum) => {
      for (let j = 0; j < columns; j++) expected[row * columns + j] = Math.exp(values[j] - most) / sum;
    });
    return residual(y, expected);
  },
  tolerance: 2e-6,
});

/** The loss of each row, without a reduction over rows. */
const crossEntropy = (rows, columns) => ({
  ...common("cross_entropy", rows, columns, 1),
  dims: [rows, columns, columns, 1, 1, 1, 1, 1, 1, 1],
  scalars: [0, -100],
  inputs: () => ({
    x: logits(rows, columns),
    labels: Int32Array.from({ length: rows }, (_, row) => (row * 17) % columns),
    weights: new Float32Array(columns).fill(1),
  }),
  outputs: () => ({
    loss: new Float32Array(rows),
    weight: new Float32Array(rows),
    most: new Float32Array(rows),
    total: new Float32Array(rows),
  }),
  residual: ({ x, labels, loss }) => {
    const expected = new Float64Array(rows);
    eachRow(x, rows, columns, (values, row, most, sum) => {
      expected[row] = most + Math.log(sum) - values[labels[row]];
    });
    return residual(loss, expected);
  },
  tolerance: 2e-6,
});

export const softmaxCases = () => [softmax(1024, 1024), crossEntropy(1024, 1024)];
