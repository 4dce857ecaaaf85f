/** Newton's method by conjugate gradients: closed forms, negative curvature, line searches, logistic regression. */
import { describe, expect, test } from "vitest";
import { ArgumentError } from "../../lib/errors.js";
import * as nn from "../../lib/nn/index.js";
import { NewtonCG } from "../../lib/optim/index.js";
import { truncatedCg } from "../../lib/optim/newton/conjugate_gradients.js";
import { searchLine } from "../../lib/optim/newton/line_search.js";
import { Generator } from "../../lib/random/index.js";
import { type Tensor, tensor } from "../../lib/tensor.js";
import { firstOfMnist, isMnistAbsent, mnistNote } from "../mnist.js";
import { quadratic, START, start } from "./quadratic.js";

const leaf = (values: number[]): Tensor => tensor(values, { dtype: "float64", requiresGrad: true });
const numbers = (x: Tensor): number[] => Array.from(x.data, Number);
const report = (optimizer: NewtonCG) => {
  if (optimizer.lastStep === null) throw new Error("there was no step");
  return optimizer.lastStep;
};

describe("truncatedCg", () => {
  const diagonal = (values: number[]) => (v: Float64Array) => v.map((x, i) => values[i] * x);

  test("solves in as many products as there are distinct eigenvalues", () => {
    const gradient = Float64Array.of(2, 3, 5, 7, 11);
    const options = { maxIterations: 50, tolerance: 1e-12 };
    const { direction, iterations, negativeCurvature } = truncatedCg(
      diagonal([1, 1, 4, 4, 10]),
      gradient,
      options,
    );
    [-2, -3, -5 / 4, -7 / 4, -11 / 10].forEach((value, i) => {
      expect(Math.abs(direction[i] - value)).toBeLessThan(1e-12);
    });
    expect([iterations, negativeCurvature]).toEqual([3, null]);
  });

  test("ends at the tolerance and at the number of products", () => {
    const multiply = diagonal([1, 2, 3, 4, 500]);
    const gradient = Float64Array.of(1, 1, 1, 1, 1);
    const residual = (d: Float64Array): number => Math.hypot(...multiply(d).map((x, i) => x + gradient[i]));
    const loose = truncatedCg(multiply, gradient, { maxIterations: 50, tolerance: 0.4 });
    expect(loose.iterations).toBeLessThan(5);
    expect(residual(loose.direction)).toBeLessThanOrEqual(0.4 * Math.sqrt(5));
    expect(truncatedCg(multiply, gradient, { maxIterations: 2, tolerance: 0 }).iterations).toBe(2);
  });

  test("takes the gradient where its curvature is negative, later what it has", () => {
    const options = { maxIterations: 50, tolerance: 1e-12 };
    const first = truncatedCg(diagonal([-1, -2]), Float64Array.of(1, 1), options);
    expect([...first.direction]).toEqual([-1, -1]);
    expect([first.iterations, first.negativeCurvature]).toEqual([1, -1.5]);
    const later = truncatedCg(diagonal([4, -1]), Float64Array.of(2, 1), options);
    expect(later.iterations).toBe(2);
    expect(later.negativeCurvature as number).toBeLessThan(0);
    // One step of conjugate gradients: −g·gᵀg/gᵀHg with gᵀg = 5, gᵀHg = 15.
    expect([...later.direction].map((x) => Math.round(x * 3e12) / 3e12)).toEqual([-2 / 3, -1 / 3]);
  });
});

describe("searchLine", () => {
  const options = { value: 1, slope: -2, rounding: 0, trials: 30 } as const;
  // (1 − t)²: minimum at 1.
  const line = { value: (t: number) => (1 - t) ** 2, slope: (t: number) => -2 * (1 - t) };

  test("armijo halves until the value has decreased", () => {
    expect(searchLine(line, { ...options, first: 1, kind: "armijo" })).toEqual({ length: 1, trials: 1 });
    expect(searchLine(line, { ...options, first: 8, kind: "armijo" })).toEqual({ length: 1, trials: 4 });
    // NaN is no decrease.
    const broken = { ...line, value: (t: number) => (t > 1 ? Number.NaN : (1 - t) ** 2) };
    expect(searchLine(broken, { ...options, first: 4, kind: "armijo" }).length).toBe(1);
  });

  test("wolfe also doubles what is too short", () => {
    expect(searchLine(line, { ...options, first: 2 ** -6, kind: "armijo" }).length).toBe(2 ** -6);
    // At 2⁻³ the slope is 7/8 of the first, below 0.9 of it.
    expect(searchLine(line, { ...options, first: 2 ** -6, kind: "wolfe" }).length).toBe(2 ** -3);
  });

  test("gives up with 0 where nothing decreases, and allows for rounding", () => {
    const flat = { value: () => 1, slope: () => 0 };
    expect(searchLine(flat, { ...options, first: 1, kind: "armijo", trials: 5 })).toEqual({
      length: 0,
      trials: 5,
    });
    const rounding = 1e-3;
    expect(searchLine(flat, { ...options, slope: -1, first: 1, kind: "armijo", rounding }).length).toBe(1);
  });
});

