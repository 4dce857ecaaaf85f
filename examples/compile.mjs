// Compiles a step, compares it with the plain one, and shows what it does: node examples/compile.mjs
import { compile, data, manualSeed, nn, optim } from "thalweg";

/** A model with its step; equal seeds give equal ones. */
function makeStep() {
  manualSeed(0);
  const model = new nn.Sequential(new nn.Linear(784, 64), new nn.ReLU(), new nn.Linear(64, 10));
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
  return (x, y) => {
    const loss = nn.functional.crossEntropy(model.forward(x), y);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  };
}

const { train } = data.digits({ n: 2000 });
const [plain, step] = [makeStep(), compile(makeStep())];
for (const [x, y] of new data.DataLoader(train, { batchSize: 500 })) {
  const expected = plain(x, y).item();
  const loss = (await step(x, y)).item(); // on other threads; the event loop is free meanwhile
  console.log(
    `plain ${expected}, compiled ${loss}: ${Object.is(expected, loss) ? "the same bits" : "different"}`,
  );
}

// A whole epoch is one call, which gathers its batches itself.
const { steps, results } = await step.epoch(train, { batchSize: 100, shuffle: true });
console.log(`\n${steps} steps in one call, the last loss ${results.toArray().at(-1).toFixed(4)}\n`);
console.log(step.explain());
