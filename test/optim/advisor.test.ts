/** The step-size advisor: eigenvalues of known matrices, limits by the matrices themselves, the lecture's numbers. */
import { describe, expect, test } from "vitest";
import { hessian } from "../../lib/autograd/functional.js";
import { compile } from "../../lib/compile/index.js";
import { ArgumentError, GradientError, TraceError } from "../../lib/errors.js";
import * as nn from "../../lib/nn/index.js";
import { adviseStepSize } from "../../lib/optim/advisor/advise.js";
import { RULE_NAMES, RULES, type StabilityRule, spectralRadius } from "../../lib/optim/advisor/rules.js";
import { extremeEigenvalues } from "../../lib/optim/spectrum.js";
import { Generator } from "../../lib/random/index.js";
import { type Tensor, tensor } from "../../lib/tensor.js";
import { LAMBDA_MAX, LAMBDA_MIN, quadratic, START, start } from "./quadratic.js";

/** One step of each rule along a direction of curvature λ, written as the lecture does. */
const STEPS: Record<
  StabilityRule,
  (theta: number, u: number, lr: number, beta: number, g: (x: number) => number) => [number, number]
> = {
  gradientDescent: (theta, _, lr, __, g) => [theta - lr * g(theta), 0],
  momentumClassic: (theta, u, lr, beta, g) => moved(theta, beta * u + g(theta), lr),
  momentumAveraged: (theta, u, lr, beta, g) => moved(theta, beta * u + (1 - beta) * g(theta), lr),
  nesterovFirst: (theta, u, lr, beta, g) => moved(theta, beta * u + g(theta - lr * beta * u), lr),
  nesterovSecond: (theta, u, lr, beta, g) => moved(theta, beta * u + (1 - beta) * g(theta - lr * u), lr),
};
const moved = (theta: number, u: number, lr: number): [number, number] => [theta - lr * u, u];

/** The growth per step of a rule in the long run, measured by running it. */
function measuredRadius(rule: StabilityRule, lr: number, beta: number, lambda: number): number {
  let [theta, u] = [1, 0];
  let logarithm = 0;
  const steps = 4000;
  for (let k = 0; k < steps; k++) {
    [theta, u] = STEPS[rule](theta, u, lr, beta, (x) => lambda * x);
    const size = Math.hypot(theta, lr * u);
    logarithm += Math.log(size);
    theta /= size;
    u /= size;
  }
  return Math.exp(logarithm / steps);
}

describe("the iteration matrices", () => {
  test.each(RULE_NAMES)("%s: the spectral radius is the growth that running it shows", (rule) => {
    for (const [lr, beta, lambda] of [
      [0.1, 0.7, 2],
      [0.35, 0.7, 5.2],
      [0.5, 0.9, 0.3],
      [0.9, 0.2, 3],
      [2.5, 0.5, 1],
    ]) {
      const radius = spectralRadius(rule, lr * lambda, beta);
      // Transients, such as those of a double eigenvalue, fade with the number of steps.
      expect(Math.abs(measuredRadius(rule, lr, beta, lambda) / radius - 1)).toBeLessThan(5e-3);
    }
  });

  test.each(RULE_NAMES)("%s: stable just below the limit, not just above, and nowhere before", (rule) => {
    for (const beta of [0, 0.3, 0.7, 0.9, 0.99]) {
      const limit = RULES[rule].limit(beta);
      expect(spectralRadius(rule, limit * (1 - 1e-6), beta)).toBeLessThan(1);
      expect(spectralRadius(rule, limit * (1 + 1e-6), beta)).toBeGreaterThan(1);
      for (let share = 0.01; share < 1; share += 0.01) {
        expect(spectralRadius(rule, limit * share, beta)).toBeLessThan(1);
      }
    }
  });

  test.each(RULE_NAMES)("%s: between two curvatures no slower than at the slower", (rule) => {
    for (const beta of [0, 0.5, 0.9]) {
      const radii = Array.from({ length: 400 }, (_, i) =>
        spectralRadius(rule, (RULES[rule].limit(beta) * 1.2 * i) / 400, beta),
      );
      const lowest = radii.indexOf(Math.min(...radii));
      radii.slice(1).forEach((radius, i) => {
        const falls = i + 1 <= lowest;
        expect(falls ? radii[i] - radius : radius - radii[i]).toBeGreaterThan(-1e-12);
      });
    }
  });
});

