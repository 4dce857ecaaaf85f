/** What all optimizers share: groups, closures, checks, state dicts. The update rules are in rules.test.ts. */
import { describe, expect, test } from "vitest";
import { isGradEnabled, noGrad } from "../../lib/autograd/mode.js";
import { ArgumentError, GradientError, ShapeError, StateError } from "../../lib/errors.js";
import * as nn from "../../lib/nn/index.js";
import { Adam, AdamW, type OptimizerStateDict, SGD } from "../../lib/optim/index.js";
import { Generator } from "../../lib/random/index.js";
import { ones, type Tensor, tensor, zeros } from "../../lib/tensor.js";

const parameter = (values: number[] = [1, 2]): Tensor =>
  tensor(values, { dtype: "float64", requiresGrad: true });
const withGrad = (values: number[], grad: number[]): Tensor => {
  const result = parameter(values);
  result.grad = tensor(grad, { dtype: "float64" });
  return result;
};

describe("parameters and groups", () => {
  test("groups have options of their own, and are changed through paramGroups", () => {
    const [a, b] = [withGrad([1], [1]), withGrad([1], [1])];
    const optimizer = new SGD([{ params: [a] }, { params: [b], lr: 0.5 }], { lr: 0.25 });
    optimizer.step();
    expect([a.item(), b.item()]).toEqual([0.75, 0.5]);
    optimizer.paramGroups[0].lr = 1;
    optimizer.step();
    expect([a.item(), b.item()]).toEqual([-0.25, 0]);
  });

  test("addParamGroup takes the optimizer's options where it says nothing", () => {
    const [a, b] = [withGrad([1], [1]), withGrad([1], [1])];
    const optimizer = new SGD([a], { lr: 0.25, weightDecay: 1 });
    optimizer.addParamGroup({ params: [b], weightDecay: 0 });
    optimizer.step();
    expect([a.item(), b.item()]).toEqual([0.5, 0.75]);
  });

  test("takes any iterable, such as a generator of parameters", () => {
    const model = new nn.Linear(2, 1);
    const optimizer = new Adam(new Set(model.parameters()));
    expect(optimizer.paramGroups[0].params).toEqual(model.parameters());
  });

  test("skips parameters without a gradient, and zeroGrad forgets gradients", () => {
    const [a, b] = [withGrad([1], [1]), parameter([1])];
    const optimizer = new Adam([a, b]);
    optimizer.step();
    expect(b.item()).toBe(1);
    expect(optimizer.state.has(a)).toBe(true);
    expect(optimizer.state.has(b)).toBe(false);
    optimizer.zeroGrad();
    expect(a.grad).toBe(null);
  });

  test("updates views that are not contiguous, without touching what lies between", () => {
    const base = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { dtype: "float64" },
    );
    const column = tensor(base.array.slice(null, 1), { requiresGrad: true });
    column.grad = ones([2], { dtype: "float64" });
    new SGD([column], { lr: 1, momentum: 0.5 }).step();
    expect(base.toArray()).toEqual([
      [1, 1],
      [3, 3],
    ]);
    const row = tensor(base.array.slice(1), { requiresGrad: true });
    row.grad = tensor([1, 2], { dtype: "float64" }).reshape([2, 1]).transpose().reshape([2]);
    new SGD([row], { lr: 1 }).step();
    expect(base.toArray()).toEqual([
      [1, 1],
      [2, 1],
    ]);
  });

  test("takes gradients that are broadcast views", () => {
    const weight = parameter([1, 2, 3]);
    weight.sum().backward();
    new Adam([weight], { lr: 1, eps: 0 }).step();
    // The first step of Adam is lr in each coordinate, up to the rounding of its square root.
    (weight.toArray() as number[]).forEach((value, i) => {
      expect(value).toBeCloseTo(i, 15);
    });
  });

  test("a step is seen by graphs that used the old values", () => {
    const weight = withGrad([1], [1]);
    const output = weight.square();
    new SGD([weight]).step();
    expect(() => output.backward()).toThrow(GradientError);
  });

  const refused: [string, () => unknown, string][] = [
    ["no parameters", () => new SGD([]), "SGD: params is empty"],
    ["an empty group", () => new SGD([{ params: [] }]), "SGD: paramGroups[0].params is empty"],
    [
      "a bare tensor",
      () => new SGD(parameter() as never),
      "SGD: params must be an array of tensors or of groups",
    ],
    [
      "a mixture",
      () => new SGD([parameter(), { params: [] }] as never),
      "SGD: paramGroups[0].params[1] must be a Tensor",
    ],
    ["an intermediate result", () => new Adam([parameter().square()]), "params[0] is the result of square"],
    ["integers", () => new Adam([tensor([1], { dtype: "int32" })]), "params[0] is int32"],
    [
      "an unknown option",
      () => new Adam([parameter()], { LR: 1 } as never),
      "Adam: unknown option LR; it takes lr, betas",
    ],
    [
      "an unknown option of a group",
      () => new SGD([{ params: [parameter()], betas: 1 } as never]),
      "SGD: unknown option betas; it takes lr, momentum",
    ],
  ];
  test.each(refused)("refuses %s", (_, call, message) => {
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(message);
  });

  test("refuses a parameter that occurs twice, in one group or in two", () => {
    const [a, b] = [parameter(), parameter()];
    expect(() => new SGD([a, b, a])).toThrow("SGD: paramGroups[0].params[2] occurs twice");
    const optimizer = new SGD([a]);
    expect(() => optimizer.addParamGroup({ params: [b, a] })).toThrow(
      "paramGroups[1].params[1] occurs twice",
    );
    expect(optimizer.paramGroups).toHaveLength(1);
  });

  test("checks all gradients before it updates any", () => {
    const [a, b] = [withGrad([1], [1]), withGrad([1, 2], [1])];
    const optimizer = new SGD([a, b]);
    expect(() => optimizer.step()).toThrow(ShapeError);
    expect(() => optimizer.step()).toThrow(
      "SGD: the gradient of paramGroups[0].params[1] is [1]; it must be [2]",
    );
    b.grad = zeros([2]);
    expect(() => optimizer.step()).toThrow(
      "SGD: the gradient of paramGroups[0].params[1] is float32; it must be float64",
    );
    b.grad = 5 as never;
    expect(() => optimizer.step()).toThrow(ArgumentError);
    expect(() => optimizer.step()).toThrow(
      "SGD: the gradient of paramGroups[0].params[1] must be a Tensor or null, got number 5",
    );
    expect(a.item()).toBe(1);
  });
});

