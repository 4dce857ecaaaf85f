// Whole training steps through the public API: forward, loss, backward, update, the loss read. Compiled and called by
// `sync`, if nothing else is said.
import { compile, Generator, manualSeed, nn, optim, tensor } from "../../dist/index.js";
import { withBackend } from "../../dist/runtime/executor.js";
import { repeat } from "../harness.mjs";

const NETWORKS = [
  { sizes: [16, 64, 64, 4], batch: 16, optimizer: "adam" },
  { sizes: [784, 128, 10], batch: 32, optimizer: "sgd" },
  { sizes: [784, 128, 10], batch: 32, optimizer: "adam" },
  { sizes: [784, 256, 128, 10], batch: 128, optimizer: "adam" },
  { sizes: [784, 1024, 1024, 10], batch: 256, optimizer: "adam" },
  // 50 hidden layers.
  { sizes: [784, ...new Array(50).fill(100), 10], batch: 100, optimizer: "sgd" },
];
const LEARNING_RATES = { adam: 1e-3, sgd: 0.1 };
const VERIFIED_STEPS = 5;
const TOLERANCE = 1e-4;

/** `784-256-10`, and `100x50` for fifty layers of 100. */
function nameOf(sizes) {
  const runs = [];
  for (const size of sizes) {
    if (runs.at(-1)?.size === size) runs.at(-1).count++;
    else runs.push({ size, count: 1 });
  }
  return runs.map(({ size, count }) => (count === 1 ? size : `${size}x${count}`)).join("-");
}

export const trainCases = () =>
  NETWORKS.map(({ sizes, batch, optimizer }) => ({
    kind: "train",
    name: `train ${nameOf(sizes)} b${batch} ${optimizer}`,
    shape: sizes,
    dtype: "float32",
    unit: "samples/s",
    samples: batch,
    optimizer,
    lr: LEARNING_RATES[optimizer],
    verifiedSteps: VERIFIED_STEPS,
    floor: floorOf(sizes, batch, optimizer),
  }));

/**
 * What a step cannot do without: the operations of its matrix products, and the bytes of parameters, state, gradients
 * and batch, each read or written once as often as the formulas say. What lies between layers may stay in caches.
 */
function floorOf(sizes, batch, optimizer) {
  let flops = 0;
  let parameters = 0;
  for (let i = 0; i + 1 < sizes.length; i++) {
    // Forward, the gradient of the weight, and that of the input but for the first layer.
    flops += 2 * batch * sizes[i] * sizes[i + 1] * (i === 0 ? 2 : 3);
    parameters += (sizes[i] + 1) * sizes[i + 1];
  }
  const state = optimizer === "adam" ? 2 : 0;
  // Parameter and state are read and written.
  return { flops, bytes: 4 * (parameters * 2 * (1 + state) + batch * sizes[0]) };
}

/** A model with its data; `step()` trains on one batch and gives its loss. The same on every call. */
function makeTraining({ shape: sizes, samples: batch, optimizer: kind, lr }) {
  manualSeed(0);
  const layers = sizes.slice(1).flatMap((size, i) => {
    const linear = new nn.Linear(sizes[i], size);
    return i < sizes.length - 2 ? [linear, new nn.ReLU()] : [linear];
  });
  const model = new nn.Sequential(...layers);
  const parameters = model.parameters();
  const optimizer = kind === "adam" ? new optim.Adam(parameters, { lr }) : new optim.SGD(parameters, { lr });
  const x = new Generator(2).uniform([batch, sizes[0]]);
  const labels = Int32Array.from({ length: batch }, (_, i) => i % sizes[sizes.length - 1]);
  const y = tensor(labels);
  const step = (input, target) => {
    optimizer.zeroGrad();
    const loss = nn.functional.crossEntropy(model.forward(input), target);
    loss.backward();
    optimizer.step();
    return loss;
  };
  return { step, parameters, x, y, labels };
}

/** What a peer needs to train the same: arrays with their shapes, before the first step. */
export function trainInputs(work) {
  const { parameters, x, labels } = makeTraining(work);
  const array = ({ data, shape }) => ({ data: data.slice(), shape });
  return { parameters: parameters.map(array), x: array(x), labels };
}

/** Ways to call a step: `run(calls)`. */
const WAYS = {
  eager: (step, x, y) => repeat(() => step(x, y).item()),
  sync: (step, x, y) => {
    const compiled = compile(step);
    return repeat(() => compiled.sync(x, y).item());
  },
  async: (step, x, y) => {
    const compiled = compile(step);
    return async (calls) => {
      for (let i = 0; i < calls; i++) (await compiled(x, y)).item();
    };
  },
};

/** Our side on an executor; `losses` are those of the first steps, of the plain function. */
export function onTraining(work, backend, way = "sync") {
  const { step, x, y } = makeTraining(work);
  return withBackend({ backend }, () => {
    const losses = Array.from({ length: VERIFIED_STEPS }, () => step(x, y).item());
    const run = WAYS[way](step, x, y);
    return { losses, run: way === "async" ? run : (calls) => withBackend({ backend }, () => run(calls)) };
  });
}

/** Largest relative difference between the losses of two sides; throws where it is too large. */
export function compareLosses({ name }, ours, theirs) {
  const residual = Math.max(
    ...ours.losses.map((loss, i) => Math.abs(loss - theirs.losses[i]) / Math.abs(theirs.losses[i])),
  );
  if (residual <= TOLERANCE) return residual;
  throw new Error(`${name}: the losses differ by ${residual}: ${ours.losses} and ${theirs.losses}`);
}