describe("the Lanczos process", () => {
  const find = (values: number[], options: Partial<{ iterations: number; tolerance: number }> = {}) => {
    const multiply = (v: Float64Array): Float64Array => v.map((x, i) => values[i] * x);
    return extremeEigenvalues(multiply, values.length, {
      iterations: 64,
      tolerance: 1e-10,
      generator: new Generator(0),
      ...options,
    });
  };

  test("finds both ends of a spectrum", () => {
    const spread = find(Array.from({ length: 500 }, (_, i) => Math.cos(i) * (1 + i / 100)));
    const exact = Array.from({ length: 500 }, (_, i) => Math.cos(i) * (1 + i / 100));
    expect(Math.abs(spread.max / Math.max(...exact) - 1)).toBeLessThan(1e-6);
    expect(Math.abs(spread.min / Math.min(...exact) - 1)).toBeLessThan(1e-6);
  });

  test("ends early on few distinct eigenvalues, of any sign", () => {
    expect(find([3])).toEqual({ max: 3, min: 3, products: 1, converged: true });
    const two = find([...Array(50).fill(-2), ...Array(50).fill(-7)]);
    expect(Math.abs(two.max + 2) + Math.abs(two.min + 7)).toBeLessThan(1e-12);
    expect([two.products, two.converged]).toEqual([2, true]);
    const zero = find([0, 0, 0]);
    expect([zero.max, zero.min]).toEqual([0, 0]);
  });

  test("finds the smallest of eigenvalues that differ by ten powers of ten", () => {
    const { min, max } = find(
      Array.from({ length: 60 }, (_, i) => 1.5 ** i),
      { tolerance: 0 },
    );
    expect(Math.abs(max / 1.5 ** 59 - 1)).toBeLessThan(1e-14);
    expect(Math.abs(min - 1)).toBeLessThan(1e-4);
  });

  test("rests three times before it believes", () => {
    const { products, converged } = find(
      Array.from({ length: 500 }, (_, i) => 1000 + i),
      { tolerance: 0.9 },
    );
    expect([products, converged]).toEqual([4, true]);
  });

  test("says when it had to stop before, and then stays inside the spectrum", () => {
    const { max, min, products, converged } = find(
      Array.from({ length: 500 }, (_, i) => i),
      { iterations: 4 },
    );
    expect([products, converged]).toEqual([4, false]);
    expect(max).toBeLessThan(499);
    expect(max).toBeGreaterThan(350);
    expect(min).toBeGreaterThan(0);
  });
});

describe("adviseStepSize on the lecture's quadratic", () => {
  const theta = start();
  const advice = adviseStepSize(() => quadratic(theta), [theta], { lr: 0.35, beta: 0.7 });

  test("finds the limit of gradient descent, 0.384", () => {
    expect(Math.abs(advice.lambdaMax / LAMBDA_MAX - 1)).toBeLessThan(1e-13);
    expect(Math.abs(advice.lambdaMin / LAMBDA_MIN - 1)).toBeLessThan(1e-12);
    expect(advice.limits.gradientDescent.toFixed(3)).toBe("0.384");
    expect(advice.limits.momentumClassic).toBeCloseTo(3.4 / LAMBDA_MAX, 12);
    expect(advice.limits.momentumAveraged).toBeCloseTo(3.4 / 0.3 / LAMBDA_MAX, 12);
    expect(advice.limits.nesterovFirst).toBeCloseTo(3.4 / 2.4 / LAMBDA_MAX, 12);
    expect(advice.limits.nesterovSecond).toBeCloseTo(3.4 / 0.9 / LAMBDA_MAX, 12);
    expect([advice.products, advice.converged]).toEqual([2, true]);
  });

  test("predicts at α 0.35, β 0.7 that the first Nesterov form alone diverges", () => {
    const verdicts = Object.entries(advice.predictions ?? {}).map(([rule, { verdict }]) => [rule, verdict]);
    expect(Object.fromEntries(verdicts)).toEqual({
      gradientDescent: "converges",
      momentumClassic: "converges",
      momentumAveraged: "converges",
      nesterovFirst: "diverges",
      nesterovSecond: "converges",
    });
  });

  test("predicts the rate: |1 − αλ_max| for gradient descent, √β for momentum", () => {
    const { gradientDescent, momentumAveraged, nesterovFirst } = advice.predictions ?? {};
    expect(gradientDescent?.spectralRadius).toBeCloseTo(0.35 * LAMBDA_MAX - 1, 12);
    expect(gradientDescent?.iterationsPerDigit).toBeCloseTo(-Math.LN10 / Math.log(0.35 * LAMBDA_MAX - 1), 9);
    expect(momentumAveraged?.spectralRadius).toBeCloseTo(Math.sqrt(0.7), 12);
    expect(nesterovFirst?.iterationsPerDigit).toBe(Number.POSITIVE_INFINITY);
  });

  test("is a table", () => {
    expect(String(advice)).toBe(
      [
        "curvature of the loss: largest 5.206, smallest 0.7038 (2 Hessian-vector products)",
        "rule                   lr below (beta 0.7)  at lr 0.35  factor per step  steps per digit",
        "gradient descent                    0.3842   converges           0.8222             11.8",
        "momentum, classic                   0.6531   converges           0.8367             12.9",
        "momentum, averaged                   2.177   converges           0.8367             12.9",
        "Nesterov, first form                0.2721    diverges             1.73                ∞",
        "Nesterov, second form               0.7256   converges           0.7913             9.84",
      ].join("\n"),
    );
    const silent = adviseStepSize(() => quadratic(theta), [theta]);
    expect([silent.predictions, silent.lr, silent.beta]).toEqual([null, null, 0.9]);
    expect(String(silent).split("\n")[1]).toMatch(/^rule +lr below \(beta 0\.9\)$/);
  });

  test("changes nothing", () => {
    expect([theta.toArray(), theta.grad]).toEqual([[...START], null]);
  });
});

