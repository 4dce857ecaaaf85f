/** Options that change between calls of a compiled step: it does what the plain function does, whatever the option. */
import { describe, expect, test } from "vitest";
import { compile, optim, type Tensor, tensor } from "../../lib/index.js";

/** What is changed here beside the options that all rules have. */
type Change = Record<string, unknown>;
type Make = (params: Tensor[]) => {
  paramGroups: Iterable<object>;
  zeroGrad(): void;
  step(closure: () => Tensor): Tensor;
};

const SGD_MOMENTUM: Make = (p) => new optim.SGD(p, { lr: 0.1, momentum: 0.9 });
const ADAM: Make = (p) => new optim.Adam(p, { lr: 0.1 });
const RMSPROP: Make = (p) => new optim.RMSprop(p, { lr: 0.1, centered: true, momentum: 0.9 });
const MUON: Make = (p) => new optim.Muon(p, { lr: 0.1 });

const CASES: [string, Make, Change][] = [
  ["SGD", SGD_MOMENTUM, { lr: 0.01 }],
  ["SGD", SGD_MOMENTUM, { nesterov: true }],
  ["SGD", SGD_MOMENTUM, { momentum: 0 }],
  ["SGD", SGD_MOMENTUM, { maximize: true, weightDecay: 0.5 }],
  ["SGD", (p) => new optim.SGD(p, { lr: 0.1 }), { momentum: 0.9, dampening: 0.5 }],
  ["Momentum", (p) => new optim.Momentum(p, { lr: 0.1 }), { form: "unbiased" }],
  ["Nesterov", (p) => new optim.Nesterov(p, { lr: 0.1, form: "first" }), { form: "second" }],
  ["Nesterov", (p) => new optim.Nesterov(p, { lr: 0.1, form: "first" }), { form: "pytorch" }],
  ["Nesterov", (p) => new optim.Nesterov(p, { lr: 0.1 }), { form: "first" }],
  ["Adam", ADAM, { betas: [0.5, 0.6], eps: 0.1 }],
  ["Adam", ADAM, { biasCorrection: false }],
  ["Adam", ADAM, { amsgrad: true }],
  ["Adam", ADAM, { lr: -1 }],
  ["Adam", ADAM, { betas: null }],
  ["Adam", (p) => new optim.Adam(p, { lr: 0.1, betas: [0.5, 0.3], amsgrad: true }), { amsgrad: false }],
  ["RMSprop", RMSPROP, { centered: false }],
  ["RMSprop", RMSPROP, { momentum: 0 }],
  ["RMSprop", (p) => new optim.RMSprop(p, { lr: 0.1 }), { momentum: 0.9 }],
  ["RAdam", (p) => new optim.RAdam(p, { weightDecay: 0.1 }), { decoupledWeightDecay: true }],
  ["Lion", (p) => new optim.Lion(p, { lr: 0.1 }), { betas: [0.5, 0.6], weightDecay: 0.5 }],
  ["Muon", MUON, { nsSteps: 3 }],
  ["Muon", MUON, { nsCoefficients: [2, -1.5, 0.5] }],
  ["Muon", MUON, { nsCoefficients: null }],
  ["Muon", MUON, { eps: 10 }],
  ["Muon", MUON, { nesterov: false, momentum: 0.5, adamScale: 0.1, adjustLr: "matchRmsAdamW" }],
  ["Muon", MUON, { useMuon: false }],
  ["Muon", (p) => new optim.Muon(p, { lr: 0.1, useMuon: false }), { useMuon: true }],
];

/** Eight steps with the change after the third: the parameters at the end, or the error. */
function train(make: Make, change: Change, isCompiled: boolean): unknown {
  const parameter = (values: number[] | number[][]): Tensor =>
    tensor(values, { dtype: "float64", requiresGrad: true });
  const a = parameter([
    [1, 2],
    [3, 4],
    [0.5, -1],
  ]);
  const b = parameter([0.3, -0.2]);
  const optimizer = make([a, b]);
  const plain = (): Tensor =>
    optimizer.step(() => {
      optimizer.zeroGrad();
      const loss = a.square().mul(0.5).add(a.sin()).sum().add(b.cos().sum());
      loss.backward();
      return loss;
    });
  const compiled = compile(plain);
  try {
    for (let i = 0; i < 8; i++) {
      if (i === 3) for (const group of optimizer.paramGroups) Object.assign(group, change);
      if (isCompiled) compiled.sync();
      else plain();
    }
  } catch (error) {
    return [(error as Error).name, (error as Error).message, a.toArray(), b.toArray()];
  }
  return [a.toArray(), b.toArray()];
}

describe("options changed between calls", () => {
  test.each(CASES)("%s %o %o", (_, make, change) => {
    const plain = train(make, change, false);
    expect(train(make, change, true)).toEqual(plain);
    // The change means something: else nothing would be compared.
    expect(train(make, {}, false)).not.toEqual(plain);
  });
});
