/** Initialization by zeros: nothing is learnt but the bias of the last layer. */
import { expect, test } from "vitest";
import { diagnose } from "../../lib/init/doctor/diagnose.js";
import * as init from "../../lib/init/index.js";
import * as nn from "../../lib/nn/index.js";
import { SGD } from "../../lib/optim/index.js";
import { Generator } from "../../lib/random/index.js";
import { tensor } from "../../lib/tensor.js";

const x = new Generator(1).normal([12, 6]);
const y = tensor([0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2], { dtype: "int32" });

test.each([
  ["ReLU", () => new nn.ReLU()],
  ["Tanh", () => new nn.Tanh()],
])("zeros give every hidden weight a zero gradient: %s", (_, activation) => {
  const last = new nn.Linear(5, 3);
  const model = new nn.Sequential(new nn.Linear(6, 8), activation(), new nn.Linear(8, 5), activation(), last);
  for (const parameter of model.parameters()) init.zeros(parameter);
  const optimizer = new SGD(model.parameters(), { lr: 0.5 });
  const gradients = new Map<string, number>();
  for (let step = 0; step < 300; step++) {
    optimizer.zeroGrad();
    nn.functional.crossEntropy(model.forward(x), y).backward();
    for (const [name, { grad }] of model.namedParameters()) {
      gradients.set(name, Math.max(gradients.get(name) ?? 0, grad?.abs().max().item() ?? Number.NaN));
    }
    optimizer.step();
  }
  const { "4.bias": bias, ...others } = Object.fromEntries(gradients);
  expect(others).toEqual({ "0.weight": 0, "0.bias": 0, "2.weight": 0, "2.bias": 0, "4.weight": 0 });
  expect(bias).toBeGreaterThan(0.2);
  for (const [name, parameter] of model.namedParameters()) {
    if (name !== "4.bias") expect(parameter.abs().max().item()).toBe(0);
  }
  // All that can be learnt without the inputs is how frequent each class is.
  const shares = Array.from(model.forward(x).detach().softmax(1).data, Number).slice(0, 3);
  [7 / 12, 3 / 12, 2 / 12].forEach((share, i) => {
    expect(Math.abs(shares[i] - share)).toBeLessThan(1e-4);
  });
});

test("the doctor sees it", () => {
  const model = new nn.Sequential(new nn.Linear(6, 8), new nn.ReLU(), new nn.Linear(8, 3));
  for (const parameter of model.parameters()) init.zeros(parameter);
  const { layers, failure } = diagnose(model, x, { target: y });
  expect([failure?.kind, failure?.pass, failure?.index, failure?.name]).toEqual([
    "vanishing",
    "forward",
    0,
    "0",
  ]);
  expect(failure?.variance).toBeCloseTo(2 / 6, 12);
  expect(layers.map(({ weightGradientNorm }) => weightGradientNorm)).toEqual([0, 0]);
  expect(layers.map(({ gradientNorm }) => gradientNorm === 0)).toEqual([true, false]);
});
