/** L-BFGS against PyTorch's, and what it refuses. */
import { describe, expect, test } from "vitest";
import { compile } from "../../lib/compile/index.js";
import { ArgumentError, StateError, TraceError } from "../../lib/errors.js";
import { LBFGS, type LBFGSOptions } from "../../lib/optim/index.js";
import { type Tensor, tensor } from "../../lib/tensor.js";
import { readFixture } from "../nn/fixtures.js";

interface Run {
  start: number[];
  options: Partial<LBFGSOptions>;
  losses: number[];
  points: number[][];
  n_iter: number;
  func_evals: number;
}

const TOLERANCE = 1e-8;

/** Σ 100(x₂ − x₁²)² + (1 − x₁)² over neighbours, as in scripts/make_fixtures.py. */
function rosenbrock(x: Tensor): Tensor {
  const [a, b] = [x.slice([0, -1]), x.slice([1, null])];
  return b.sub(a.square()).square().mul(100).add(a.sub(1).square()).sum();
}

const closureOf =
  (x: Tensor, parts: readonly Tensor[] = [x]) =>
  (): Tensor => {
    for (const part of parts) part.zeroGrad();
    const loss = rosenbrock(x);
    loss.backward();
    return loss;
  };

const start = (): Tensor => tensor([-1.2, 1], { dtype: "float64", requiresGrad: true });

describe("the points of PyTorch", () => {
  const runs = readFixture<Run[]>("lbfgs.json").map((run) => [JSON.stringify(run.options), run] as const);
  test.each(runs)("%s", (_, run) => {
    const x = tensor(run.start, { dtype: "float64", requiresGrad: true });
    const optimizer = new LBFGS([x], run.options);
    run.points.forEach((point, i) => {
      expect(optimizer.step(closureOf(x)).item()).toBeCloseTo(run.losses[i], 8);
      (x.toArray() as number[]).forEach((value, k) => {
        expect(Math.abs(value - point[k]), `step ${i}: ${value}, ${point[k]}`).toBeLessThan(TOLERANCE);
      });
    });
    const { n_iter, func_evals } = optimizer.stateDict().state["0"];
    expect({ n_iter, func_evals }).toEqual({ n_iter: run.n_iter, func_evals: run.func_evals });
  });
});

test("goes on from a saved state as without a break", () => {
  const options = { lineSearch: "strongWolfe", maxIter: 4, historySize: 3 } as const;
  const [x, y] = [start(), start()];
  const whole = new LBFGS([x], options);
  const first = new LBFGS([y], options);
  for (let i = 0; i < 3; i++) {
    whole.step(closureOf(x));
    first.step(closureOf(y));
  }
  const second = new LBFGS([y], options);
  second.loadStateDict(first.stateDict());
  expect((second.stateDict().state["0"].old_dirs as Tensor).shape).toEqual([3, 2]);
  whole.step(closureOf(x));
  second.step(closureOf(y));
  expect(y.toArray()).toEqual(x.toArray());
  second.loadStateDict(new LBFGS([start()], options).stateDict());
  expect(second.stateDict().state).toEqual({});
  const other = new LBFGS([tensor([1, 2, 3], { dtype: "float64", requiresGrad: true })], options);
  expect(() => other.loadStateDict(first.stateDict())).toThrow(StateError);
});

test("takes several parameters as one vector", () => {
  const parts = [
    tensor([-1.2], { dtype: "float64", requiresGrad: true }),
    tensor([[1]], { dtype: "float64", requiresGrad: true }),
  ];
  const optimizer = new LBFGS(parts, { lineSearch: "strongWolfe", maxIter: 100 });
  optimizer.step(() => {
    for (const part of parts) part.zeroGrad();
    const [a, b] = [parts[0], parts[1].flatten()];
    const loss = b.sub(a.square()).square().mul(100).add(a.sub(1).square()).sum();
    loss.backward();
    return loss.item();
  });
  for (const part of parts) expect(part.item()).toBeCloseTo(1, 4);
});