describe("NewtonCG", () => {
  test("reaches a quadratic's optimum in one step", () => {
    for (const lineSearch of ["armijo", "wolfe", "none"] as const) {
      const theta = start();
      const optimizer = new NewtonCG([theta], { lineSearch });
      expect(optimizer.step(() => quadratic(theta)).item()).toBe(quadratic(start()).item());
      for (const value of numbers(theta)) expect(Math.abs(value)).toBeLessThan(1e-11);
      const { cgIterations, stepLength, gradientNorm } = report(optimizer);
      expect([cgIterations, stepLength]).toEqual([2, 1]);
      // Pθ₀ = (−0.76, −9.84).
      expect(Math.abs(gradientNorm - Math.hypot(0.76, 9.84))).toBeLessThan(1e-12);
    }
    const half = start();
    new NewtonCG([half], { lr: 0.5 }).step(() => quadratic(half));
    numbers(half).forEach((value, i) => {
      expect(Math.abs(value - START[i] / 2)).toBeLessThan(1e-11);
    });
  });

  test.each(["armijo", "wolfe"] as const)("leaves a saddle downward: %s", (lineSearch) => {
    // x²/2 − y²/2 + y⁴/4: a saddle at 0, minima at (0, ±1) of value −1/4.
    const theta = leaf([1, 1e-3]);
    const [x, y] = [(): Tensor => theta.slice(0), (): Tensor => theta.slice(1)];
    const loss = (): Tensor => x().square().mul(0.5).sub(y().square().mul(0.5)).add(y().pow(4).mul(0.25));
    const optimizer = new NewtonCG([theta], { lineSearch });
    const losses = [loss().item()];
    const curvatures: (number | null)[] = [];
    for (let k = 0; k < 40; k++) {
      optimizer.step(loss);
      losses.push(loss().item());
      curvatures.push(report(optimizer).negativeCurvature);
    }
    losses.slice(1).forEach((value, k) => {
      expect(value).toBeLessThanOrEqual(losses[k] + 1e-15);
    });
    expect(curvatures.some((curvature) => curvature !== null && curvature < 0)).toBe(true);
    expect(Math.abs(losses[40] + 0.25)).toBeLessThan(1e-12);
    expect(Math.abs(numbers(theta)[1] - 1)).toBeLessThan(1e-6);
  });

  test("shortens steps that overshoot, and reports when none decreases", () => {
    // √(1 + x²): Newton's own steps diverge from |x| > 1.
    const x = leaf([3]);
    const loss = (): Tensor => x.square().add(1).sqrt().sum();
    const optimizer = new NewtonCG([x]);
    optimizer.step(loss);
    expect(report(optimizer).stepLength).toBeLessThan(1);
    for (let k = 0; k < 20; k++) optimizer.step(loss);
    expect(Math.abs(x.item())).toBeLessThan(1e-8);

    // A loss that is worse wherever it is evaluated again.
    const y = leaf([3]);
    let calls = 0;
    const rising = (): Tensor =>
      y
        .square()
        .sum()
        .add(100 * calls++);
    const stuck = new NewtonCG([y], { maxLineSearch: 4 });
    stuck.step(rising);
    expect([y.item(), report(stuck).stepLength, report(stuck).trials]).toEqual([3, 0, 4]);
  });

  test("leaves the parameters as they were when the loss fails on the way", () => {
    const x = leaf([3]);
    let calls = 0;
    const failing = (): Tensor => {
      if (calls++ > 0) throw new RangeError("no more");
      return x.square().sum();
    };
    expect(() => new NewtonCG([x]).step(failing)).toThrow(RangeError);
    expect(x.item()).toBe(3);
  });

  test("damping shortens the step: (H + δI)d = −g", () => {
    const x = leaf([3]);
    new NewtonCG([x], { damping: 2 }).step(() => x.square().sum());
    expect(Math.abs(x.item() - 1.5)).toBeLessThan(1e-12);
  });

  test("refuses options outside their range", () => {
    const make = (options: object) => () => new NewtonCG([start()], options);
    expect(make({ lineSearch: "exact" })).toThrow(
      'NewtonCG: lineSearch must be "armijo" or "wolfe" or "none", got "exact"',
    );
    expect(make({ tolerance: 1 })).toThrow('NewtonCG: tolerance must be "auto" or a number in [0, 1), got 1');
    expect(make({ maxCg: 0 })).toThrow("NewtonCG: maxCg must be a positive integer, got 0");
    expect(make({ maxLineSearch: 1.5 })).toThrow(ArgumentError);
    expect(make({ damping: -1 })).toThrow(ArgumentError);
    expect(make({ lr: -1 })).toThrow(ArgumentError);
  });
});

test.skipIf(isMnistAbsent)(
  `logistic regression on MNIST comes to 1e-5 of its first gradient in under 30 steps${mnistNote}`,
  async () => {
    const [images, labels] = await firstOfMnist("train", 3000);
    const model = new nn.Linear(784, 10, { generator: new Generator(0) });
    const l2 = 1e-3;
    const optimizer = new NewtonCG(model.parameters());
    const loss = (): Tensor =>
      nn.functional.crossEntropy(model.forward(images), labels).add(
        model.weight
          .square()
          .sum()
          .mul(l2 / 2),
      );
    const norms: number[] = [];
    while (norms.length < 30 && !(norms.length > 0 && norms[norms.length - 1] <= 1e-5 * norms[0])) {
      optimizer.step(loss);
      norms.push(report(optimizer).gradientNorm);
    }
    expect(norms.length).toBeLessThan(30);
    expect(norms[norms.length - 1]).toBeLessThanOrEqual(1e-5 * norms[0]);
  },
);
