/** The update rules against PyTorch: 20 or 200 steps of two parameters, for all options, and the state in the end. */
import { describe, expect, test } from "vitest";
import * as optim from "../../lib/optim/index.js";
import { type Tensor, tensor } from "../../lib/tensor.js";
import { type Dump, expectClose, fromDump, readFixture } from "../nn/fixtures.js";

interface Trajectory {
  optimizer: keyof typeof RULES;
  options: Record<string, never>;
  start: Dump[];
  curvature: Dump[];
  /** The parameters after some of the steps, by number. */
  kept: Record<string, Dump[]>;
  state: Record<string, Record<string, number | Dump>>;
}

const { SGD, Adam, AdamW } = optim;
const RULES = {
  SGD,
  Adam,
  AdamW,
  Adamax: optim.Adamax,
  Adagrad: optim.Adagrad,
  Adadelta: optim.Adadelta,
  NAdam: optim.NAdam,
  RAdam: optim.RAdam,
  RMSprop: optim.RMSprop,
  Lion: optim.Lion,
  Muon: optim.Muon,
};
const STEPS = 20;
/** The two differ in the order of operations; the steps carry the roundings along. */
const TOLERANCE = 1e-12;
const LONG_TOLERANCE = 1e-10;

const read = (file: string, tolerance: number): [string, Trajectory, number][] =>
  readFixture<Trajectory[]>(file).map((each) => [
    `${each.optimizer} ${JSON.stringify(each.options)}`,
    each,
    tolerance,
  ]);
const trajectories = [...read("optim.json", TOLERANCE), ...read("optim_long.json", LONG_TOLERANCE)];

/** Σ (c θ²/2 + sin θ), as in scripts/make_fixtures.py. */
const objective = (parameters: readonly Tensor[], curvature: readonly Tensor[]): Tensor =>
  parameters
    .map((p, i) => p.square().mul(curvature[i]).mul(0.5).add(p.sin()).sum())
    .reduce((sum, term) => sum.add(term));

describe("trajectories", () => {
  test.each(trajectories)("%s", (_, trajectory, tolerance) => {
    const { optimizer: rule, options, start, curvature, kept, state } = trajectory;
    const steps = Math.max(...Object.keys(kept).map(Number));
    const parameters = start.map((dump) => fromDump(dump, true));
    const coefficients = curvature.map((dump) => fromDump(dump));
    const optimizer = new RULES[rule](parameters, options);
    for (let step = 1; step <= steps; step++) {
      optimizer.zeroGrad();
      objective(parameters, coefficients).backward();
      optimizer.step();
      kept[step]?.forEach((dump, i) => {
        expectClose(parameters[i], dump, `parameter ${i} after step ${step}`, tolerance);
      });
    }
    const saved = optimizer.stateDict().state;
    expect(Object.keys(saved)).toEqual(Object.keys(state));
    for (const [index, entries] of Object.entries(state)) {
      expect(Object.keys(saved[index])).toEqual(Object.keys(entries));
      for (const [name, value] of Object.entries(entries)) {
        if (name === "step") expect(saved[index][name]).toBe(value);
        else if (typeof value === "number") expect(Number(saved[index][name]) / value).toBeCloseTo(1, 14);
        else expectClose(saved[index][name] as Tensor, value, `state ${name}`, tolerance);
      }
    }
  });
});

test("float32 parameters follow float64 ones to float32's precision", () => {
  for (const rule of Object.values(RULES)) {
    const [narrow, wide] = (["float32", "float64"] as const).map((dtype) => {
      const weight = tensor([1.5, -2.5], { dtype, requiresGrad: true });
      const optimizer = new rule([weight], { lr: 0.1 });
      for (let step = 0; step < STEPS; step++) {
        optimizer.zeroGrad();
        weight.square().sum().backward();
        optimizer.step();
      }
      expect(weight.dtype).toBe(dtype);
      return weight.toArray() as number[];
    });
    // Each step rounds a handful of times, relative to values of at most 2.5.
    narrow.forEach((value, i) => {
      expect(Math.abs(value - wide[i])).toBeLessThan(STEPS * 2.5 * 2 ** -22);
    });
  }
});
