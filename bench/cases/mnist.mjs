// MNIST until a test accuracy is reached: the case, and our side of it. Bytes become floats, samples are shuffled and
// put into batches within the time that counts; the evaluation after each epoch has a time of its own.
import { compile, noGrad } from "../../dist/index.js";
import { trainCase } from "./networks.mjs";
import { copyParameters, makeModel } from "./train.mjs";

const NETWORK = trainCase({ sizes: [784, 256, 128, 10], batch: 128, optimizer: "adam" });

/** The accuracy to reach, as a fraction. A side that has not done so after `mostEpochs` fails. */
export const mnistCase = (accuracy) => ({
  ...NETWORK,
  name: `${NETWORK.name.replace("train", "mnist")} ${100 * accuracy}%`,
  unit: "us",
  accuracy,
  mostEpochs: 30,
});

/** The initial parameters of a run, for both sides. */
export const initialParameters = (work, seed) => copyParameters(makeModel(work, seed).parameters);

const EVALUATED = 1000;
const seconds = (from) => (performance.now() - from) / 1e3;

/** Trains from those parameters; compiling the step counts. Seconds, and the accuracy after each epoch. */
export async function fitOurs(work, { train, test }, seed) {
  // Also seeds the generator that shuffles.
  const { model, step } = makeModel(work, seed);
  const compiled = compile(step);
  const answer = compile((x, _y) => noGrad(() => model.forward(x).argmax(1)));
  const result = { seconds: 0, evaluation: 0, accuracies: [] };
  while (!(result.accuracies.at(-1) >= work.accuracy) && result.accuracies.length < work.mostEpochs) {
    const start = performance.now();
    await compiled.epoch(train, { batchSize: work.samples, shuffle: true });
    result.seconds += seconds(start);
    const middle = performance.now();
    const { results } = await answer.epoch(test, { batchSize: EVALUATED });
    result.accuracies.push(share(results.data, test.labels.data));
    result.evaluation += seconds(middle);
  }
  return result;
}

/** How much of the answers is right. */
const share = (answers, labels) =>
  labels.filter((label, i) => label === Number(answers[i])).length / labels.length;
