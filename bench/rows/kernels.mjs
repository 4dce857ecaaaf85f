// Rows of single operations: the native executor against the TypeScript one.
import { Generator, manualSeed, nn, noGrad, optim, Tensor } from "../../dist/index.js";
import { withBackend } from "../../dist/runtime/executor.js";
import { repeat } from "../harness.mjs";

const generator = new Generator(1);
const normal = (shape) => generator.normal(shape);

/** Largest difference relative to the largest value. */
function residualOf(a, b) {
  const scale = Math.max(...Array.from(b.data, Math.abs).slice(0, 1e5), 1e-30);
  return a.data.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b.data[i])), 0) / scale;
}

function operationRow(name, shape, unit, work, inputs, operation, tolerance) {
  return {
    name,
    shape,
    dtype: "float32",
    unit,
    work,
    prepare: () => {
      const tensors = inputs();
      const native = () => withBackend({ backend: "native" }, () => noGrad(() => operation(...tensors)));
      const ts = () => withBackend({ backend: "ts" }, () => noGrad(() => operation(...tensors)));
      const residual = residualOf(native(), ts());
      if (!(residual <= tolerance)) throw new Error(`${name}: native and TypeScript differ by ${residual}`);
      // The backend is switched once per batch of calls, so that the switch is not timed.
      const batch = (backend) => (calls) =>
        withBackend({ backend }, () => noGrad(() => repeat(() => operation(...tensors))(calls)));
      return { ours: batch("native"), theirs: batch("ts"), residual, against: "ts" };
    },
  };
}

const matmul = ([m, k, n], form) => {
  const operand = (rows, columns, transposed) =>
    transposed ? normal([columns, rows]).transpose() : normal([rows, columns]);
  const inputs = () => [operand(m, k, form[0] === "t"), operand(k, n, form[1] === "t")];
  return operationRow(
    `matmul ${m}x${k}x${n} ${form}`,
    [m, k, n],
    "GFLOP/s",
    2 * m * k * n,
    inputs,
    (a, b) => a.matmul(b),
    1e-4,
  );
};

const elementwise = (name, size, operation, arrays, outputs = 1) =>
  operationRow(
    `${name} ${size}`,
    [size],
    "GB/s",
    4 * size * (arrays + outputs),
    () => Array.from({ length: arrays }, () => normal([size])),
    operation,
    1e-5,
  );

function adamRow(size) {
  return {
    name: `adam ${size}`,
    shape: [size],
    dtype: "float32",
    unit: "GB/s",
    // Reads the gradient, parameter and both moments; writes all but the gradient.
    work: 4 * size * 7,
    prepare: () => {
      const make = () => {
        const values = new Generator(5);
        const p = new nn.Parameter(values.normal([size]));
        p.grad = values.normal([size]);
        return { p, optimizer: new optim.Adam([p], { lr: 1e-3 }) };
      };
      const [a, b] = [make(), make()];
      const step =
        (backend, { optimizer }) =>
        (calls) =>
          withBackend({ backend }, () => repeat(() => optimizer.step())(calls));
      step("native", a)(3);
      step("ts", b)(3);
      const residual = residualOf(new Tensor(a.p.array), new Tensor(b.p.array));
      if (!(residual <= 1e-6)) throw new Error(`adam: native and TypeScript differ by ${residual}`);
      return { ours: step("native", a), theirs: step("ts", b), residual, against: "ts" };
    },
  };
}

export function kernelRows() {
  manualSeed(0);
  return [
    ...[64, 128, 256, 512, 1024].map((n) => matmul([n, n, n], "nn")),
    matmul([128, 784, 256], "nt"),
    matmul([784, 128, 256], "tn"),
    matmul([128, 256, 784], "nn"),
    matmul([1, 1024, 1024], "nn"),
    elementwise("add", 16, (a, b) => a.add(b), 2),
    elementwise("add", 1_000_000, (a, b) => a.add(b), 2),
    elementwise("exp", 100_000, (a) => a.exp(), 1),
    elementwise("tanh", 100_000, (a) => a.tanh(), 1),
    elementwise("sigmoid", 100_000, (a) => a.sigmoid(), 1),
    elementwise("gelu", 100_000, (a) => a.gelu(), 1),
    elementwise("sum", 1_000_000, (a) => a.sum(), 1, 0),
    operationRow(
      "softmax 1024x1024",
      [1024, 1024],
      "GB/s",
      8 * 1024 * 1024,
      () => [normal([1024, 1024])],
      (x) => x.softmax(),
      1e-5,
    ),
    adamRow(2_000_000),
  ];
}
