/** What may change between calls: options, frozen parameters, modes, states and gradients, as in the plain step. */
import { expect, test } from "vitest";
import { compile, manualSeed, nn, ones, optim, Tensor, tensor } from "../../lib/index.js";
import { type Training, training, valuesOf, X, Y } from "./steps.js";

type Change = (training: Training) => void;

/** Calls the step with changes between the calls, plain and compiled, and compares the parameters. */
function compare(make: () => Training, changes: readonly Change[]): void {
  const outcome = (isCompiled: boolean): unknown[] => {
    const made = make();
    const step = isCompiled ? compile(made.fn).sync : made.fn;
    const losses = [step(X, Y).item()];
    for (const change of changes) {
      change(made);
      losses.push(step(X, Y).item(), step(X, Y).item());
    }
    return [losses, valuesOf(made), made.optimizer.stateDict().paramGroups];
  };
  expect(outcome(true)).toEqual(outcome(false));
}

const setOption =
  (options: object): Change =>
  ({ optimizer }) => {
    for (const group of optimizer.paramGroups) Object.assign(group, options);
  };

const momentum = (value: number) => () =>
  training((parameters) => new optim.SGD(parameters, { lr: 0.1, momentum: value }));

test("a learning rate set by hand, also to 0 and back", () => {
  compare(momentum(0.9), [setOption({ lr: 0.5 }), setOption({ lr: 0 }), setOption({ lr: 0.1 })]);
});

test("momentum switched on and off again", () => {
  compare(momentum(0), [setOption({ momentum: 0.9 }), setOption({ momentum: 0 })]);
  compare(momentum(0.9), [setOption({ momentum: 0 }), setOption({ momentum: 0.5, nesterov: true })]);
});

test("weight decay, betas and direction", () => {
  const adam = () => training((parameters) => new optim.Adam(parameters, { lr: 0.01 }));
  compare(adam, [
    setOption({ weightDecay: 0.1 }),
    setOption({ betas: [0.5, 0.6] }),
    setOption({ maximize: true }),
  ]);
});

test("parameters frozen and unfrozen", () => {
  const freeze =
    (isFrozen: boolean): Change =>
    ({ model }) => {
      [...model.parameters()][0].requiresGrad = !isFrozen;
    };
  compare(momentum(0.9), [freeze(true), freeze(false)]);
});

test("training and evaluation", () => {
  compare(momentum(0), [({ model }) => model.eval(), ({ model }) => model.train()]);
});

test("a parameter group more", () => {
  const outcome = (isCompiled: boolean): unknown => {
    manualSeed(1);
    const [first, second] = [new nn.Linear(4, 3), new nn.Linear(3, 3)];
    const optimizer = new optim.SGD(first.parameters(), { lr: 0.1 });
    const fn = (x: Tensor, y: Tensor): Tensor => {
      for (const parameter of second.parameters()) parameter.zeroGrad();
      optimizer.zeroGrad();
      const loss = nn.functional.crossEntropy(second.forward(first.forward(x)), y);
      loss.backward();
      optimizer.step();
      return loss;
    };
    const step = isCompiled ? compile(fn).sync : fn;
    step(X, Y);
    optimizer.addParamGroup({ params: second.parameters(), lr: 0.5 });
    step(X, Y);
    return [step(X, Y).item(), second.weight.toArray()];
  };
  expect(outcome(true)).toEqual(outcome(false));
});

test("states loaded in between", () => {
  const copy = (state: object): object =>
    Object.fromEntries(
      Object.entries(state).map(([name, value]) => [name, value instanceof Tensor ? value.clone() : value]),
    );
  const outcome = (isCompiled: boolean): unknown => {
    const made = training((parameters) => new optim.Adam(parameters, { lr: 0.1 }));
    const step = isCompiled ? compile(made.fn).sync : made.fn;
    step(X, Y);
    const model = copy(made.model.stateDict()) as ReturnType<typeof made.model.stateDict>;
    const saved = made.optimizer.stateDict();
    const state = Object.fromEntries(
      Object.entries(saved.state).map(([name, entry]) => [name, copy(entry)]),
    ) as typeof saved.state;
    for (let i = 0; i < 3; i++) step(X, Y);
    made.model.loadStateDict(model);
    made.optimizer.loadStateDict({ ...saved, state });
    return [step(X, Y).item(), step(X, Y).item(), valuesOf(made)];
  };
  expect(outcome(true)).toEqual(outcome(false));
});

test("gradients set by hand are used once", () => {
  const outcome = (isCompiled: boolean): unknown[] => {
    const weight = tensor([1, 2, 3], { requiresGrad: true });
    const other = tensor([4], { requiresGrad: true });
    const optimizer = new optim.SGD([weight, other], { lr: 1 });
    const fn = (): Tensor => {
      optimizer.step();
      optimizer.zeroGrad();
      return weight.detach().sum();
    };
    const step = isCompiled ? compile(fn).sync : fn;
    const found: unknown[] = [];
    for (const isSet of [true, false, true, false, false]) {
      other.grad = ones([1]); // a step without any gradient is an error
      if (isSet) weight.grad = ones([3]);
      found.push(step().item(), weight.grad);
    }
    return found;
  };
  expect(outcome(true)).toEqual(outcome(false));
});

test("gradients of an earlier plain step are gone, like those that the step has used", () => {
  const made = training();
  const step = compile(made.fn);
  step.sync(X, Y);
  made.fn(X, Y);
  step.sync(X, Y);
  expect([...made.model.parameters()].map(({ grad }) => grad)).toEqual([null, null, null, null]);
});

test("gradients of arguments add up, or begin anew after zeroGrad", () => {
  for (const isZeroed of [false, true]) {
    const fn = (x: Tensor): Tensor => {
      if (isZeroed) x.zeroGrad();
      const loss = x.square().sum();
      loss.backward();
      return loss;
    };
    const [plain, compiled] = [
      tensor([1, 2], { requiresGrad: true }),
      tensor([1, 2], { requiresGrad: true }),
    ];
    const step = compile(fn);
    for (let i = 0; i < 3; i++) {
      fn(plain);
      step.sync(compiled);
      expect(compiled.grad?.toArray()).toEqual(plain.grad?.toArray());
    }
    expect(compiled.grad?.requiresGrad).toBe(false);
  }
});

test("two optimizers and two losses", () => {
  const outcome = (isCompiled: boolean): unknown => {
    manualSeed(1);
    const [generator, critic] = [new nn.Linear(2, 4), new nn.Linear(4, 1)];
    const [first, second] = [generator, critic].map(
      (module) => new optim.Adam(module.parameters(), { lr: 0.01 }),
    );
    const loss = (x: Tensor, target: number): Tensor =>
      nn.functional.binaryCrossEntropyWithLogits(critic.forward(x), ones([6, 1]).mul(target));
    const fn = (noise: Tensor, real: Tensor): { critic: Tensor; generator: Tensor } => {
      const fake = generator.forward(noise);
      const own = loss(real, 1).add(loss(fake.detach(), 0));
      second.zeroGrad();
      own.backward();
      second.step();
      const other = loss(fake, 1);
      first.zeroGrad();
      other.backward();
      first.step();
      return { critic: own, generator: other };
    };
    const step = isCompiled ? compile(fn).sync : fn;
    const found: number[] = [];
    const noise = X.slice("...", [0, 2]);
    for (let i = 0; i < 4; i++) {
      const result = step(noise, X);
      found.push(result.critic.item(), result.generator.item());
    }
    return [found, generator.weight.toArray(), critic.weight.toArray()];
  };
  expect(outcome(true)).toEqual(outcome(false));
});
