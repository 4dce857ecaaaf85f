/** Newton's method with a dense Hessian: closed forms, and what it refuses. */
import { describe, expect, test } from "vitest";
import { compile } from "../../lib/compile/index.js";
import { ArgumentError, CurvatureError, GradientError, StateError, TraceError } from "../../lib/errors.js";
import * as nn from "../../lib/nn/index.js";
import { Newton, NewtonCG } from "../../lib/optim/index.js";
import { factorize, solveFactored } from "../../lib/optim/newton/cholesky.js";
import { Generator } from "../../lib/random/index.js";
import { type Tensor, tensor } from "../../lib/tensor.js";
import { quadratic, START, start } from "./quadratic.js";

const leaf = (values: number[]): Tensor => tensor(values, { dtype: "float64", requiresGrad: true });
const numbers = (x: Tensor): number[] => Array.from(x.data, Number);

describe("Cholesky", () => {
  test("solves, reading the lower triangle only", () => {
    const n = 30;
    const generator = new Generator(5);
    const b = generator.normal([n, n], { dtype: "float64" });
    const a = b.matmul(b.transpose()).data as Float64Array;
    const x = generator.normal([n, 1], { dtype: "float64" });
    const rhs = b.matmul(b.transpose()).matmul(x).data as Float64Array;
    const lower = a.map((value, i) => (i % n > Math.floor(i / n) ? Number.NaN : value));
    expect(factorize(lower, n)).toBe(true);
    solveFactored(lower, rhs).forEach((value, i) => {
      expect(Math.abs(value - Number(x.data[i]))).toBeLessThan(1e-9);
    });
  });

  test("refuses what is indefinite, singular or not a number", () => {
    for (const matrix of [
      [1, 2, 2, 1],
      [1, 1, 1, 1],
      [0, 0, 0, 1],
      [Number.NaN, 0, 0, 1],
      [-1, 0, 0, 1],
    ]) {
      expect(factorize(Float64Array.from(matrix), 2)).toBe(false);
    }
    // A rounding on the diagonal makes no definite matrix of a singular one.
    expect(factorize(Float64Array.of(1, 1, 1, 1 + Number.EPSILON), 2)).toBe(false);
  });
});

describe("Newton", () => {
  test("reaches a quadratic's optimum in one step, and halves the way with lr 0.5", () => {
    const theta = start();
    const loss = new Newton([theta]).step(() => quadratic(theta));
    expect(loss.item()).toBe(quadratic(start()).item());
    for (const value of numbers(theta)) expect(Math.abs(value)).toBeLessThan(1e-14);

    const half = start();
    const optimizer = new Newton([half], { lr: 0.5 });
    for (let k = 1; k <= 30; k++) {
      optimizer.step(() => quadratic(half));
      numbers(half).forEach((value, i) => {
        expect(Math.abs(value / (START[i] / 2 ** k) - 1)).toBeLessThan(1e-12);
      });
    }
  });

  test("is over several parameters at once, and leaves grad alone", () => {
    const [x, y] = [leaf([4]), leaf([-4])];
    x.grad = leaf([7]);
    const loss = (): Tensor => x.square().mul(0.815).add(y.square().mul(2.14)).add(x.mul(y).mul(1.82)).sum();
    new Newton([x, y]).step(loss);
    expect(Math.abs(x.item()) + Math.abs(y.item())).toBeLessThan(1e-14);
    expect([x.grad.item(), y.grad]).toEqual([7, null]);
  });

  test("converges quadratically on a smooth function", () => {
    // e^x − 2x has its minimum at ln 2.
    const x = leaf([1.5]);
    const errors = [1.5 - Math.LN2];
    const optimizer = new Newton([x]);
    for (let k = 0; k < 5; k++) {
      optimizer.step(() => x.exp().sub(x.mul(2)).sum());
      errors.push(Math.abs(x.item() - Math.LN2));
    }
    // The error is half its square, to leading order.
    expect(errors[3] / (errors[2] ** 2 / 2)).toBeGreaterThan(0.8);
    expect(errors[3] / (errors[2] ** 2 / 2)).toBeLessThan(1.05);
    expect(errors[5]).toBeLessThan(1e-14);
  });

  test("takes float32 parameters", () => {
    const theta = tensor([...START], { requiresGrad: true });
    const p = tensor([
      [1.63, 1.82],
      [1.82, 4.28],
    ]);
    new Newton([theta]).step(() => p.matmul(theta).mul(theta).sum().mul(0.5));
    for (const value of numbers(theta)) expect(Math.abs(value)).toBeLessThan(1e-6);
  });
});

