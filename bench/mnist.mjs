// npm run bench:mnist -- --data DIR [--threads N] [--runs N] [--accuracy X] [--json FILE]
// Seconds of training until 97 % of the test images of MNIST are told right, ours and PyTorch's in turn, from the same
// initial weights. PyTorch has the images as floats in memory; ours are bytes.
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { backendInfo, data, setNumThreads } from "../dist/index.js";
import { fitOurs, initialParameters, mnistCase } from "./cases/mnist.mjs";
import { compareLosses, onTraining, trainInputs } from "./cases/train.mjs";
import { medianRatio } from "./harness.mjs";
import { pytorch } from "./peers/pytorch.mjs";
import { formatRow, HEADER, makeRow } from "./rows.mjs";

// Threads of one side must not spin on the other's time.
const SETTLE_MS = 200;

const { values: options } = parseArgs({
  options: {
    data: { type: "string" },
    threads: { type: "string", default: String(availableParallelism()) },
    runs: { type: "string", default: "3" },
    accuracy: { type: "string", default: "0.97" },
    json: { type: "string" },
  },
});
if (options.data === undefined) {
  console.error("bench:mnist: needs --data DIR, a folder with the four files of MNIST");
  process.exit(2);
}
const threads = Number(options.threads);
const work = mnistCase(Number(options.accuracy));

async function openPeer(images) {
  try {
    const peer = await pytorch.open();
    console.log(`-- pytorch: ${peer.about}`);
    return { ...peer, side: await peer.prepareFit(work, trainInputs(work), threads, images) };
  } catch (error) {
    console.log(`pytorch does not run here (${error.message}); to install it: ${pytorch.install}`);
    return null;
  }
}

/** Images and labels by part, as arrays with their shapes. */
const arraysOf = (sets) =>
  Object.fromEntries(
    Object.entries(sets).flatMap(([part, { images, labels }]) => [
      [`${part}_images`, images],
      [`${part}_labels`, labels],
    ]),
  );

function report(run, who, { seconds, evaluation, accuracies }) {
  const epochs = accuracies.length;
  console.log(
    `run ${run}  ${who.padEnd(8)} ${seconds.toFixed(2).padStart(7)} s, ${epochs} epochs of ` +
      `${(seconds / epochs).toFixed(2)} s; evaluation ${evaluation.toFixed(2)} s; ` +
      `accuracy ${accuracies.map((accuracy) => (100 * accuracy).toFixed(2)).join(", ")} %`,
  );
  if (accuracies.at(-1) >= work.accuracy) return;
  throw new Error(`${work.name}: ${who} has not reached it in ${epochs} epochs`);
}

setNumThreads(threads);
const sets = await data.mnist(options.data);
const peer = await openPeer(arraysOf(sets));
const runs = [];
for (let run = 0; run < Number(options.runs); run++) {
  const one = {};
  await sleep(SETTLE_MS);
  const parameters = initialParameters(work, run);
  one.ours = await fitOurs(work, sets, run);
  report(run, "thalweg", one.ours);
  if (peer) {
    await sleep(SETTLE_MS);
    one.theirs = await peer.side.fit(parameters, run);
    report(run, "pytorch", one.theirs);
  }
  runs.push(one);
}

const { backend, isa } = backendInfo();
const times = (who, of) => runs.map((run) => 1e9 * of(run[who]));
const details = { by: { backend, isa, threads } };
if (peer) {
  details.residual = compareLosses(work, await onTraining(work, backend), peer.side);
  Object.assign(details, { against: "pytorch", note: peer.side.note });
}
const total = ({ seconds }) => seconds;
const perEpoch = ({ seconds, accuracies }) => seconds / accuracies.length;
const sides = (of) => ({ ours: times("ours", of), theirs: peer && times("theirs", of) });
const row = { ...makeRow(work, details, sides(total)), runs };
console.log(`${HEADER}\n${formatRow(row)}`);
if (peer) {
  const { ours, theirs } = sides(perEpoch);
  row.ratioPerEpoch = medianRatio(ours, theirs);
  console.log(`an epoch: ${row.ratioPerEpoch.toFixed(2)} times faster than PyTorch's`);
}
if (options.json) {
  mkdirSync(dirname(options.json), { recursive: true });
  writeFileSync(options.json, `${JSON.stringify([row], null, 1)}\n`);
}
peer?.close();
