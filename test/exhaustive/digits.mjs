// How hard the drawn digits are: a linear model stays below 95 % of the test images, an MLP passes 97 %.
import { data, manualSeed, nn, noGrad, optim } from "../../dist/index.js";

/** Test accuracy after training with Adam. */
function accuracy(sizes, { epochs, lr, seed }) {
  manualSeed(seed);
  const { train, test } = data.digits({ n: 10_000, seed });
  const layers = sizes.slice(1).flatMap((size, i) => [new nn.Linear(sizes[i], size), new nn.ReLU()]);
  const model = new nn.Sequential(...layers.slice(0, -1));
  const optimizer = new optim.Adam(model.parameters(), { lr });
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const [x, y] of new data.DataLoader(train, { batchSize: 128, shuffle: true })) {
      optimizer.zeroGrad();
      nn.functional.crossEntropy(model.forward(x), y).backward();
      optimizer.step();
    }
  }
  const [x, y] = test.batch(Int32Array.from({ length: test.length }, (_, i) => i));
  return 100 * noGrad(() => model.forward(x).argmax(1).eq(y).astype("float32").mean().item());
}

for (const seed of [0, 1, 2]) {
  const linear = accuracy([784, 10], { epochs: 20, lr: 2e-3, seed });
  const mlp = accuracy([784, 256, 128, 10], { epochs: 8, lr: 1e-3, seed });
  console.log(`seed ${seed}: linear ${linear.toFixed(2)} %, MLP ${mlp.toFixed(2)} %`);
  if (!(linear < 95) || !(mlp > 97)) process.exitCode = 1;
}
