/** Gradients own their memory, have their tensor's dtype, and are never taken from values that have changed. */
import { describe, expect, test } from "vitest";
import { grad, hvp, jvp } from "../../lib/autograd/functional.js";
import { gradcheck } from "../../lib/autograd/gradcheck.js";
import { noGrad } from "../../lib/autograd/mode.js";
import { ArgumentError, DTypeError, GradientError, ShapeError } from "../../lib/errors.js";
import { fromTypedArray } from "../../lib/ndarray/creation.js";
import { Tensor, tensor, zeros } from "../../lib/tensor.js";

const leaf = (values: number[]): Tensor => tensor(values, { requiresGrad: true });

describe("gradients own their memory", () => {
  test("when one gradient reaches two leaves", () => {
    const [a, b] = [leaf([1, 2]), leaf([1, 2])];
    a.add(b)
      .mul(tensor([3, 4]))
      .sum()
      .backward();
    a.grad?.assign(tensor([5, 6]));
    expect(b.grad?.toArray()).toEqual([3, 4]);
  });

  test("apart from the one that the caller gave", () => {
    const a = leaf([1, 2]);
    const given = tensor([1, 10]);
    a.add(0).backward({ gradient: given });
    given.assign(tensor([7, 7]));
    expect(a.grad?.toArray()).toEqual([1, 10]);
  });

  test("when the gradient is one number repeated", () => {
    const a = leaf([1, 2, 3]);
    a.sum().backward();
    expect(a.grad?.array.isContiguous).toBe(true);
    a.grad?.assign(tensor([1, 2, 3]));
    expect(a.grad?.toArray()).toEqual([1, 2, 3]);
  });

  test("of an intermediate result and its source", () => {
    const a = leaf([1, 2]);
    const b = a.add(1).retainGrad();
    b.sum().backward();
    b.grad?.assign(tensor([9, 9]));
    expect(a.grad?.toArray()).toEqual([1, 1]);
  });
});

test("an output that was overwritten before its derivative is an error", () => {
  const x = leaf([1, 2]);
  const y = x.exp();
  y.detach().assign(zeros([2]));
  expect(() => y.sum().backward()).toThrow(/output 0 of exp was overwritten in place/);
});

test("assign refuses a view whose elements are one in memory", () => {
  const view = tensor([1]).broadcastTo([3]);
  expect(() => view.assign(tensor([1, 2, 3]))).toThrow(ShapeError);
  expect(() => view.assign(tensor([1, 2, 3]))).toThrow(/broadcast view/);
});

test("assign between two views of one buffer reads before it writes", () => {
  const buffer = Float32Array.of(0, 1, 2, 3, 4, 5);
  const [from, to] = [buffer.subarray(0, 5), buffer.subarray(1, 6)].map(
    (part) => new Tensor(fromTypedArray(part, [5])),
  );
  to.assign(from);
  expect([...buffer]).toEqual([0, 0, 1, 2, 3, 4]);
});

describe("gradients have their tensor's dtype", () => {
  test("another one is refused", () => {
    const wrong = tensor([1, 1], { dtype: "float64" });
    expect(() => leaf([1, 2]).square().backward({ gradient: wrong })).toThrow(DTypeError);
    expect(() => hvp((x) => x.square().sum(), [leaf([1, 2])], [wrong])).toThrow(
      /float32 \[2\].*float64 \[2\]/,
    );
  });
});

describe("functions check what they get", () => {
  const x = leaf([1, 2]);
  const bad = <T>(value: unknown): T => value as T;
  test("grad takes one tensor or several, and names what is neither", () => {
    expect(grad(x.square().sum(), x)[0].toArray()).toEqual([2, 4]);
    expect(() => grad(bad(3), x)).toThrow(ArgumentError);
    expect(() => grad(tensor([1]).sum(), x)).toThrow(GradientError);
    expect(() => grad(x.sum(), x, bad({ create_graph: true }))).toThrow(/unknown option create_graph/);
  });

  test("backward, jvp and gradcheck", () => {
    expect(() => x.sum().backward(bad({ retain_graph: true }))).toThrow(/unknown option retain_graph/);
    expect(() => x.sum().backward(bad(null))).toThrow(ArgumentError);
    expect(() => jvp(bad(3), [x], [x])).toThrow(/jvp: needs a function/);
    expect(() => gradcheck((a) => a, bad(x))).toThrow(/gradcheck: needs an array/);
  });

  test("gradcheck judges the same inside noGrad", () => {
    const y = tensor([0.5, 2], { dtype: "float64", requiresGrad: true });
    expect(noGrad(() => gradcheck((a) => a.exp(), [y], { secondOrder: true }))).toBe(true);
  });

  test("noGrad refuses generators, and takes a rejected promise with it", async () => {
    expect(() => noGrad(function* () {})).toThrow(ArgumentError);
    expect(() => noGrad(() => Promise.reject(new Error("nobody hears this")))).toThrow(ArgumentError);
    await new Promise(setImmediate);
  });
});
