// Newton-CG on L2-regularised logistic regression over all 60,000 training images of MNIST: the norm of the gradient
// falls to 1e-5 of its start in under 30 steps. Needs MNIST in $THALWEG_MNIST or ../shared/data/mnist.
import { existsSync } from "node:fs";
import { data, manualSeed, nn, optim } from "../../dist/index.js";

const GOAL = 1e-5;
const STEPS = 30;
const L2 = 1e-4;
const folder = process.env.THALWEG_MNIST ?? "../shared/data/mnist";

if (!existsSync(folder)) console.log(`skipped: there is no ${folder}`);
else {
  manualSeed(0);
  const { train } = await data.mnist(folder);
  const [images, labels] = train.batch(Int32Array.from({ length: train.length }, (_, i) => i));
  const model = new nn.Linear(784, 10);
  const optimizer = new optim.NewtonCG(model.parameters());
  let first = 0;
  let share = 1;
  for (let step = 1; step < STEPS && share > GOAL; step++) {
    const start = performance.now();
    const loss = optimizer.step(() =>
      nn.functional.crossEntropy(model.forward(images), labels).add(
        model.weight
          .square()
          .sum()
          .mul(L2 / 2),
      ),
    );
    const { gradientNorm, cgIterations, stepLength } = optimizer.lastStep;
    if (step === 1) first = gradientNorm;
    share = gradientNorm / first;
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(
      `step ${step}: loss ${loss.item().toFixed(6)}, gradient ${share.toExponential(2)} of its start, ` +
        `${cgIterations} products, length ${stepLength}, ${seconds} s`,
    );
  }
  if (!(share <= GOAL)) process.exitCode = 1;
}
