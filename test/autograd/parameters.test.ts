/** Derivatives with respect to a model's parameters, which the function closes over. */
import { describe, expect, test } from "vitest";
import { hessian, hvp, jacobian, jvp, vjp } from "../../lib/autograd/functional.js";
import { hessianOperator } from "../../lib/autograd/hessian_operator.js";
import { noGrad } from "../../lib/autograd/mode.js";
import { ArgumentError, GradientError, ShapeError } from "../../lib/errors.js";
import * as nn from "../../lib/nn/index.js";
import { Generator } from "../../lib/random/index.js";
import { type Tensor, tensor } from "../../lib/tensor.js";

const generator = new Generator(3);
const draw = (shape: readonly number[]): Tensor => generator.normal(shape, { dtype: "float64" });
const model = new nn.Sequential(
  new nn.Linear(3, 4, { dtype: "float64", generator }),
  new nn.Tanh(),
  new nn.Linear(4, 2, { dtype: "float64", generator }),
);
const parameters = model.parameters();
const x = draw([5, 3]);
const labels = tensor([0, 1, 1, 0, 1], { dtype: "int32" });
const lossFn = (): Tensor => nn.functional.crossEntropy(model.forward(x), labels);
const outputFn = (): Tensor => model.forward(x);
const vectors = parameters.map(({ shape }) => draw(shape));
const flat = (list: readonly Tensor[]): number[] => list.flatMap((each) => Array.from(each.data, Number));
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * b[i], 0);
const gradientAt = (): number[] => flat(hessianOperator(lossFn, parameters).gradient);

/** Central difference of a function of the parameters along `vectors`. */
function difference(value: () => number[], eps = 1e-5): number[] {
  const moveBy = (t: number): void =>
    noGrad(() => {
      parameters.forEach((p, i) => {
        p.assign(p.add(vectors[i].mul(t)));
      });
    });
  moveBy(eps);
  const above = value();
  moveBy(-2 * eps);
  const below = value();
  moveBy(eps);
  return above.map((a, i) => (a - below[i]) / (2 * eps));
}

const expectClose = (actual: readonly number[], expected: readonly number[], tolerance: number): void => {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => {
    expect(Math.abs(value - expected[i])).toBeLessThanOrEqual(tolerance * (1 + Math.abs(expected[i])));
  });
};

describe("over the parameters of a model", () => {
  test("hvp agrees with differences of the gradient, and leaves grad alone", () => {
    const products = hvp(lossFn, parameters, vectors);
    expect(products.map(({ shape }) => shape)).toEqual(parameters.map(({ shape }) => shape));
    expectClose(flat(products), difference(gradientAt), 1e-8);
    expect(Math.max(...flat(products).map(Math.abs))).toBeGreaterThan(1e-2);
    expect(parameters.every((p) => p.grad === null)).toBe(true);
  });

  test("jvp agrees with differences of the output, and vjp with jvp", () => {
    const { output, tangent } = jvp(outputFn, parameters, vectors);
    expect(output.shape).toEqual([5, 2]);
    expectClose(
      flat([tangent]),
      difference(() => flat([outputFn()])),
      1e-8,
    );
    const covector = draw([5, 2]);
    const { grads } = vjp(outputFn, parameters, covector);
    const sides = [dot(flat(grads), flat(vectors)), dot(flat([covector]), flat([tangent]))];
    expect(Math.abs(sides[0] - sides[1])).toBeLessThan(1e-12 * (1 + Math.abs(sides[0])));
  });

  test("hessian and jacobian are the matrices of hvp and jvp", () => {
    const h = hessian(lossFn, parameters);
    const n = model.numParameters();
    expect(h.shape).toEqual([n, n]);
    const v = tensor(flat(vectors), { dtype: "float64" });
    expectClose(flat([h.matmul(v)]), flat(hvp(lossFn, parameters, vectors)), 1e-12);
    const blocks = jacobian(outputFn, parameters);
    const total = blocks
      .map((block, i) => block.reshape([10, vectors[i].size]).matmul(vectors[i].flatten()))
      .reduce((a, b) => a.add(b));
    expectClose(flat([total]), flat([jvp(outputFn, parameters, vectors).tangent]), 1e-12);
  });

  test("a function of its arguments gives the same, whether they are leaves or not", () => {
    const a = tensor([1, 2], { dtype: "float64", requiresGrad: true });
    const v = [tensor([1, 10], { dtype: "float64" })];
    const cube = (t: Tensor): Tensor => t.pow(3).sum();
    for (const input of [a, a.detach(), a.mul(1)]) {
      expect(hvp(cube, [input], v)[0].toArray()).toEqual([6, 120]);
      expect(hvp((...all) => cube(all[0]), [input], v)[0].toArray()).toEqual([6, 120]);
    }
  });

  test("one tensor given twice is two arguments", () => {
    const a = tensor([3], { dtype: "float64", requiresGrad: true });
    const [first, second] = jacobian((s, t) => s.mul(2).add(t.mul(5)), [a, a]);
    expect([first.item(), second.item()]).toEqual([2, 5]);
  });

  test("a tensor that a closure cannot be differentiated through is an error, not a zero", () => {
    const frozen = tensor([1, 2], { dtype: "float64" });
    const derived = tensor([1, 2], { dtype: "float64", requiresGrad: true }).mul(2);
    for (const input of [frozen, derived]) {
      expect(() => hvp(() => input.square().sum(), [input], [frozen])).toThrow(GradientError);
    }
    expect(() => jacobian(lossFn, [parameters[0], frozen])).toThrow(/input 1 is no leaf/);
  });
});

describe("hessianOperator", () => {
  test("multiplies any number of vectors at one evaluation", () => {
    let calls = 0;
    const operator = hessianOperator(() => {
      calls++;
      return lossFn();
    }, parameters);
    const expected = flat(hvp(lossFn, parameters, vectors));
    for (let i = 0; i < 2; i++) expect(flat(operator.multiply(vectors))).toEqual(expected);
    expect(calls).toBe(1);
    expect(operator.value.item()).toBe(lossFn().item());
    expectClose(
      [dot(gradientAt(), flat(vectors))],
      difference(() => [lossFn().item()]),
      1e-8,
    );
    expect([operator.value.requiresGrad, operator.gradient[0].requiresGrad]).toEqual([false, false]);
  });

  test("ends where a parameter changes, and checks what it gets", () => {
    const w = tensor([1, 2], { dtype: "float64", requiresGrad: true });
    const operator = hessianOperator(() => w.pow(3).sum(), [w]);
    const v = tensor([1, 1], { dtype: "float64" });
    expect(() => operator.multiply([tensor([1], { dtype: "float64" })])).toThrow(ShapeError);
    expect(noGrad(() => operator.multiply([v])[0].toArray())).toEqual([6, 12]);
    noGrad(() => w.assign(v));
    expect(() => operator.multiply([v])).toThrow(/overwritten in place/);
    expect(() => hessianOperator(() => w.mul(2), [w])).toThrow(
      "hessianOperator: the function must return one element, got shape [2]",
    );
    expect(() => hessianOperator(3 as never, [w])).toThrow(ArgumentError);
  });
});
