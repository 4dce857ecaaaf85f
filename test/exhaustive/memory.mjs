// 100,000 training steps of a small network without any dispose, eager, compiled and compiled in the background: the
// resident set must stay flat.
// Run with V8's young generation at its final size (scripts/exhaustive.mjs): otherwise V8 doubles it at some moment of
// its own choosing, which adds about 18 MiB once and has nothing to do with what the steps leave behind.
import { compile, manualSeed, nn, optim, randn, tensor } from "../../dist/index.js";

const STEPS = 100_000;
const WARM_UP = 20_000;
// A leak of a single 64-element tensor per step would be ten times this.
const ALLOWED_GROWTH = 2 * 2 ** 20;

manualSeed(0);
const model = new nn.Sequential(new nn.Linear(16, 64), new nn.ReLU(), new nn.Linear(64, 4));
const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
const x = randn([16, 16]);
const y = tensor(Int32Array.from({ length: 16 }, (_, i) => i % 4));
const train = (inputs, labels) => {
  optimizer.zeroGrad();
  const loss = nn.functional.crossEntropy(model.forward(inputs), labels);
  loss.backward();
  optimizer.step();
  return loss;
};
const compiled = compile(train);
const ways = {
  eager: () => train(x, y),
  compiled: () => compiled.sync(x, y),
  "in the background": () => compiled(x, y),
};

for (const [name, run] of Object.entries(ways)) {
  let warm = 0;
  let highest = 0;
  for (let step = 1; step <= STEPS; step++) {
    const result = run();
    if (result instanceof Promise) await result;
    if (step % 5000 !== 0) continue;
    // The collector runs when the event loop turns, as in any program that awaits something.
    await new Promise(setImmediate);
    const { rss } = process.memoryUsage();
    if (step <= WARM_UP) warm = Math.max(warm, rss);
    else highest = Math.max(highest, rss);
  }
  console.log(
    `${name}: resident set ${(warm / 2 ** 20).toFixed(1)} MiB warm, at most ${(highest / 2 ** 20).toFixed(1)} MiB after`,
  );
  if (highest - warm > ALLOWED_GROWTH) {
    console.error(`${name}: the resident set grows`);
    process.exitCode = 1;
  }
}
