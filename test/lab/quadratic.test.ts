/** The paths on the lecture's quadratic: every iterate, and checks that notice a wrong one. */
import { describe, expect, it } from "vitest";
import type { Check } from "../../lib/lab/checks.js";
import type { Experiment, LabContext } from "../../lib/lab/experiment.js";
import { gradientDescent } from "../../lib/lab/experiments/gradient_descent.js";
import { momentum } from "../../lib/lab/experiments/momentum.js";
import { nesterov } from "../../lib/lab/experiments/nesterov.js";
import { newton } from "../../lib/lab/experiments/newton.js";
import { noise } from "../../lib/lab/experiments/noise.js";
import { unbiased } from "../../lib/lab/experiments/unbiased.js";
import { ITERATES, LAMBDA_MAX, P, type Point, START, UPDATES } from "../../lib/lab/lecture.js";
import type { Path } from "../../lib/lab/quadratic.js";
import { EIGENPAIRS, matches } from "../../lib/lab/quadratic.js";
import { readFixture } from "../nn/fixtures.js";

interface Fixture {
  P: Point[];
  theta0: Point;
  lambda_max: number;
  cases: Record<string, { iterates: Point[]; objective: number[] }>;
}
const fixture = readFixture<Fixture>("quadratic.json");

/** The lecture's name of each rule that the lab has numbers of. */
const CASES: Record<keyof typeof ITERATES, string> = {
  gradientDescent: "gd lr=0.35",
  slowGradientDescent: "gd lr=0.05",
  divergingGradientDescent: "gd lr=0.39 (diverges: lr > 2/lambda_max)",
  newton: "newton lr=1 (optimum in one step)",
  dampedNewton: "newton lr=0.5",
  classicMomentum: "momentum classic",
  averagedMomentum: "momentum averaged (the lecture's figure)",
  unbiasedMomentum: "momentum averaged unbiased",
  firstNesterov: "nesterov section form",
  divergingNesterov: "nesterov section form at the figure's settings (diverges)",
  secondNesterov: "nesterov table form (the lecture's figure)",
  uncorrectedAdam: "adam uncorrected",
  adam: "adam unbiased",
};

// None of these experiments looks at images.
const context = { progress: () => undefined } as unknown as LabContext;
const data = {
  gradientDescent: await gradientDescent.run(context),
  momentum: await momentum.run(context),
  nesterov: await nesterov.run(context),
  newton: await newton.run(context),
  unbiased: await unbiased.run(context),
  noise: await noise.run(context),
};
const [slow, , oscillating, diverging] = data.gradientDescent.descents.map(({ path: each }) => each);
const PATHS: Record<keyof typeof ITERATES, Path> = {
  gradientDescent: oscillating,
  slowGradientDescent: slow,
  divergingGradientDescent: diverging,
  newton: data.newton.full,
  dampedNewton: data.newton.half,
  classicMomentum: data.momentum.classic,
  averagedMomentum: data.momentum.averaged,
  unbiasedMomentum: data.unbiased.unbiased,
  firstNesterov: data.nesterov.first,
  divergingNesterov: data.nesterov.diverging,
  secondNesterov: data.nesterov.second,
  uncorrectedAdam: data.unbiased.uncorrectedAdam,
  adam: data.unbiased.adam,
};

const names = Object.keys(CASES) as (keyof typeof ITERATES)[];

describe("the lecture's numbers", () => {
  it("are the fixture's", () => {
    expect({ P, theta0: START, lambda_max: LAMBDA_MAX }).toEqual({
      P: fixture.P,
      theta0: fixture.theta0,
      lambda_max: fixture.lambda_max,
    });
    expect(Object.values(CASES).sort()).toEqual(Object.keys(fixture.cases).sort());
  });

  it.each(names)("of %s are iterates 1, 2, 3 and 30", (name) => {
    const { iterates } = fixture.cases[CASES[name]];
    expect(ITERATES[name]).toEqual({ 1: iterates[1], 2: iterates[2], 3: iterates[3], 30: iterates[30] });
  });
});

describe("paths", () => {
  it.each(names)("of %s agree with the lecture in every iterate, and in the objective", (name) => {
    const { iterates, objective } = fixture.cases[CASES[name]];
    expect(iterates).toHaveLength(UPDATES + 1);
    iterates.forEach(([x, y], k) => {
      const [u, v] = PATHS[name].iterates[k];
      const length = Math.hypot(x, y);
      expect(Math.hypot(u - x, v - y)).toBeLessThanOrEqual(1e-12 * (length < 1e-12 ? 1 : length));
      const floor = objective[k] < 1e-24 ? 1e-24 : 1e-11 * objective[k];
      expect(Math.abs(PATHS[name].objective[k] - objective[k])).toBeLessThanOrEqual(floor);
    });
  });
});

const experiments: [string, Check[], number][] = [
  ["gradient descent", gradientDescent.check(data.gradientDescent), 7],
  ["momentum", momentum.check(data.momentum), 10],
  ["nesterov", nesterov.check(data.nesterov), 15],
  ["newton", newton.check(data.newton), 6],
  ["unbiased", unbiased.check(data.unbiased), 8],
  ["noise", noise.check(data.noise), 4],
];

describe("checks", () => {
  it.each(experiments)("of %s are all met", (_, checks, count) => {
    expect(checks.filter(({ isMet }) => !isMet)).toEqual([]);
    expect(checks).toHaveLength(count);
  });

  it.each(names)("of %s notice an iterate that is off by 1e-9 of its length", (name) => {
    const { iterates, ...rest } = PATHS[name];
    const off = iterates.map(
      ([x, y], k): Point => (k === UPDATES ? [x * (1 + 1e-9) + (x === 0 ? 1e-9 : 0), y] : [x, y]),
    );
    // Newton's last iterate is the optimum itself.
    const nudged = name === "newton" ? iterates.map(([x, y]): Point => [x + 1e-9, y]) : off;
    expect(matches({ ...rest, iterates: nudged }, ITERATES[name]).isMet).toBe(false);
    expect(matches(PATHS[name], ITERATES[name]).isMet).toBe(true);
  });

  const failed = <Data>(experiment: Experiment<Data>, changed: Data): string[] =>
    experiment.check(changed).flatMap(({ name, isMet }) => (isMet ? [] : [name]));

  it("notice other wrong numbers", () => {
    expect(failed(gradientDescent, { ...data.gradientDescent, lambdaMax: 5.2062 })).toHaveLength(1);
    expect(failed(gradientDescent, { ...data.gradientDescent, limit: 0.3847 })).toHaveLength(1);
    expect(
      failed(gradientDescent, { ...data.gradientDescent, aboveLimit: 99, belowLimit: 0.02 }),
    ).toHaveLength(2);
    expect(failed(nesterov, { ...data.nesterov, changeOfVariables: 1e-11 })).toHaveLength(1);
    expect(failed(newton, { ...data.newton, saddle: "" })).toHaveLength(1);
    expect(failed(noise, { ...data.noise, floor: 1.2 * data.noise.floorInTheory })).toHaveLength(1);
    expect(failed(noise, { ...data.noise, bias: Number.NaN })).toHaveLength(1);
  });
});

describe("the plane", () => {
  it("has the eigenvectors of P as its axes", () => {
    for (const { value, vector } of EIGENPAIRS) {
      const product = P.map(([a, b]) => a * vector[0] + b * vector[1]);
      product.forEach((element, axis) => {
        expect(element).toBeCloseTo(value * vector[axis], 12);
      });
    }
    expect(EIGENPAIRS[0].value).toBeCloseTo(LAMBDA_MAX, 12);
  });
});
