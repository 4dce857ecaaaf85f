/** Rosenbrock's valley and every optimizer, set so that it gets to its end. */
import * as optim from "../../lib/optim/index.js";
import { type Tensor, tensor } from "../../lib/tensor.js";

/** What the tests ask of an optimizer. */
export interface Steppable {
  step(closure: () => Tensor): Tensor;
  zeroGrad(): void;
  stateDict(): optim.OptimizerStateDict;
  loadStateDict(state: optim.OptimizerStateDict): void;
  readonly paramGroups: readonly { lr: number }[];
}

export interface Entry {
  make: (params: Tensor[]) => Steppable;
  steps: number;
  /** How close it comes to (1, 1). */
  within: number;
  /** The rate falls to this share of itself at every step. */
  gamma?: number;
}

/** Σ 100(x₂ − x₁²)² + (1 − x₁)² over the rows of x, whose least value is 0 at 1. */
export function rosenbrock(x: Tensor): Tensor {
  const [a, b] = [x.slice(null, 0), x.slice(null, 1)];
  return b.sub(a.square()).square().mul(100).add(a.sub(1).square()).sum();
}

export const startPoint = (dtype: "float32" | "float64" = "float64"): Tensor =>
  tensor([[-1.2, 1]], { dtype, requiresGrad: true });

/** One step, with what every loop does. */
export function stepOnce(optimizer: Steppable, x: Tensor): Tensor {
  return optimizer.step(() => {
    optimizer.zeroGrad();
    const loss = rosenbrock(x);
    loss.backward();
    return loss;
  });
}

export const OPTIMIZERS: Record<string, Entry> = {
  SGD: { make: (p) => new optim.SGD(p, { lr: 1.5e-3 }), steps: 3000, within: 0.2 },
  "SGD with momentum": {
    make: (p) => new optim.SGD(p, { lr: 1e-3, momentum: 0.9 }),
    steps: 3000,
    within: 1e-3,
  },
  "Momentum, classic": { make: (p) => new optim.Momentum(p, { lr: 1e-3 }), steps: 3000, within: 1e-3 },
  "Momentum, averaged": {
    make: (p) => new optim.Momentum(p, { lr: 1e-2, form: "averaged" }),
    steps: 3000,
    within: 1e-3,
  },
  "Momentum, unbiased": {
    make: (p) => new optim.Momentum(p, { lr: 1.5e-3, form: "unbiased" }),
    steps: 3000,
    within: 0.2,
  },
  "Nesterov, first": {
    make: (p) => new optim.Nesterov(p, { lr: 1e-3, form: "first" }),
    steps: 3000,
    within: 1e-3,
  },
  "Nesterov, second": {
    make: (p) => new optim.Nesterov(p, { lr: 5e-3, form: "second" }),
    steps: 3000,
    within: 1e-2,
  },
  "Nesterov, pytorch": {
    make: (p) => new optim.Nesterov(p, { lr: 1e-3, form: "pytorch" }),
    steps: 3000,
    within: 1e-3,
  },
  Adam: { make: (p) => new optim.Adam(p, { lr: 0.05 }), steps: 3000, within: 1e-3 },
  "Adam, uncorrected": {
    make: (p) => new optim.Adam(p, { lr: 0.02, biasCorrection: false }),
    steps: 3000,
    within: 1e-3,
  },
  "Adam, AMSGrad": { make: (p) => new optim.Adam(p, { lr: 0.05, amsgrad: true }), steps: 3000, within: 1e-2 },
  AdamW: { make: (p) => new optim.AdamW(p, { lr: 0.05, weightDecay: 0 }), steps: 3000, within: 1e-3 },
  "AdamW, AMSGrad": {
    make: (p) => new optim.AdamW(p, { lr: 0.05, weightDecay: 0, amsgrad: true }),
    steps: 3000,
    within: 1e-2,
  },
  NAdam: { make: (p) => new optim.NAdam(p, { lr: 0.02 }), steps: 3000, within: 0.2 },
  RAdam: { make: (p) => new optim.RAdam(p, { lr: 3e-3 }), steps: 9000, within: 0.5 },
  Adamax: { make: (p) => new optim.Adamax(p, { lr: 0.1 }), steps: 3000, within: 1e-2 },
  Adagrad: { make: (p) => new optim.Adagrad(p, { lr: 0.5 }), steps: 3000, within: 0.2 },
  Adadelta: { make: (p) => new optim.Adadelta(p, { lr: 0.5, rho: 0.5 }), steps: 4000, within: 0.3 },
  RMSprop: { make: (p) => new optim.RMSprop(p, { lr: 0.01 }), steps: 3000, within: 0.1, gamma: 0.999 },
  "RMSprop with momentum": {
    make: (p) => new optim.RMSprop(p, { lr: 2e-3, momentum: 0.8 }),
    steps: 3000,
    within: 0.1,
    gamma: 0.999,
  },
  "RMSprop, centered": {
    make: (p) => new optim.RMSprop(p, { lr: 0.01, centered: true }),
    steps: 3000,
    within: 0.1,
    gamma: 0.999,
  },
  "RMSprop, centered, with momentum": {
    make: (p) => new optim.RMSprop(p, { lr: 2e-3, momentum: 0.8, centered: true }),
    steps: 3000,
    within: 0.1,
    gamma: 0.999,
  },
  Lion: { make: (p) => new optim.Lion(p, { lr: 0.01 }), steps: 3000, within: 0.1, gamma: 0.999 },
  Muon: {
    make: (p) => new optim.Muon(p, { lr: 0.01, weightDecay: 0 }),
    steps: 2000,
    within: 0.1,
    gamma: 0.998,
  },
  "Muon's AdamW": {
    make: (p) => new optim.Muon(p, { lr: 0.05, weightDecay: 0, useMuon: false }),
    steps: 3000,
    within: 1e-3,
  },
  LBFGS: { make: (p) => new optim.LBFGS(p, { lineSearch: "strongWolfe" }), steps: 5, within: 1e-3 },
  "LBFGS without a line search": {
    make: (p) => new optim.LBFGS(p, { lr: 0.1, maxIter: 10 }),
    steps: 60,
    within: 1e-3,
  },
  SAM: {
    make: (p) => new optim.SAM(new optim.SGD(p, { lr: 1e-3, momentum: 0.9 }), { rho: 1e-4 }),
    steps: 2000,
    within: 1e-2,
  },
  "SAM, adaptive": {
    make: (p) => new optim.SAM(new optim.Adam(p, { lr: 0.05 }), { rho: 1e-4, adaptive: true }),
    steps: 2000,
    within: 1e-2,
  },
};