describe("options", () => {
  const p = (): Tensor[] => [parameter()];
  const refused: [() => unknown, string][] = [
    [() => new SGD(p(), { lr: -1 }), "SGD: lr must be a number ≥ 0, got -1"],
    [() => new SGD(p(), { lr: Number.NaN }), "SGD: lr must be a number ≥ 0, got NaN"],
    [() => new SGD(p(), { lr: "1" as never }), 'SGD: lr must be a number ≥ 0, got string "1"'],
    [() => new SGD(p(), { momentum: -0.1 }), "SGD: momentum must be a number ≥ 0, got -0.1"],
    [() => new SGD(p(), { dampening: Infinity }), "SGD: dampening must be a finite number, got Infinity"],
    [() => new SGD(p(), { weightDecay: -1 }), "SGD: weightDecay must be a number ≥ 0, got -1"],
    [
      () => new SGD(p(), { nesterov: true }),
      "SGD: nesterov needs momentum > 0 and dampening 0, got momentum 0",
    ],
    [
      () => new SGD(p(), { nesterov: true, momentum: 0.9, dampening: 0.1 }),
      "got momentum 0.9 and dampening 0.1",
    ],
    [() => new SGD(p(), { maximize: 1 as never }), "SGD: maximize must be true or false, got 1"],
    [() => new Adam(p(), { lr: -1 }), "Adam: lr must be a number ≥ 0, got -1"],
    [() => new Adam(p(), { betas: [0.9, 1] }), "Adam: betas[1] must be a number in [0, 1), got 1"],
    [
      () => new Adam(p(), { betas: 0.9 as never }),
      "Adam: betas must be an array of two numbers, got number 0.9",
    ],
    [() => new AdamW(p(), { eps: -1 }), "AdamW: eps must be a number ≥ 0, got -1"],
    [() => new AdamW(p(), { weightDecay: -1 }), "AdamW: weightDecay must be a number ≥ 0, got -1"],
  ];
  test.each(refused)("are checked: %#", (call, message) => {
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(message);
  });

  test.each([undefined, Number.NaN, "0.5", -1])(
    "set to lr = %j later are checked before a step changes anything",
    (lr) => {
      const [a, b] = [withGrad([1], [1]), withGrad([1], [1])];
      for (const optimizer of [
        new SGD([{ params: [a] }, { params: [b] }]),
        new Adam([{ params: [a] }, { params: [b] }]),
      ]) {
        optimizer.paramGroups[1].lr = lr as never;
        expect(() => optimizer.step()).toThrow(ArgumentError);
        expect(() => optimizer.step()).toThrow(`${optimizer.name}: lr must be a number ≥ 0, got `);
        expect([a.item(), b.item(), optimizer.state.size]).toEqual([1, 1, 0]);
      }
    },
  );

  test("and groups of another kind are refused", () => {
    const optimizer = new SGD(p());
    expect(() => optimizer.addParamGroup(undefined as never)).toThrow(ArgumentError);
    expect(() => optimizer.addParamGroup(undefined as never)).toThrow(
      "SGD: a group must be a plain object, got undefined",
    );
    expect(() => optimizer.step(5 as never)).toThrow(
      "SGD.step: the closure must be a function, got number 5",
    );
    expect(() => new SGD(p(), null as never)).toThrow("SGD: options must be an object, got null");
  });

  test("of a group are checked too", () => {
    expect(() => new SGD([{ params: p(), lr: -1 }])).toThrow("SGD: lr must be a number ≥ 0, got -1");
  });

  test("have PyTorch's defaults", () => {
    expect(new Adam(p()).defaults).toEqual({
      lr: 1e-3,
      betas: [0.9, 0.999],
      eps: 1e-8,
      weightDecay: 0,
      biasCorrection: true,
      amsgrad: false,
      maximize: false,
    });
    expect(new AdamW(p()).defaults.weightDecay).toBe(1e-2);
    expect(new SGD(p()).defaults.lr).toBe(1e-3);
  });
});

