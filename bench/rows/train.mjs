// Rows of whole eager training steps (forward, loss, backward, update, loss read): against the TypeScript executor,
// and against PyTorch's eager step in a process of its own that is timed in turn with ours.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Generator, manualSeed, nn, optim, tensor } from "../../dist/index.js";
import { withBackend } from "../../dist/runtime/executor.js";
import { repeat } from "../harness.mjs";
import { PyTorch } from "../peers/pytorch.mjs";

const NETWORKS = [
  { name: "train 784-256-128-10 b128 adam", sizes: [784, 256, 128, 10], batch: 128, optimizer: "adam" },
  { name: "train 784-128-10 b32 sgd", sizes: [784, 128, 10], batch: 32, optimizer: "sgd" },
];

function makeStep({ sizes, batch, optimizer: kind }) {
  manualSeed(0);
  const layers = sizes.slice(1).flatMap((size, i) => {
    const linear = new nn.Linear(sizes[i], size);
    return i < sizes.length - 2 ? [linear, new nn.ReLU()] : [linear];
  });
  const model = new nn.Sequential(...layers);
  const optimizer =
    kind === "adam"
      ? new optim.Adam(model.parameters(), { lr: 1e-3 })
      : new optim.SGD(model.parameters(), { lr: 0.1 });
  const generator = new Generator(2);
  const x = generator.uniform([batch, sizes[0]]);
  const labels = Int32Array.from({ length: batch }, (_, i) => i % sizes[sizes.length - 1]);
  const y = tensor(labels);
  const step = () => {
    optimizer.zeroGrad();
    const loss = nn.functional.crossEntropy(model.forward(x), y);
    loss.backward();
    optimizer.step();
    return loss.item();
  };
  return { step, model, x, labels };
}

const VERIFIED_STEPS = 5;

/** Largest relative difference between the losses of the first steps. */
function residualOf(ours, theirs) {
  return Math.max(...ours.map((loss, i) => Math.abs(loss - theirs[i]) / Math.abs(theirs[i])));
}

function checked(name, ours, theirs) {
  const residual = residualOf(ours, theirs);
  if (!(residual <= 1e-4))
    throw new Error(`${name}: the losses differ by ${residual}: ${ours} and ${theirs}`);
  return residual;
}

const losses = (step) => Array.from({ length: VERIFIED_STEPS }, step);

function againstTypeScript(network) {
  const on = (backend, body) => withBackend({ backend }, body);
  const [a, b] = [makeStep(network), makeStep(network)];
  const residual = checked(
    network.name,
    on("native", () => losses(a.step)),
    on("ts", () => losses(b.step)),
  );
  const batch =
    (backend, { step }) =>
    (calls) =>
      on(backend, () => repeat(step)(calls));
  return { ours: batch("native", a), theirs: batch("ts", b), residual, against: "ts" };
}

async function againstPyTorch(network) {
  const peer = await PyTorch.start();
  if (peer === null) return { missing: "PyTorch is not installed (apt-get install python3-torch)" };
  const ours = makeStep(network);
  const folder = mkdtempSync(join(tmpdir(), "thalweg-bench-"));
  try {
    const write = (name, { data }) => {
      const path = join(folder, name);
      writeFileSync(path, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      return path;
    };
    const parameters = ours.model.parameters().map((p, i) => ({ path: write(`p${i}`, p), shape: p.shape }));
    const x = { path: write("x", ours.x), shape: ours.x.shape };
    const reply = await peer.ask({
      command: "prepare",
      parameters,
      x,
      labels: [...ours.labels],
      optimizer: network.optimizer,
      verify: VERIFIED_STEPS,
    });
    const residual = checked(network.name, losses(ours.step), reply.losses);
    const note = await peer.chooseThreads();
    return {
      isOtherProcess: true,
      note,
      ours: repeat(ours.step),
      theirs: async (calls) => (await peer.ask({ command: "run", calls })).nanoseconds,
      residual,
      against: "pytorch",
      close: () => peer.close(),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function trainRows() {
  return NETWORKS.flatMap((network) => {
    const common = {
      name: network.name,
      shape: network.sizes,
      dtype: "float32",
      unit: "samples/s",
      work: network.batch,
    };
    return [
      { ...common, prepare: () => againstTypeScript(network) },
      { ...common, prepare: () => againstPyTorch(network) },
    ];
  });
}
