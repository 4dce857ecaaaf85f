/** State dicts as PyTorch writes them are loaded as they are, and the training goes on as it does there. */
import { describe, expect, test } from "vitest";
import { StateError } from "../../lib/errors.js";
import * as optim from "../../lib/optim/index.js";
import { type Tensor, tensor } from "../../lib/tensor.js";
import { type Dump, expectClose, fromDump, readFixture } from "../nn/fixtures.js";

interface Resumption {
  optimizer: string;
  curvature: Dump[];
  stateDict: unknown;
  before: Dump[];
  after: Dump[];
}

type Make = new (params: Tensor[]) => optim.SGD;
const rules = optim as unknown as Record<string, Make>;
const STEPS = 3;
const TOLERANCE = 1e-12;

/** PyTorch's tensors, which JSON holds as their shapes and elements. */
function revive(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(revive);
  if ("shape" in value && "data" in value) return fromDump(value as Dump);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, revive(each)]));
}

const resumptions = readFixture<Resumption[]>("optim_resumed.json").map(
  (each, i) => [`${i}: ${each.optimizer}`, each] as const,
);

describe("PyTorch's state dicts", () => {
  test.each(resumptions)("%s", (_, { optimizer: name, curvature, stateDict, before, after }) => {
    const parameters = before.map((dump) => fromDump(dump, true));
    const coefficients = curvature.map((dump) => fromDump(dump));
    const optimizer = new rules[name](parameters);
    optimizer.loadStateDict(revive(stateDict) as never);
    for (let step = 0; step < STEPS; step++) {
      optimizer.step(() => {
        optimizer.zeroGrad();
        const loss = parameters
          .map((p, i) => p.square().mul(coefficients[i]).mul(0.5).add(p.sin()).sum())
          .reduce((sum, term) => sum.add(term));
        loss.backward();
        return loss;
      });
    }
    after.forEach((dump, i) => {
      expectClose(parameters[i], dump, `parameter ${i}`, TOLERANCE);
    });
  });

  test("what does not fit is named, and nothing is loaded", () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const adam = new optim.Adam([x], { lr: 0.5 });
    const load =
      (group: object, state: unknown = {}) =>
      () =>
        adam.loadStateDict({ state, param_groups: [{ params: [0], ...group }] } as never);
    expect(load({ momentum: 0.9 })).toThrow("paramGroups[0] has unexpected momentum");
    expect(load({ lr: -1 })).toThrow("Adam: lr must be a number");
    expect(load({ lr: 0.1 }, { 0: { step: tensor([1, 2]) } })).toThrow("state 0 misses exp_avg, exp_avg_sq");
    expect(load({ lr: 0.1 }, [])).toThrow(StateError);
    expect(adam.paramGroups[0].lr).toBe(0.5);
  });
});
