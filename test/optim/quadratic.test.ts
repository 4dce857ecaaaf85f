/** Every update rule on the quadratic ½θᵀPθ: thirty iterates each, from a reference written in NumPy. */
import { describe, expect, test } from "vitest";
import * as optim from "../../lib/optim/index.js";
import { type Tensor, tensor } from "../../lib/tensor.js";
import { readFixture } from "../nn/fixtures.js";

interface Quadratic {
  P: number[][];
  theta0: number[];
  cases: Record<string, { iterates: [number, number][]; objective: number[] }>;
}

const { P, theta0, cases } = readFixture<Quadratic>("quadratic.json");
const TOLERANCE = 1e-12;

type Make = (params: Tensor[]) => { step(closure: () => Tensor): unknown };

const RULES: Record<string, Make> = {
  "gd lr=0.35": (p) => new optim.SGD(p, { lr: 0.35 }),
  "gd lr=0.05": (p) => new optim.SGD(p, { lr: 0.05 }),
  "gd lr=0.39 (diverges: lr > 2/lambda_max)": (p) => new optim.SGD(p, { lr: 0.39 }),
  "momentum classic": (p) => new optim.Momentum(p, { lr: 0.1, beta: 0.7, form: "classic" }),
  "momentum averaged (the lecture's figure)": (p) =>
    new optim.Momentum(p, { lr: 0.35, beta: 0.7, form: "averaged" }),
  "momentum averaged unbiased": (p) => new optim.Momentum(p, { lr: 0.35, beta: 0.7, form: "unbiased" }),
  "nesterov section form": (p) => new optim.Nesterov(p, { lr: 0.1, beta: 0.7, form: "first" }),
  "nesterov section form at the figure's settings (diverges)": (p) =>
    new optim.Nesterov(p, { lr: 0.35, beta: 0.7, form: "first" }),
  "nesterov table form (the lecture's figure)": (p) =>
    new optim.Nesterov(p, { lr: 0.35, beta: 0.7, form: "second" }),
  "adam uncorrected": (p) => new optim.Adam(p, { lr: 0.6, betas: [0.7, 0.8], biasCorrection: false }),
  "adam unbiased": (p) => new optim.Adam(p, { lr: 0.6, betas: [0.7, 0.8] }),
};

const matrix = tensor(P, { dtype: "float64" });
const objective = (theta: Tensor): Tensor => matrix.matmul(theta).mul(theta).sum().mul(0.5);

/** The iterates of a rule, the start first. */
function iterate(make: Make, steps: number): number[][] {
  const theta = tensor(theta0, { dtype: "float64", requiresGrad: true });
  const optimizer = make([theta]);
  const iterates = [theta.toArray() as number[]];
  for (let k = 0; k < steps; k++) {
    optimizer.step(() => {
      theta.zeroGrad();
      const value = objective(theta);
      value.backward();
      return value;
    });
    iterates.push(theta.toArray() as number[]);
  }
  return iterates;
}

const distance = (a: readonly number[], b: readonly number[]): number => Math.hypot(a[0] - b[0], a[1] - b[1]);

describe("the iterates of", () => {
  test.each(Object.keys(RULES))("%s", (name) => {
    const expected = cases[name].iterates;
    const got = iterate(RULES[name], expected.length - 1);
    expected.forEach((point, k) => {
      const error = distance(got[k], point) / Math.hypot(...point);
      expect(error, `iterate ${k}: ${got[k]} instead of ${point}`).toBeLessThan(TOLERANCE);
      const f = objective(tensor(got[k], { dtype: "float64" })).item();
      expect(Math.abs(f / cases[name].objective[k] - 1)).toBeLessThan(4 * TOLERANCE);
    });
  });
});

test("every case of a first-order rule is compared", () => {
  const rest = Object.keys(cases).filter((name) => !(name in RULES));
  expect(rest.every((name) => name.startsWith("newton"))).toBe(true);
});

test("what diverges does so until it overflows", () => {
  const got = iterate((p) => new optim.SGD(p, { lr: 3 }), 400);
  const last = got[got.length - 1];
  expect(last.every((x) => !Number.isFinite(x))).toBe(true);
  expect(got.slice(0, 200).flat().every(Number.isFinite)).toBe(true);
});

test("gradient descent converges just below 2/λ and diverges just above", () => {
  const bound = 2 / 5.206227442974166;
  const reach = (lr: number): number => {
    const got = iterate((p) => new optim.SGD(p, { lr }), 3000);
    return Math.hypot(...got[got.length - 1]);
  };
  expect(reach(0.99 * bound)).toBeLessThan(1e-10);
  expect(reach(1.01 * bound)).toBeGreaterThan(1e10);
});
