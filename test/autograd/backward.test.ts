import { describe, expect, test } from "vitest";
import { grad, hessian, hvp, jacobian } from "../../lib/autograd/functional.js";
import { detectAnomaly, enableGrad, isGradEnabled, noGrad } from "../../lib/autograd/mode.js";
import { AnomalyError, ArgumentError, DTypeError, GradientError, ShapeError } from "../../lib/errors.js";
import * as ops from "../../lib/ops/index.js";
import { type Tensor, tensor } from "../../lib/tensor.js";

const leaf = (value: number | number[] | number[][]): Tensor =>
  tensor(value, { dtype: "float64", requiresGrad: true });

describe("backward", () => {
  test("sums the gradient over every use of a tensor, and over calls", () => {
    const x = leaf([1, 2]);
    x.mul(x).add(x).sum().backward();
    expect(x.grad?.toArray()).toEqual([3, 5]);
    x.sum().backward();
    expect(x.grad?.toArray()).toEqual([4, 6]);
    x.zeroGrad();
    expect(x.grad).toBeNull();
  });

  test("sums the gradient of a broadcast operand down to its shape", () => {
    const row = leaf([1, 2, 3]);
    const column = leaf([[1], [2]]);
    row.mul(column).sum().backward();
    expect(row.grad?.toArray()).toEqual([3, 3, 3]);
    expect(column.grad?.toArray()).toEqual([[6], [6]]);
  });

  test("goes through a chain of 10,000 operations without a deep stack", () => {
    const x = leaf(1);
    let y: Tensor = x;
    for (let i = 0; i < 10_000; i++) y = y.add(1e-4);
    y.backward();
    expect(x.grad?.item()).toBe(1);
    const z = leaf(0.5);
    let w: Tensor = z;
    for (let i = 0; i < 10_000; i++) w = ops.sin(w);
    const [first] = grad([w], [z], { createGraph: true });
    expect(grad([first], [z])[0].item()).not.toBeNaN();
  });

  test("releases the graph, unless asked to keep it", () => {
    const x = leaf([1, 2]);
    const y = x.square().sum();
    y.backward({ retainGraph: true });
    y.backward();
    expect(x.grad?.toArray()).toEqual([4, 8]);
    expect(() => y.backward()).toThrow(GradientError);
    expect(() => y.backward()).toThrow(/sum was released/);
  });

  test("needs a gradient for more than one element, of the tensor's shape", () => {
    const x = leaf([1, 2]);
    expect(() => x.mul(2).backward()).toThrow(/shape \[2\]/);
    expect(() => x.mul(2).backward({ gradient: tensor([1, 2, 3]) })).toThrow(ShapeError);
    x.mul(2).backward({ gradient: tensor([1, 10], { dtype: "float64" }) });
    expect(x.grad?.toArray()).toEqual([2, 20]);
  });

  test("refuses a tensor that depends on nothing that requires a gradient", () => {
    expect(() => tensor([1]).mul(2).sum().backward()).toThrow(GradientError);
  });

  test("notices that a saved value was overwritten in place", () => {
    const x = leaf([1, 2]);
    const y = x.square().sum();
    noGrad(() => x.assign(tensor([5, 6])));
    expect(() => y.backward()).toThrow(/input 0 of square was overwritten in place/);
  });

  test("stores the gradient of an intermediate result on request", () => {
    const x = leaf([1, 2]);
    const y = x.mul(3).retainGrad();
    y.square().sum().backward();
    expect(y.grad?.toArray()).toEqual([6, 12]);
    expect(x.grad?.toArray()).toEqual([18, 36]);
  });

  test("createGraph makes gradients that can be differentiated", () => {
    const x = leaf([1, 2, 3]);
    x.pow(3).sum().backward({ createGraph: true });
    const first = x.grad as Tensor;
    x.zeroGrad();
    first.sum().backward();
    expect(x.grad?.toArray()).toEqual([6, 12, 18]);
  });
});

