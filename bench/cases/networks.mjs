// Training steps as cases: which networks, and what a step of each cannot do without. What runs them is in train.mjs.

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
// A step in JavaScript is many functions, which engines compile only after some calls.
const WARM_UP_NS = 2e8;

/** `784-256-10`, and `100x50` for fifty layers of 100. */
function nameOf(sizes) {
  const runs = [];
  for (const size of sizes) {
    if (runs.at(-1)?.size === size) runs.at(-1).count++;
    else runs.push({ size, count: 1 });
  }
  const text = ({ size, count }) => (count < 3 ? new Array(count).fill(size).join("-") : `${size}x${count}`);
  return runs.map(text).join("-");
}

/** A case of a network of layers of these sizes, trained on batches by an optimizer. */
export const trainCase = ({ sizes, batch, optimizer }) => ({
  kind: "train",
  name: `train ${nameOf(sizes)} b${batch} ${optimizer}`,
  shape: sizes,
  dtype: "float32",
  unit: "samples/s",
  samples: batch,
  optimizer,
  lr: LEARNING_RATES[optimizer],
  verifiedSteps: VERIFIED_STEPS,
  warmUpNs: WARM_UP_NS,
  floor: floorOf(sizes, batch, optimizer),
});

export const trainCases = () => NETWORKS.map(trainCase);

/** The same steps called in other ways than by `sync`: the way's name ends the row's. */
export const callCases = () =>
  trainCases().flatMap((work) =>
    ["async", "eager", "epoch"].map((way) => ({ ...work, way, name: `${work.name} ${way}` })),
  );

/**
 * What a step cannot do without: the operations of its matrix products, and the bytes of parameters and state, read and
 * written, and of the batch. What lies between layers, and a gradient until its update, may stay in caches.
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
  return { flops, bytes: 4 * (parameters * 2 * (1 + state) + batch * sizes[0]) };
}
