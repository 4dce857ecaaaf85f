/** A step is one call of the executor, whatever the number of parameters. */
import { afterEach, expect, test, vi } from "vitest";
import * as optim from "../../lib/optim/index.js";
import { executor } from "../../lib/runtime/executor.js";
import { ones, type Tensor } from "../../lib/tensor.js";

afterEach(() => vi.restoreAllMocks());

type Rule = { step(): unknown };
const RULES: [string, (p: Tensor[]) => Rule][] = [
  ["SGD", (p) => new optim.SGD(p)],
  ["SGD with momentum", (p) => new optim.SGD(p, { momentum: 0.9 })],
  ["Momentum", (p) => new optim.Momentum(p, { form: "unbiased" })],
  ["Nesterov", (p) => new optim.Nesterov(p)],
  ["Adagrad", (p) => new optim.Adagrad(p)],
  ["Adadelta", (p) => new optim.Adadelta(p)],
  ["RMSprop", (p) => new optim.RMSprop(p, { centered: true, momentum: 0.9 })],
  ["Adam", (p) => new optim.Adam(p, { amsgrad: true })],
  ["AdamW", (p) => new optim.AdamW(p)],
  ["Adamax", (p) => new optim.Adamax(p)],
  ["NAdam", (p) => new optim.NAdam(p)],
  ["RAdam", (p) => new optim.RAdam(p)],
  ["Lion", (p) => new optim.Lion(p)],
];

test.each(RULES)("%s", (_, make) => {
  for (const count of [1, 3, 60]) {
    const parameters = Array.from({ length: count }, (_, i) =>
      ones([1 + (i % 5), 2], { requiresGrad: true }),
    );
    const optimizer = make(parameters);
    const run = vi.spyOn(executor(), "run");
    const runKernel = vi.spyOn(executor(), "runKernel");
    for (const isFirst of [true, false]) {
      for (const parameter of parameters) parameter.grad = ones(parameter.shape);
      run.mockClear();
      runKernel.mockClear();
      optimizer.step();
      // Adagrad fills its sums before the first step.
      expect(run).toHaveBeenCalledTimes(1);
      if (!isFirst) expect(runKernel).not.toHaveBeenCalled();
    }
  }
});