describe("leaves", () => {
  test("only floats can require a gradient", () => {
    expect(() => tensor([1], { dtype: "int32", requiresGrad: true })).toThrow(DTypeError);
  });

  test("detach leaves the graph and shares memory", () => {
    const x = leaf([1, 2]);
    const y = x.mul(2).detach();
    expect(y.requiresGrad).toBe(false);
    expect(x.detach().array.storage).toBe(x.array.storage);
  });

  test("assign refuses a tensor that is being recorded, and another shape", () => {
    const x = leaf([1, 2]);
    expect(() => x.assign(tensor([3, 4]))).toThrow(GradientError);
    expect(() => noGrad(() => x.assign(tensor([3])))).toThrow(ShapeError);
    expect(x.toArray()).toEqual([1, 2]);
  });

  test("assign from an overlapping view reads before it writes", () => {
    const x = tensor([1, 2, 3, 4]);
    x.assign(x.slice([null, null, -1]));
    expect(x.toArray()).toEqual([4, 3, 2, 1]);
  });
});

describe("modes", () => {
  test("noGrad records nothing, nests, and ends with an exception", () => {
    const x = leaf([1]);
    expect(noGrad(() => x.mul(2)).requiresGrad).toBe(false);
    expect(noGrad(() => enableGrad(() => x.mul(2))).requiresGrad).toBe(true);
    expect(() =>
      noGrad(() => {
        throw new Error("inside");
      }),
    ).toThrow("inside");
    expect(isGradEnabled()).toBe(true);
  });

  test("noGrad refuses asynchronous functions", () => {
    expect(() => noGrad(async () => 1)).toThrow(ArgumentError);
    expect(() => noGrad(() => Promise.resolve(1))).toThrow(/asynchronous/);
    expect(isGradEnabled()).toBe(true);
  });

  test("detectAnomaly names the first operation that made a NaN", () => {
    const x = tensor([-1, 4]);
    expect(() => detectAnomaly(() => x.add(1).sub(1).sqrt().exp())).toThrow(AnomalyError);
    expect(() => detectAnomaly(() => x.sqrt())).toThrow(/sqrt \(forward\) produced NaN in 1 of 2/);
    const zero = leaf([0]);
    // The gradient 0 · ∞ of the square root at 0 appears only on the way back.
    expect(() => detectAnomaly(() => zero.sqrt().mul(0).sum().backward())).toThrow(
      /sqrt \(backward, input 0\)/,
    );
    expect(x.sqrt().toArray()).toEqual([Number.NaN, 2]);
  });
});

describe("functions", () => {
  test("grad gives zeros for what does not matter, and touches no grad", () => {
    const x = leaf([1, 2]);
    const y = leaf([3]);
    const grads = grad([x.square().sum()], [x, y]);
    expect(grads.map((g) => g.toArray())).toEqual([[2, 4], [0]]);
    expect(x.grad).toBeNull();
  });

  test("grad with respect to an intermediate result", () => {
    const x = leaf([1, 2]);
    const y = x.mul(3);
    const [dy, dx] = grad([y.square().sum()], [y, x]);
    expect(dy.toArray()).toEqual([6, 12]);
    expect(dx.toArray()).toEqual([18, 36]);
  });

  test("jacobian, hessian and hvp of known functions", () => {
    const x = leaf([1, 2]);
    const y = leaf([3]);
    const [jx, jy] = jacobian((a, b) => a.square().mul(b), [x, y]);
    expect(jx.toArray()).toEqual([
      [6, 0],
      [0, 12],
    ]);
    expect(jy.toArray()).toEqual([[1], [4]]);
    const f = (a: Tensor, b: Tensor): Tensor => a.square().mul(b).sum();
    expect(hessian(f as (...inputs: Tensor[]) => Tensor, [x, y]).toArray()).toEqual([
      [6, 0, 2],
      [0, 6, 4],
      [2, 4, 0],
    ]);
    const [hx, hy] = hvp(f as (...inputs: Tensor[]) => Tensor, [x, y], [leaf([1, 0]), leaf([1])]);
    expect(hx.toArray()).toEqual([8, 4]);
    expect(hy.toArray()).toEqual([2]);
  });

  test("first and second derivatives stay right where a product has zeros", () => {
    const x = leaf([0, 3, 0]);
    expect(hessian((a) => a.prod(), [x]).toArray()).toEqual([
      [0, 0, 3],
      [0, 0, 0],
      [3, 0, 0],
    ]);
  });
});