describe("adviseStepSize elsewhere", () => {
  test("agrees with the Hessian of a network, whose curvature is partly negative", () => {
    const generator = new Generator(2);
    const dtype = "float64" as const;
    const model = new nn.Sequential(
      new nn.Linear(3, 5, { dtype, generator }),
      new nn.Tanh(),
      new nn.Linear(5, 2, { dtype, generator }),
    );
    const x = generator.normal([8, 3], { dtype });
    const y = generator.normal([8, 2], { dtype });
    const loss = (): Tensor => nn.functional.mseLoss(model.forward(x), y);
    const matrix = hessian(loss, model.parameters()).data as Float64Array;
    const n = model.numParameters();
    const multiply = (v: Float64Array): Float64Array =>
      Float64Array.from(v, (_, i) => v.reduce((sum, value, k) => sum + matrix[i * n + k] * value, 0));
    // Power iteration, on H and on H − λ_max·I.
    const power = (shift: number): number => {
      let v = Float64Array.from({ length: n }, (_, i) => Math.sin(i + 1));
      let size = 0;
      for (let k = 0; k < 20_000; k++) {
        const w = multiply(v).map((value, i) => value - shift * v[i]);
        size = Math.hypot(...w);
        v = w.map((value) => value / size);
      }
      return size;
    };
    const largest = power(0);
    const advice = adviseStepSize(loss, model.parameters(), { lr: 1e-3, tolerance: 0 });
    expect(Math.abs(advice.lambdaMax / largest - 1)).toBeLessThan(1e-9);
    expect(Math.abs(advice.lambdaMin - (largest - power(largest)))).toBeLessThan(1e-6);
    expect(advice.lambdaMin).toBeLessThan(0);
    expect(advice.predictions?.gradientDescent.verdict).toBe("stable");
    expect(String(advice)).toMatch(/Some curvature is 0 or negative/);
  });

  test("has no limit where nothing curves upward", () => {
    const x = start();
    const advice = adviseStepSize(() => x.sum(), [x], { lr: 1 });
    expect([advice.lambdaMax, advice.limits.gradientDescent]).toEqual([0, Number.POSITIVE_INFINITY]);
    expect(advice.predictions?.gradientDescent.verdict).toBe("stable");
  });

  test("takes a curvature that may be rounding for none", () => {
    const x = start();
    const weights = tensor([1, 1e-9], { dtype: "float64" });
    const advice = adviseStepSize(() => x.square().mul(weights).sum(), [x], { lr: 0.5 });
    expect(advice.predictions?.gradientDescent.verdict).toBe("stable");
    expect(advice.predictions?.gradientDescent.iterationsPerDigit).toBeGreaterThan(1e8);
  });

  test("refuses options outside their range, what has no curvature, and compiled functions", () => {
    const x = start();
    const advise = (options: object) => () => adviseStepSize(() => quadratic(x), [x], options);
    expect(advise({ beta: 1 })).toThrow("adviseStepSize: beta must be a number in [0, 1), got 1");
    expect(advise({ lr: 0 })).toThrow("adviseStepSize: lr must be a number > 0, got 0");
    expect(advise({ iterations: 0.5 })).toThrow(ArgumentError);
    expect(advise({ tolerance: -1 })).toThrow(ArgumentError);
    expect(advise({ momentum: 0.9 })).toThrow("adviseStepSize: unknown option momentum");
    expect(advise({ generator: 3 })).toThrow(ArgumentError);
    expect(() => adviseStepSize(() => x.log().sum(), [x])).toThrow(GradientError);
    expect(() => adviseStepSize(() => quadratic(x), [])).toThrow("adviseStepSize: params is empty");
    expect(() => adviseStepSize(3 as never, [x])).toThrow("adviseStepSize: ");
    expect(() => adviseStepSize(() => x.mul(2), [x])).toThrow(
      "adviseStepSize: the function must return one element, got shape [2]",
    );
    const traced = compile((t: Tensor) => {
      adviseStepSize(() => quadratic(x), [x]);
      return t.mul(2);
    });
    expect(() => traced.sync(tensor(1))).toThrow(TraceError);
    expect(() => traced.sync(tensor(1))).toThrow("adviseStepSize");
  });
});