describe("step(closure)", () => {
  test("calls the closure with recording on, returns its value, and uses its gradient", () => {
    const weight = parameter([3]);
    const optimizer = new SGD([weight], { lr: 0.5 });
    const loss = noGrad(() =>
      optimizer.step(() => {
        expect(isGradEnabled()).toBe(true);
        optimizer.zeroGrad();
        const value = weight.square().sum();
        value.backward();
        return value;
      }),
    );
    expect(loss.item()).toBe(9);
    expect(weight.item()).toBe(0);
    expect(optimizer.step()).toBe(undefined);
  });

  test.each<[string, () => unknown, string]>([
    ["nothing", () => undefined, "undefined"],
    ["null", () => null, "null"],
    ["text", () => "1", 'string "1"'],
    ["a tensor of two elements", () => zeros([2]), "a tensor of shape [2]"],
    ["a promise", () => Promise.reject(new Error("nobody waits")), "a value of class Promise"],
  ])("refuses a closure that returns %s", (_, closure, got) => {
    const p = parameter();
    p.grad = p.detach();
    const before = p.toArray();
    for (const optimizer of [new SGD([p]), new Adam([p])]) {
      expect(() => optimizer.step(closure)).toThrow(ArgumentError);
      expect(() => optimizer.step(closure)).toThrow(
        `${optimizer.name}.step: the closure must return the loss, a number or a tensor of one element, it returned ${got}`,
      );
    }
    expect(p.toArray()).toEqual(before);
  });

  test("refuses an asynchronous closure before it runs", () => {
    let hasRun = false;
    const closure = async (): Promise<number> => {
      hasRun = true;
      return 1;
    };
    expect(() => new SGD([parameter()]).step(closure)).toThrow(
      "SGD.step: the closure must not be asynchronous or a generator",
    );
    expect(hasRun).toBe(false);
  });

  test("refuses parameters of which none has a gradient, or ever will", () => {
    const [p, frozen] = [parameter(), parameter()];
    frozen.requiresGrad = false;
    expect(() => new Adam([frozen])).toThrow("Adam: none of params requires a gradient");
    const optimizer = new Adam([p, frozen]);
    expect(() => optimizer.step()).toThrow(GradientError);
    expect(() => optimizer.step(() => 1)).toThrow("Adam.step: no parameter has a gradient; call backward()");
    expect(optimizer.state.size).toBe(0);
    p.grad = p.detach();
    optimizer.step();
    expect(optimizer.state.size).toBe(1);
  });
});

