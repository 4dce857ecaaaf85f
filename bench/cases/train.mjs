// Whole training steps through the public API: forward, loss, backward, update, the loss read. Compiled and called by
// `sync`, if the case names no other way. The cases are in networks.mjs.
import { compile, data, Generator, manualSeed, nn, optim, tensor } from "../../dist/index.js";
import { withBackend } from "../../dist/runtime/executor.js";
import { repeat } from "../harness.mjs";

// The order of additions differs from side to side, and five steps carry on what the first did.
const TOLERANCE = 1e-4;
// An epoch of MNIST is fifteen times as long; then what begins and ends an epoch counts less.
const EPOCH_SAMPLES = 4096;

/** The fully connected network of a case, and its optimizer; the same at every call. */
export function makeModel({ shape: sizes, optimizer: kind, lr }, seed = 0) {
  manualSeed(seed);
  const layers = sizes.slice(1).flatMap((size, i) => {
    const linear = new nn.Linear(sizes[i], size);
    return i < sizes.length - 2 ? [linear, new nn.ReLU()] : [linear];
  });
  const model = new nn.Sequential(...layers);
  const parameters = model.parameters();
  const optimizer = kind === "adam" ? new optim.Adam(parameters, { lr }) : new optim.SGD(parameters, { lr });
  const step = (input, target) => {
    optimizer.zeroGrad();
    const loss = nn.functional.crossEntropy(model.forward(input), target);
    loss.backward();
    optimizer.step();
    return loss;
  };
  return { model, parameters, step };
}

/** Samples for a case, without anything to learn. */
function makeData({ shape: sizes }, count) {
  const labels = Int32Array.from({ length: count }, (_, i) => i % sizes.at(-1));
  return { x: new Generator(2).uniform([count, sizes[0]]), y: tensor(labels), labels };
}

/** Parameters as a peer takes them: arrays with their shapes, weights as [outputs, inputs]. */
export const copyParameters = (parameters) =>
  parameters.map(({ data, shape }) => ({ data: data.slice(), shape }));

/** What a peer needs to train the same, before the first step. */
export function trainInputs(work) {
  const { x, labels } = makeData(work, work.samples);
  return {
    parameters: copyParameters(makeModel(work).parameters),
    x: { data: x.data.slice(), shape: x.shape },
    labels,
  };
}

/** A way whose step is called by a function that gives the loss: those of the first steps, and the body to time. */
const bySync = (call) => ({
  first: (count) => Array.from({ length: count }, call),
  run: repeat(call),
});

/** The same for a function that gives a promise of the loss. */
const byAsync = (call) => ({
  first: async (count) => {
    const losses = [];
    for (let i = 0; i < count; i++) losses.push(await call());
    return losses;
  },
  run: async (calls) => {
    for (let i = 0; i < calls; i++) await call();
  },
});

/** Whole epochs, shuffled, over samples in memory: at least one, whatever the number of calls; timed per step. */
function byEpoch(work, step) {
  const compiled = compile(step);
  const { samples: batchSize } = work;
  const steps = Math.floor(EPOCH_SAMPLES / batchSize);
  const makeDataset = (count) => {
    const { x, y } = makeData(work, count);
    return new data.TensorDataset(x, y);
  };
  const many = makeDataset(steps * batchSize);
  return {
    // The one batch over and over, in its order.
    first: async (count) => {
      const indices = Int32Array.from({ length: count * batchSize }, (_, i) => i % batchSize);
      const repeated = new data.Subset(makeDataset(batchSize), indices);
      const { results } = await compiled.epoch(repeated, { batchSize });
      return [...results.data];
    },
    run: async (calls) => {
      const epochs = Math.max(1, Math.round(calls / steps));
      const start = process.hrtime.bigint();
      for (let i = 0; i < epochs; i++) await compiled.epoch(many, { batchSize, shuffle: true });
      return (Number(process.hrtime.bigint() - start) * calls) / (epochs * steps);
    },
  };
}

/** Ways to call a step. */
function callBy(way, work, { step }) {
  if (way === "epoch") return byEpoch(work, step);
  const { x, y } = makeData(work, work.samples);
  if (way === "eager") return bySync(() => step(x, y).item());
  const compiled = compile(step);
  return way === "async"
    ? byAsync(async () => (await compiled(x, y)).item())
    : bySync(() => compiled.sync(x, y).item());
}

/** Our side on an executor, called in a way; `losses` are those of the first steps. On "ts" only by `sync` and `eager`. */
export async function onTraining(work, backend, way = "sync") {
  const { first, run } = callBy(way, work, makeModel(work));
  // A choice of the executor holds until a function returns, not until what it promises is there.
  const on = (body) => (backend === "native" ? body() : withBackend({ backend }, body));
  return { losses: await on(() => first(work.verifiedSteps)), run: (calls) => on(() => run(calls)) };
}

/** Largest relative difference between the losses of two sides; throws where it is too large. */
export function compareLosses({ name }, ours, theirs) {
  const differences = ours.losses.map(
    (loss, i) => Math.abs(loss - theirs.losses[i]) / Math.abs(theirs.losses[i]),
  );
  const residual = Math.max(...differences);
  if (residual <= TOLERANCE) return residual;
  throw new Error(`${name}: the losses differ by ${residual}: ${ours.losses} and ${theirs.losses}`);
}
