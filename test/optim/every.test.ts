/** What holds of every optimizer: equal bits on both executors, saving and loading, ascent, float32, bad options. */
import { describe, expect, test } from "vitest";
import { ArgumentError, ShapeError, StateError } from "../../lib/errors.js";
import * as optim from "../../lib/optim/index.js";
import { backendInfo, withBackend } from "../../lib/runtime/executor.js";
import { type Tensor, tensor } from "../../lib/tensor.js";
import { OPTIMIZERS, rosenbrock, startPoint, stepOnce } from "./rosenbrock.js";

const names = Object.keys(OPTIMIZERS);
const isNative = backendInfo().backend === "native";

function train(name: string, steps: number, dtype: "float32" | "float64"): unknown {
  const x = startPoint(dtype);
  const optimizer = OPTIMIZERS[name].make([x]);
  for (let step = 0; step < steps; step++) stepOnce(optimizer, x);
  expect(x.dtype).toBe(dtype);
  return x.toArray();
}

describe.each(["float32", "float64"] as const)("in %s both executors have the same bits:", (dtype) => {
  // A product of matrices has fused additions on one of them only.
  test.skipIf(!isNative).each(names.filter((name) => name !== "Muon"))("%s", (name) => {
    const steps = name.startsWith("LBFGS") ? 2 : 12;
    const [native, typescript] = (["native", "ts"] as const).map((backend) =>
      withBackend({ backend }, () => train(name, steps, dtype)),
    );
    expect(native).toEqual(typescript);
  });
});

/** A state dict with arrays in the place of tensors, which are other objects after loading. */
const plain = ({ state, paramGroups }: optim.OptimizerStateDict): unknown => ({
  paramGroups,
  state: Object.values(state).map((entries) =>
    Object.entries(entries).map(([name, value]) => [
      name,
      typeof value === "number" ? value : value.toArray(),
    ]),
  ),
});

describe("goes on from a saved state as without a break:", () => {
  test.each(names)("%s", (name) => {
    const { make } = OPTIMIZERS[name];
    const [x, y] = [startPoint(), startPoint()];
    const whole = make([x]);
    const first = make([y]);
    for (let step = 0; step < 4; step++) {
      stepOnce(whole, x);
      stepOnce(first, y);
    }
    const second = make([y]);
    second.loadStateDict(first.stateDict());
    expect(plain(second.stateDict())).toEqual(plain(first.stateDict()));
    for (let step = 0; step < 3; step++) {
      stepOnce(whole, x);
      stepOnce(second, y);
    }
    expect(y.toArray()).toEqual(x.toArray());
  });
});

describe("maximize is descent of the negative:", () => {
  const makers: Record<
    string,
    (p: Tensor[], maximize: boolean) => optim.Optimizer<optim.CommonOptions, optim.ParamState>
  > = {
    Momentum: (p, maximize) => new optim.Momentum(p, { maximize }),
    Nesterov: (p, maximize) => new optim.Nesterov(p, { maximize, form: "first" }),
    Adagrad: (p, maximize) => new optim.Adagrad(p, { maximize }),
    Adadelta: (p, maximize) => new optim.Adadelta(p, { maximize }),
    Adamax: (p, maximize) => new optim.Adamax(p, { maximize }),
    NAdam: (p, maximize) => new optim.NAdam(p, { maximize }),
    RAdam: (p, maximize) => new optim.RAdam(p, { maximize }),
    RMSprop: (p, maximize) => new optim.RMSprop(p, { maximize, centered: true, momentum: 0.5 }),
    Lion: (p, maximize) => new optim.Lion(p, { maximize }),
    Muon: (p, maximize) => new optim.Muon(p, { maximize }),
    "Muon's AdamW": (p, maximize) => new optim.Muon(p, { maximize, useMuon: false }),
  };
  test.each(Object.keys(makers))("%s", (name) => {
    const [x, y] = [startPoint(), startPoint()];
    const descent = makers[name]([x], false);
    const ascent = makers[name]([y], true);
    for (let step = 0; step < 3; step++) {
      stepOnce(descent as never, x);
      ascent.step(() => {
        y.zeroGrad();
        const value = rosenbrock(y).neg();
        value.backward();
        return value;
      });
    }
    expect(y.toArray()).toEqual(x.toArray());
  });
});