describe("state dict", () => {
  const generator = new Generator(2);
  const inputs = generator.normal([8, 3], { dtype: "float64" });
  const model = (): nn.Linear => new nn.Linear(3, 2, { generator: new Generator(1), dtype: "float64" });

  function train(layer: nn.Linear, optimizer: Adam | AdamW | SGD, steps: number): void {
    for (let i = 0; i < steps; i++) {
      optimizer.zeroGrad();
      layer.forward(inputs).square().mean().backward();
      optimizer.step();
    }
  }

  const makers: [string, (params: Iterable<Tensor>) => Adam | AdamW | SGD][] = [
    ["Adam", (params) => new Adam(params, { lr: 0.1, betas: [0.5, 0.6] })],
    ["AdamW", (params) => new AdamW(params, { lr: 0.1 })],
    ["SGD", (params) => new SGD(params, { lr: 0.1 })],
    ["SGD with momentum", (params) => new SGD(params, { lr: 0.1, momentum: 0.9, dampening: 0.5 })],
  ];

  test.each(makers)("%s goes on from a saved state exactly as without a break", (_, make) => {
    const [whole, first, second] = [model(), model(), model()];
    train(whole, make(whole.parameters()), 5);
    const before = make(first.parameters());
    train(first, before, 3);
    second.loadStateDict(first.stateDict());
    const after = make(second.parameters());
    after.paramGroups[0].lr = 100;
    after.loadStateDict(before.stateDict());
    train(second, after, 2);
    expect(second.weight.toArray()).toEqual(whole.weight.toArray());
    // What was loaded is a copy.
    train(first, before, 2);
    expect(first.weight.toArray()).toEqual(whole.weight.toArray());
  });

  test("is plain data and tensors, numbered over all groups", () => {
    const layer = model();
    const optimizer = new Adam([{ params: [layer.bias as Tensor] }, { params: [layer.weight], lr: 0.5 }]);
    layer.weight.grad = ones([2, 3], { dtype: "float64" });
    optimizer.step();
    const state = optimizer.stateDict();
    const rest = {
      betas: [0.9, 0.999],
      eps: 1e-8,
      weightDecay: 0,
      biasCorrection: true,
      amsgrad: false,
      maximize: false,
    };
    expect(state.paramGroups).toEqual([
      { lr: 1e-3, ...rest, params: [0] },
      { lr: 0.5, ...rest, params: [1] },
    ]);
    expect(Object.keys(state.state)).toEqual(["1"]);
    expect(Object.keys(state.state["1"])).toEqual(["step", "exp_avg", "exp_avg_sq"]);
    expect(state.state["1"].step).toBe(1);
    expect(JSON.parse(JSON.stringify(state.paramGroups))).toEqual(state.paramGroups);
  });

  test("loading the state of an optimizer that made no step forgets what was kept", () => {
    const layer = model();
    const optimizer = new Adam(layer.parameters());
    const initial = optimizer.stateDict();
    train(layer, optimizer, 1);
    optimizer.loadStateDict(initial);
    expect(optimizer.state.size).toBe(0);
  });

  const adam = (): Adam => new Adam(model().parameters());
  const good = (): OptimizerStateDict => {
    const layer = model();
    const optimizer = new Adam(layer.parameters());
    train(layer, optimizer, 1);
    return optimizer.stateDict();
  };
  const broken: [string, (state: OptimizerStateDict) => unknown, string][] = [
    ["no object", () => null, "it must be { state, paramGroups }, got null"],
    ["a state that is a list", (state) => ({ ...state, state: [] }), "its state an array"],
    [
      "another number of groups",
      (state) => ({ ...state, paramGroups: [] }),
      "it has 0 groups, the optimizer has 1",
    ],
    [
      "another number of parameters",
      (state) => ({ ...state, paramGroups: [{ ...state.paramGroups[0], params: [0] }] }),
      "paramGroups[0] has 1 parameters, the optimizer's has 2",
    ],
    [
      "other options",
      ({ state, paramGroups: [{ eps: _, ...group }] }) => ({
        state,
        paramGroups: [{ ...group, momentum: 1 }],
      }),
      "paramGroups[0] misses eps; paramGroups[0] has unexpected momentum",
    ],
    [
      "options outside their range",
      (state) => ({ ...state, paramGroups: [{ ...state.paramGroups[0], lr: -1 }] }),
      "paramGroups[0]: Adam: lr must be a number ≥ 0, got -1",
    ],
    [
      "state of an unknown parameter",
      ({ state, paramGroups }) => ({ state: { ...state, "7": state["0"] }, paramGroups }),
      "state 7 belongs to no parameter that keeps a state",
    ],
    [
      "state that does not fit",
      ({ state, paramGroups }) => ({
        state: { "0": { ...state["0"], step: -1, exp_avg: ones([1]) }, "1": { step: 1, more: 2 } },
        paramGroups,
      }),
      "state 0 step is number -1, not a count; state 0 exp_avg has shape [1], [2,3] is needed; " +
        "state 1 misses exp_avg, exp_avg_sq; state 1 has unexpected more",
    ],
  ];
  test.each(broken)("refuses %s, and nothing changes", (_, breakIt, message) => {
    const optimizer = adam();
    const state = breakIt(good()) as OptimizerStateDict;
    expect(() => optimizer.loadStateDict(state)).toThrow(StateError);
    expect(() => optimizer.loadStateDict(state)).toThrow(`Adam.loadStateDict: the state dict does not fit`);
    expect(() => optimizer.loadStateDict(state)).toThrow(message);
    expect(optimizer.state.size).toBe(0);
    expect(optimizer.paramGroups[0].lr).toBe(1e-3);
  });

  test("refuses the state of momentum where there is no momentum", () => {
    const layer = model();
    const optimizer = new SGD(layer.parameters(), { momentum: 0.9 });
    train(layer, optimizer, 1);
    const { state, paramGroups } = optimizer.stateDict();
    const plain = new SGD(model().parameters());
    const mixed = { state, paramGroups: [{ ...paramGroups[0], momentum: 0 }] };
    expect(() => plain.loadStateDict(mixed)).toThrow("state 0 belongs to no parameter that keeps a state");
    plain.loadStateDict({ state, paramGroups });
    expect(plain.paramGroups[0].momentum).toBe(0.9);
  });
});
