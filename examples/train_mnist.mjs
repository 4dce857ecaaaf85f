// Trains on MNIST's four files (the folder is the first argument), or on the drawn digits: node examples/train_mnist.mjs
import { data, fit, manualSeed, nn, optim } from "thalweg";

manualSeed(0);
const folder = process.argv[2];
const { train, test } = folder === undefined ? data.digits() : await data.mnist(folder);
const model = new nn.Sequential(new nn.Linear(784, 256), new nn.ReLU(), new nn.Linear(256, 10));

const training = fit(model, train, {
  loss: "crossEntropy",
  optimizer: new optim.Adam(model.parameters(), { lr: 1e-3 }),
  schedule: ({ step, steps }) => 0.5 * (1 + Math.cos((Math.PI * step) / steps)),
  epochs: 5,
  batchSize: 128,
  validation: test,
});
for await (const { epoch, trainLoss, validationAccuracy, samplesPerSecond } of training) {
  const accuracy = (100 * validationAccuracy).toFixed(2);
  console.log(
    `epoch ${epoch}: loss ${trainLoss.toFixed(4)}, test accuracy ${accuracy} %, ${Math.round(samplesPerSecond)} samples/s`,
  );
}
