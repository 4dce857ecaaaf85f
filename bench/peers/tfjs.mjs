// TensorFlow.js with its wasm backend against the native executor, and with its cpu backend, which is JavaScript too,
// against the TypeScript one. Both use one thread: its wasm threads do not run in Node.
import { repeat } from "../harness.mjs";
import { INSTALL } from "./install.mjs";
import { suitsNode } from "./suits.mjs";
import { prepareTraining } from "./tfjs_train.mjs";

const IN_JAVASCRIPT = ["matmul 512x512x512 nn", "matmul 128x784x256 nn"];

/** What TensorFlow.js computes for each kind of case, given its tensors by operand. */
const OPERATIONS = {
  matmul:
    (_tf, { form: [a, b] }) =>
    (x) =>
      x.a.matMul(x.b, a === "t", b === "t"),
  exp:
    (tf) =>
    ({ x }) =>
      tf.exp(x),
  tanh:
    (tf) =>
    ({ x }) =>
      tf.tanh(x),
  sigmoid:
    (tf) =>
    ({ x }) =>
      tf.sigmoid(x),
  softmax:
    (tf) =>
    ({ x }) =>
      tf.softmax(x),
};

/** Shapes of operands as they are stored. */
function shapeOf(name, { kind, shape, form }) {
  if (kind !== "matmul") return shape;
  const [m, k, n] = shape;
  const [rows, columns, letter] = name === "a" ? [m, k, form[0]] : [k, n, form[1]];
  return letter === "n" ? [rows, columns] : [columns, rows];
}

const peer = (backend, more) => ({
  name: `tfjs-${backend}`,
  install: INSTALL,
  threads: [1],
  ...more,
  open: async () => {
    const tf = await import("@tensorflow/tfjs");
    if (backend === "wasm") await import("@tensorflow/tfjs-backend-wasm");
    tf.enableProdMode(); // without its checks, and without an advertisement on the console
    if (!(await tf.setBackend(backend))) throw new Error(`its ${backend} backend does not start`);
    await tf.ready();
    return {
      about: `${tf.version_core}, one thread`,
      prepare: (work, inputs) => {
        if (work.kind === "train") return backend === "wasm" ? prepareTraining(tf, work, inputs) : null;
        const operation = OPERATIONS[work.kind]?.(tf, work);
        if (!operation || !suitsNode(work)) return null;
        if (backend === "cpu" && !IN_JAVASCRIPT.includes(work.name)) return null;
        const tensors = {};
        for (const [name, data] of Object.entries(inputs)) {
          tensors[name] = tf.tensor(data, shapeOf(name, work));
        }
        const [output] = Object.keys(work.outputs(inputs));
        return {
          run: repeat(() => operation(tensors).dispose()),
          read: () => tf.tidy(() => ({ ...inputs, [output]: operation(tensors).dataSync() })),
          close: () => tf.dispose(tensors),
        };
      },
    };
  },
});

export const tfjsWasm = peer("wasm", {});
export const tfjsCpu = peer("cpu", { backend: "ts" });