describe("a Hessian that is not positive definite", () => {
  // x² − y²/2 + xy has the Hessian [[2, 1], [1, −1]], of eigenvalues (1 ± √13)/2.
  const saddle = (x: Tensor): Tensor =>
    x
      .slice(0)
      .square()
      .sub(x.slice(1).square().mul(0.5))
      .add(x.slice(0).mul(x.slice(1)));
  const smallest = (1 - Math.sqrt(13)) / 2;

  test("is an error that names the smallest eigenvalue, and changes nothing", () => {
    const x = leaf([1, 2]);
    let caught: unknown;
    try {
      new Newton([x]).step(() => saddle(x));
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(CurvatureError);
    const { smallestEigenvalue, message } = caught as CurvatureError;
    expect(Math.abs(smallestEigenvalue - smallest)).toBeLessThan(1e-12);
    expect(message).toContain(`its smallest eigenvalue found is -1.30278;`);
    expect(message).toMatch(/A damping above about 1\.30278 makes/);
    expect(numbers(x)).toEqual([1, 2]);
  });

  test("is told that any damping will do where it is singular", () => {
    const x = leaf([1, 2]);
    const step = () => new Newton([x]).step(() => x.sum().square());
    expect(step).toThrow(CurvatureError);
    expect(step).toThrow(/A damping above about \d|It is singular; any damping > 0 makes it one/);
  });

  test("is solved with the damping asked for: (H + 2I)d = g", () => {
    const x = leaf([1, 2]);
    new Newton([x], { damping: 2 }).step(() => saddle(x));
    // g = (4, −1); [[4, 1], [1, 1]]⁻¹g = (5, −8)/3.
    expect(Math.abs(numbers(x)[0] - (1 - 5 / 3))).toBeLessThan(1e-14);
    expect(Math.abs(numbers(x)[1] - (2 + 8 / 3))).toBeLessThan(1e-14);
    expect(() => new Newton([x], { damping: 1.3 }).step(() => saddle(x))).toThrow(
      "the Hessian with damping 1.3 is not positive definite",
    );
  });
});

describe("what Newton refuses", () => {
  const theta = start();
  test("options outside their range, and parameters that are none", () => {
    expect(() => new Newton([theta], { damping: -1 })).toThrow(
      "Newton: damping must be a number ≥ 0, got -1",
    );
    expect(() => new Newton([theta], { lr: Number.NaN })).toThrow(ArgumentError);
    expect(() => new Newton([theta], { momentum: 1 } as never)).toThrow("Newton: unknown option momentum");
    expect(() => new Newton([])).toThrow("Newton: params is empty");
    expect(() => new Newton([theta, theta])).toThrow("Newton: params[1] occurs twice");
    expect(() => new Newton([theta.detach()])).toThrow("params[0] must be a leaf that requires a gradient");
    expect(() => new Newton(new nn.Linear(784, 10).parameters())).toThrow(
      "Newton: params have 7850 elements; at most 5000 make a dense Hessian, NewtonCG needs none",
    );
    const optimizer = new Newton([theta]);
    optimizer.paramGroups[0].damping = -1;
    expect(() => optimizer.step(() => quadratic(theta))).toThrow(ArgumentError);
  });

  test("closures that return no loss, or went backward themselves", () => {
    const step = (closure: unknown) => () => new Newton([theta]).step(closure as never);
    expect(step(undefined)).toThrow("Newton.step: needs a closure that returns the loss, got undefined");
    expect(step(() => 3)).toThrow("the closure must return the loss, one element, got number 3");
    expect(step(() => theta)).toThrow("got a tensor of shape [2]");
    expect(step(() => tensor(1))).toThrow(GradientError);
    expect(
      step(() => {
        const loss = quadratic(theta);
        loss.backward();
        return loss;
      }),
    ).toThrow("Newton.step: the closure called backward()");
    expect(step(() => theta.mul(-1).log().sum())).toThrow(/the loss is NaN and \d of 2 elements/);
    // The loss is 2, its slope at 4 is infinite.
    expect(step(() => theta.slice(0).sub(4).sqrt().add(2))).toThrow("the loss is 2 and 1 of 2 elements");
    expect(numbers(theta)).toEqual([...START]);
    theta.zeroGrad();
  });

  test("second derivatives that are not finite, in either form", () => {
    // x^1.5 + x has the slope 1 at 0, and no second derivative.
    for (const rule of [Newton, NewtonCG]) {
      const x = leaf([0]);
      expect(() => new rule([x]).step(() => x.pow(1.5).add(x).sum())).toThrow(
        `${rule.name}.step: the second derivatives of the loss are not finite here; nothing was updated`,
      );
      expect(x.item()).toBe(0);
    }
  });

  test("a compiled function", async () => {
    const optimizer = new Newton([theta]);
    const step = compile((x: Tensor) => optimizer.step(() => quadratic(theta)).mul(x));
    const call = (): unknown => step.sync(tensor(1, { dtype: "float64" }));
    expect(call).toThrow(TraceError);
    expect(call).toThrow("Newton.step");
    expect(numbers(theta)).toEqual([...START]);
  });
});

test("options are saved and loaded", () => {
  const saved = new Newton([start()], { lr: 0.25, damping: 3 }).stateDict();
  expect(saved).toEqual({ state: {}, paramGroups: [{ params: [0], lr: 0.25, damping: 3 }] });
  const optimizer = new Newton([start()]);
  optimizer.loadStateDict(JSON.parse(JSON.stringify(saved)));
  expect(optimizer.paramGroups[0].damping).toBe(3);
  saved.paramGroups[0].damping = -3;
  expect(() => optimizer.loadStateDict(saved)).toThrow(StateError);
});
