/** The update rules against PyTorch: 20 steps of two parameters, for all options, and the state in the end. */
import { describe, expect, test } from "vitest";
import { Adam, AdamW, SGD } from "../../lib/optim/index.js";
import { type Tensor, tensor } from "../../lib/tensor.js";
import { type Dump, expectClose, fromDump, readFixture } from "../nn/fixtures.js";

interface Trajectory {
  optimizer: "SGD" | "Adam" | "AdamW";
  options: Record<string, never>;
  start: Dump[];
  curvature: Dump[];
  /** The parameters after some of the steps, by number. */
  kept: Record<string, Dump[]>;
  state: Record<string, Record<string, number | Dump>>;
}

const RULES = { SGD, Adam, AdamW };
const STEPS = 20;
/** The two differ in the order of operations; 20 steps carry the roundings along. */
const TOLERANCE = 1e-12;

const trajectories = readFixture<Trajectory[]>("optim.json").map((each): [string, Trajectory] => [
  `${each.optimizer} ${JSON.stringify(each.options)}`,
  each,
]);

/** Σ (c θ²/2 + sin θ), as in scripts/make_fixtures.py. */
const objective = (parameters: readonly Tensor[], curvature: readonly Tensor[]): Tensor =>
  parameters
    .map((p, i) => p.square().mul(curvature[i]).mul(0.5).add(p.sin()).sum())
    .reduce((sum, term) => sum.add(term));

describe("trajectories", () => {
  test.each(trajectories)("%s", (_, { optimizer: rule, options, start, curvature, kept, state }) => {
    const parameters = start.map((dump) => fromDump(dump, true));
    const coefficients = curvature.map((dump) => fromDump(dump));
    const optimizer = new RULES[rule](parameters, options);
    for (let step = 1; step <= STEPS; step++) {
      optimizer.zeroGrad();
      objective(parameters, coefficients).backward();
      optimizer.step();
      kept[step]?.forEach((dump, i) => {
        expectClose(parameters[i], dump, `parameter ${i} after step ${step}`, TOLERANCE);
      });
    }
    const saved = optimizer.stateDict().state;
    expect(Object.keys(saved)).toEqual(Object.keys(state));
    for (const [index, entries] of Object.entries(state)) {
      expect(Object.keys(saved[index])).toEqual(Object.keys(entries));
      for (const [name, value] of Object.entries(entries)) {
        if (typeof value === "number") expect(saved[index][name]).toBe(value);
        else expectClose(saved[index][name] as Tensor, value, `state ${name}`, TOLERANCE);
      }
    }
  });
});

test("float32 parameters follow float64 ones to float32's precision", () => {
  for (const rule of [SGD, Adam, AdamW]) {
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