describe("refuses", () => {
  const p = (): Tensor[] => [startPoint()];
  test.each<[string, () => unknown]>([
    ["Momentum: beta must be a number in [0, 1), got 1", () => new optim.Momentum(p(), { beta: 1 })],
    [
      'Momentum: form must be "classic" or "averaged" or "unbiased", got "mean"',
      () => new optim.Momentum(p(), { form: "mean" as never }),
    ],
    [
      "Momentum: unknown option momentum; it takes lr, beta",
      () => new optim.Momentum(p(), { momentum: 1 } as never),
    ],
    ["Nesterov: lr must be a number ≥ 0, got -1", () => new optim.Nesterov(p(), { lr: -1 })],
    [
      'Nesterov: form must be "first" or "second" or "pytorch", got "third"',
      () => new optim.Nesterov(p(), { form: "third" as never }),
    ],
    [
      "Adam: biasCorrection must be true or false, got 1",
      () => new optim.Adam(p(), { biasCorrection: 1 as never }),
    ],
    ["Adam: amsgrad must be true or false", () => new optim.Adam(p(), { amsgrad: "yes" as never })],
    [
      "NAdam: betas[0] must be a number in [0, 1), got -0.1",
      () => new optim.NAdam(p(), { betas: [-0.1, 0.9] }),
    ],
    ["NAdam: momentumDecay must be a number ≥ 0, got -1", () => new optim.NAdam(p(), { momentumDecay: -1 })],
    ["RAdam: eps must be a number ≥ 0, got -1", () => new optim.RAdam(p(), { eps: -1 })],
    [
      "RAdam: decoupledWeightDecay must be true or false",
      () => new optim.RAdam(p(), { decoupledWeightDecay: 1 as never }),
    ],
    ["Adamax: weightDecay must be a number ≥ 0, got -1", () => new optim.Adamax(p(), { weightDecay: -1 })],
    ["Adagrad: lrDecay must be a number ≥ 0, got -1", () => new optim.Adagrad(p(), { lrDecay: -1 })],
    [
      "Adagrad: initialAccumulatorValue must be a number ≥ 0, got -1",
      () => new optim.Adagrad(p(), { initialAccumulatorValue: -1 }),
    ],
    ["Adadelta: rho must be a number in [0, 1), got 1", () => new optim.Adadelta(p(), { rho: 1 })],
    ["RMSprop: alpha must be a number in [0, 1), got 2", () => new optim.RMSprop(p(), { alpha: 2 })],
    ["RMSprop: centered must be true or false", () => new optim.RMSprop(p(), { centered: 0 as never })],
    [
      "Lion: betas must be an array of two numbers, got an array of 1",
      () => new optim.Lion(p(), { betas: [1] as never }),
    ],
    ["Muon: nsSteps must be a positive integer, got 0", () => new optim.Muon(p(), { nsSteps: 0 })],
    [
      "Muon: nsCoefficients must be an array of three numbers",
      () => new optim.Muon(p(), { nsCoefficients: [1, 2] as never }),
    ],
    [
      'Muon: adjustLr must be "original" or "matchRmsAdamW"',
      () => new optim.Muon(p(), { adjustLr: "none" as never }),
    ],
    ["SAM: base must be an optimizer", () => new optim.SAM(p() as never)],
    [
      "SAM: Nesterov takes gradients at points of its own",
      () => new optim.SAM(new optim.Nesterov(p(), { form: "first" })),
    ],
    ["SAM: rho must be a number ≥ 0, got -1", () => new optim.SAM(new optim.SGD(p()), { rho: -1 })],
    [
      "SAM.step: it takes gradients at points of its own",
      () => new optim.SAM(new optim.SGD(p())).step(undefined as never),
    ],
    [
      "Adagrad.step: the closure must return the loss, a number or a tensor of one element, it returned undefined",
      () => new optim.Adagrad(p()).step(() => undefined),
    ],
  ])("%s", (message, run) => {
    expect(run).toThrow(ArgumentError);
    expect(run).toThrow(message);
  });

  test("options that need a state which was not kept from the start", () => {
    const x = startPoint();
    const adam = new optim.Adam([x]);
    stepOnce(adam as never, x);
    adam.paramGroups[0].amsgrad = true;
    expect(() => adam.step()).toThrow(StateError);
    expect(() => adam.step()).toThrow("Adam: amsgrad was switched after the first step");
  });
});

describe("SAM", () => {
  test("steps with the gradient at the worst point near by", () => {
    const x = tensor([3, 4], { dtype: "float64", requiresGrad: true });
    const optimizer = new optim.SAM(new optim.SGD([x], { lr: 0.1 }), { rho: 0.5 });
    const seen: unknown[] = [];
    const loss = optimizer.step(() => {
      seen.push(x.toArray());
      x.zeroGrad();
      const value = x.square().sum().mul(0.5);
      value.backward();
      return value;
    });
    // The gradient is x, of norm 5: the worst point is x·(1 + 0.5/5).
    expect(loss.item()).toBe(12.5);
    expect(seen[0]).toEqual([3, 4]);
    for (const [i, value] of [3.3, 4.4].entries()) {
      expect((seen[1] as number[])[i]).toBeCloseTo(value, 10);
      expect((x.toArray() as number[])[i]).toBeCloseTo([3, 4][i] - 0.1 * value, 10);
    }
  });

  test("puts the parameters back after an error", () => {
    const x = tensor([3, 4], { requiresGrad: true });
    const optimizer = new optim.SAM(new optim.SGD([x], { lr: 0.1 }));
    let calls = 0;
    const closure = (): Tensor => {
      if (++calls === 2) throw new ShapeError("no");
      x.zeroGrad();
      const value = x.square().sum();
      value.backward();
      return value;
    };
    expect(() => optimizer.step(closure)).toThrow(ShapeError);
    expect(x.toArray()).toEqual([3, 4]);
  });
});

test("Muon's matrices are nearly orthogonal, and other parameters are AdamW's", () => {
  const weight = tensor(
    [
      [1, 2, 3],
      [0, 1, 5],
    ],
    { dtype: "float64", requiresGrad: true },
  );
  const bias = tensor([1, 2], { dtype: "float64", requiresGrad: true });
  const twin = tensor([1, 2], { dtype: "float64", requiresGrad: true });
  const before = weight.detach().clone();
  const muon = new optim.Muon([weight, bias], { lr: 0.1, weightDecay: 0.1 });
  const adamw = new optim.AdamW([twin], { lr: 0.1, weightDecay: 0.1 });
  for (const each of [weight, bias, twin]) each.grad = each.detach().square();
  muon.step();
  adamw.step();
  expect(bias.toArray()).toEqual(twin.toArray());
  const step = before
    .mul(1 - 0.1 * 0.1)
    .sub(weight.detach())
    .mul(10);
  const gram = step.matmul(step.transpose()).toArray() as number[][];
  expect(Math.abs(gram[0][1])).toBeLessThan(0.5);
  for (const i of [0, 1]) expect(Math.abs(gram[i][i] - 1)).toBeLessThan(0.6);
});