test("a loss that is no number along the way does not trap the line search", () => {
  const x = tensor([3], { dtype: "float64", requiresGrad: true });
  // ln x − x⁻¹… has no value where x < 0, where the first long steps go.
  const optimizer = new LBFGS([x], { lineSearch: "strongWolfe", lr: 50 });
  for (let i = 0; i < 5; i++) {
    optimizer.step(() => {
      x.zeroGrad();
      const loss = x.sub(x.log()).sum();
      loss.backward();
      return loss;
    });
  }
  expect(x.item()).toBeCloseTo(1, 5);
});

test.each(["strongWolfe", null] as const)(
  "a closure that throws on the way leaves nothing half done: %s",
  (lineSearch) => {
    const [x, y] = [start(), start()];
    const options = { lineSearch, lr: lineSearch === null ? 1e-3 : 1, maxIter: 4 };
    const [optimizer, undisturbed] = [new LBFGS([x], options), new LBFGS([y], options)];
    optimizer.step(closureOf(x));
    undisturbed.step(closureOf(y));
    const before = x.toArray();
    for (let calls = 0; calls <= 3; calls++) {
      let left = calls;
      const failing = (): Tensor => {
        if (left-- === 0) throw new RangeError("no");
        return closureOf(x)();
      };
      expect(() => optimizer.step(failing)).toThrow(RangeError);
      expect(x.toArray()).toEqual(before);
    }
    optimizer.step(closureOf(x));
    undisturbed.step(closureOf(y));
    expect(x.toArray()).toEqual(y.toArray());
  },
);

describe("refuses", () => {
  const x = start();
  const p = [x];
  test.each<[string, () => unknown, string]>([
    [
      "no closure",
      () => (new LBFGS(p) as { step(): unknown }).step(),
      "LBFGS.step: it takes gradients at points of its own; give it a closure",
    ],
    [
      "a closure without a value",
      () => new LBFGS(p).step(() => undefined),
      "LBFGS.step: the closure must return the loss, a number or a tensor of one element, it returned undefined",
    ],
    [
      "a loss that is no number",
      () => new LBFGS(p).step(() => "1"),
      "LBFGS.step: the closure must return the loss, a number or a tensor of one element",
    ],
    [
      "two groups",
      () => new LBFGS([{ params: p }, { params: [start()] }]),
      "LBFGS: takes one group of parameters, got a second",
    ],
    [
      "two dtypes",
      () => new LBFGS([x, tensor([1], { requiresGrad: true })]),
      "LBFGS: parameters are float64 and float32; all must have one dtype",
    ],
    [
      "another line search",
      () => new LBFGS(p, { lineSearch: "armijo" as never }),
      'LBFGS: lineSearch must be "strongWolfe", got "armijo"',
    ],
    ["no iterations", () => new LBFGS(p, { maxIter: 0 }), "LBFGS: maxIter must be a positive integer, got 0"],
    [
      "no history",
      () => new LBFGS(p, { historySize: 0 }),
      "LBFGS: historySize must be a positive integer, got 0",
    ],
    [
      "a negative tolerance",
      () => new LBFGS(p, { toleranceGrad: -1 }),
      "LBFGS: toleranceGrad must be a number ≥ 0, got -1",
    ],
  ])("%s", (_, run, message) => {
    expect(run).toThrow(ArgumentError);
    expect(run).toThrow(message);
  });

  test("to be compiled", () => {
    const optimizer = new LBFGS(p);
    const step = compile((scale: Tensor) => optimizer.step(() => x.mul(scale).sum()));
    expect(() => step.sync(tensor([1], { dtype: "float64" }))).toThrow(TraceError);
    expect(() => step.sync(tensor([1], { dtype: "float64" }))).toThrow(
      "LBFGS.step cannot be part of a compiled function",
    );
  });
});
