/** Modules: what they find among their properties, their state dict, and how they print. */
import { describe, expect, test } from "vitest";
import { ArgumentError, StateError } from "../../lib/errors.js";
import {
  BatchNorm1d,
  Dropout,
  Linear,
  Module,
  ModuleList,
  Parameter,
  ReLU,
  Residual,
  Sequential,
} from "../../lib/nn/index.js";
import { Generator } from "../../lib/random/index.js";
import { ones, type Tensor, tensor, zeros } from "../../lib/tensor.js";

class Scaled extends Module {
  readonly scale = new Parameter(ones([3]));
  readonly body = new Sequential(new Linear(3, 3), new ReLU());
  readonly blocks = new ModuleList([new Linear(3, 3, { bias: false }), new BatchNorm1d(3)]);
  readonly label = "not a parameter";

  override forward(x: Tensor): Tensor {
    return [...this.blocks].reduce(
      (value, block) => block.forward(value),
      this.body.forward(x.mul(this.scale)),
    );
  }
}

const NAMES = [
  "scale",
  "body.0.weight",
  "body.0.bias",
  "blocks.0.weight",
  "blocks.1.weight",
  "blocks.1.bias",
  "blocks.1.running_mean",
  "blocks.1.running_var",
  "blocks.1.num_batches_tracked",
];
const isParameter = (name: string): boolean => !/running|tracked/.test(name);

describe("finding parts", () => {
  test("names parameters, buffers and modules as PyTorch does, parents first", () => {
    const model = new Scaled();
    expect(Object.keys(model.stateDict())).toEqual(NAMES);
    expect([...model.namedParameters()].map(([name]) => name)).toEqual(NAMES.filter(isParameter));
    expect([...model.namedBuffers()].map(([name]) => name)).toEqual(
      NAMES.filter((name) => !isParameter(name)),
    );
    expect([...model.namedModules()].map(([name]) => name)).toEqual([
      ...["", "body", "body.0", "body.1", "blocks", "blocks.0", "blocks.1"],
    ]);
    expect(model.children()).toEqual([model.body, model.blocks]);
    expect(model.parameters().every((parameter) => parameter.requiresGrad)).toBe(true);
    expect(model.numParameters()).toBe(3 + 9 + 3 + 9 + 3 + 3);
  });

  test("lists a shared parameter once, but keeps both of its names in the state dict", () => {
    const first = new Linear(2, 2);
    const model = new Sequential(first, new Residual(first));
    expect([...model.namedParameters()].map(([name]) => name)).toEqual(["0.weight", "0.bias"]);
    expect(Object.keys(model.stateDict())).toEqual([
      "0.weight",
      "0.bias",
      "1.module.weight",
      "1.module.bias",
    ]);
    expect(model.modules()).toHaveLength(3);
  });

  test("lists a parameter that two modules share once", () => {
    class Tied extends Module {
      constructor(readonly weight: Parameter) {
        super();
      }
      override forward(x: Tensor): Tensor {
        return x.mul(this.weight);
      }
    }
    const weight = new Parameter(ones([1]));
    const model = new Sequential(new Tied(weight), new Tied(weight));
    expect([...model.namedParameters()]).toEqual([["0.weight", weight]]);
    expect(Object.keys(model.stateDict())).toEqual(["0.weight", "1.weight"]);
  });

  test("refuses plain arrays of modules, and modules that contain themselves", () => {
    class Listed extends Module {
      readonly layers = [new ReLU()];
      override forward(x: Tensor): Tensor {
        return x;
      }
    }
    expect(() => new Listed().parameters()).toThrow("Listed: property layers is a plain array");
    class Looped extends Module {
      readonly self: Module = this;
      override forward(x: Tensor): Tensor {
        return x;
      }
    }
    expect(() => new Looped().stateDict()).toThrow("Looped: the module at self contains itself");
  });

  test("checks the names of buffers", () => {
    const model = new ReLU();
    for (const name of ["", "a.b", "training"]) {
      expect(() => model.registerBuffer(name, zeros([1]))).toThrow(ArgumentError);
    }
    expect(() => model.getBuffer("mean")).toThrow("ReLU: there is no buffer mean; there is none");
  });
});

describe("modes and gradients", () => {
  test("train and eval reach every module", () => {
    const model = new Scaled();
    expect(
      model
        .eval()
        .modules()
        .every(({ training }) => !training),
    ).toBe(true);
    expect(
      model
        .train()
        .modules()
        .every(({ training }) => training),
    ).toBe(true);
    expect(() => model.train("yes" as unknown as boolean)).toThrow(ArgumentError);
  });

  test("zeroGrad forgets all gradients", () => {
    const model = new Linear(2, 1);
    model
      .forward(ones([3, 2]))
      .sum()
      .backward();
    expect(model.weight.grad?.toArray()).toEqual([[3, 3]]);
    model.zeroGrad();
    expect(model.parameters().map(({ grad }) => grad)).toEqual([null, null]);
  });

  test("apply visits children before their parents", () => {
    const names: string[] = [];
    new Sequential(new Residual(new ReLU()), new Dropout()).apply((module) =>
      names.push(module.constructor.name),
    );
    expect(names).toEqual(["ReLU", "Residual", "Dropout", "Sequential"]);
  });
});

describe("state dict", () => {
  const values = (model: Module) => Object.values(model.stateDict()).map((value) => value.toArray());

  test("holds the module's own tensors, and loads into another module in place", () => {
    const [from, to] = [new Scaled(), new Scaled()];
    from.forward(new Generator(1).normal([4, 3]));
    const { weight } = to.body.at(0) as Linear;
    expect(to.stateDict()["body.0.weight"]).toBe(weight);
    expect(to.loadStateDict(from.stateDict())).toEqual({ missing: [], unexpected: [] });
    expect(values(to)).toEqual(values(from));
    expect(to.body.at(0)).toHaveProperty("weight", weight);
    expect(to.stateDict()["blocks.1.num_batches_tracked"].toArray()).toBe(1n);
    expect(weight.isLeaf && weight.requiresGrad).toBe(true);
  });

  test("converts between float32 and float64 and takes NDArrays", () => {
    const [wide, narrow] = [new Linear(2, 2, { dtype: "float64" }), new Linear(2, 2)];
    wide.loadStateDict(narrow.stateDict());
    expect(wide.weight.dtype).toBe("float64");
    expect(wide.weight.toArray()).toEqual(narrow.weight.toArray());
    narrow.loadStateDict({ weight: zeros([2, 2]).array, bias: tensor([1, 2], { dtype: "float64" }).array });
    expect(values(narrow)).toEqual([
      [
        [0, 0],
        [0, 0],
      ],
      [1, 2],
    ]);
  });

  test("reads all values before it writes, when they are its own", () => {
    const model = new Sequential(new Linear(1, 1), new Linear(1, 1));
    const before = values(model);
    const state = model.stateDict();
    const swapped = Object.entries(state).map(([name]) => [
      name,
      state[name.replace(/\d/, (i) => String(1 - Number(i)))],
    ]);
    model.loadStateDict(Object.fromEntries(swapped));
    expect(values(model)).toEqual([before[2], before[3], before[0], before[1]]);
  });

  test("one error lists all that does not fit, and nothing changes", () => {
    const model = new Sequential(new Linear(2, 3), new BatchNorm1d(3));
    const before = values(model);
    const { "0.bias": _, ...state } = new Sequential(new Linear(2, 3), new BatchNorm1d(3)).stateDict();
    const wrong = {
      ...state,
      "0.weight": zeros([3, 3]),
      "1.num_batches_tracked": tensor(1),
      "1.weight": 5 as unknown as Tensor,
      more: zeros([1]),
    };
    expect(() => model.loadStateDict(wrong)).toThrow(StateError);
    expect(() => model.loadStateDict(wrong)).toThrow(
      "Sequential.loadStateDict: the state dict does not fit, nothing was loaded: missing: 0.bias; unexpected: more; " +
        "0.weight has shape [3,3], [3,2] is needed; 1.weight is number 5, not a Tensor; " +
        "1.num_batches_tracked is float32, int64 is needed",
    );
    expect(() => model.loadStateDict(wrong, { strict: false })).toThrow(
      "0.weight has shape [3,3], [3,2] is needed",
    );
    expect(values(model)).toEqual(before);
  });

  test("without strict, returns the names that were not in both", () => {
    const model = new Linear(1, 1);
    const loaded = model.loadStateDict({ weight: ones([1, 1]), more: ones([1]) }, { strict: false });
    expect(loaded).toEqual({ missing: ["bias"], unexpected: ["more"] });
    expect(model.weight.toArray()).toEqual([[1]]);
  });

  test("refuses what is not a state dict, and unknown options", () => {
    const model = new Linear(1, 1);
    expect(() => model.loadStateDict(new Map() as never)).toThrow("must be a plain object");
    expect(() => model.loadStateDict(model.stateDict(), { Strict: true } as never)).toThrow(
      "unknown option Strict; it takes strict",
    );
  });
});

test("prints as PyTorch does", () => {
  const model = new Sequential(
    new Linear(784, 10),
    new Residual(new Sequential(new ReLU(), new Dropout(0.2))),
  );
  expect(String(model)).toBe(
    [
      "Sequential(",
      "  (0): Linear(inFeatures=784, outFeatures=10, bias=true)",
      "  (1): Residual(",
      "    (module): Sequential(",
      "      (0): ReLU()",
      "      (1): Dropout(p=0.2)",
      "    )",
      "  )",
      ")",
    ].join("\n"),
  );
});
