/**
 * A whole training run pinned by its losses: digits, initialization, shuffling, forward, backward and update
 * together. Native bits depend neither on the level nor on the number of threads, so there the losses are equal to
 * the last bit; the TypeScript executor multiplies matrices without fused multiply-adds and follows within a bound.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { backendInfo, data, manualSeed, nn, optim, setNumThreads } from "../../lib/index.js";
import { withBackend } from "../../lib/runtime/executor.js";

interface Curve {
  made: string;
  losses: number[];
}

const CURVE = JSON.parse(
  readFileSync(new URL("../fixtures/loss_curve.json", import.meta.url), "utf8"),
) as Curve;
/** Allowed relative difference of the TypeScript executor's loss at every one of these steps. */
const BOUND = 1e-3;

function train(): number[] {
  manualSeed(11);
  const { train: digits } = data.digits({ n: 640, seed: 1 });
  const model = new nn.Sequential(
    new nn.Linear(784, 48),
    new nn.ReLU(),
    new nn.LayerNorm(48),
    new nn.Linear(48, 24),
    new nn.GELU(),
    new nn.Dropout(0.1),
    new nn.Linear(24, 10),
  );
  const optimizer = new optim.AdamW(model.parameters(), { lr: 2e-3 });
  const loader = new data.DataLoader(digits, { batchSize: 64, shuffle: true });
  const losses: number[] = [];
  for (let epoch = 0; epoch < 6; epoch++) {
    for (const [x, y] of loader) {
      const loss = nn.functional.crossEntropy(model.forward(x), y, { labelSmoothing: 0.05 });
      optimizer.zeroGrad();
      loss.backward();
      nn.utils.clipGradNorm(model.parameters(), 5);
      optimizer.step();
      losses.push(loss.item());
    }
  }
  return losses;
}

const info = backendInfo();
const levels = info.backend === "native" ? info.levels : [];

describe("a pinned training run", () => {
  test.each(levels)("native, level %s: the committed losses, bit for bit", (isa) => {
    expect(withBackend({ backend: "native", isa }, train)).toEqual(CURVE.losses);
  });

  test.skipIf(levels.length === 0)("native, any number of threads", () => {
    for (const threads of [1, 3]) {
      setNumThreads(threads);
      expect(train()).toEqual(CURVE.losses);
    }
    setNumThreads(info.threads);
  });

  test("TypeScript: within its bound at every step", () => {
    const losses = withBackend({ backend: "ts" }, train);
    losses.forEach((loss, step) => {
      expect(Math.abs(loss - CURVE.losses[step]) / CURVE.losses[step]).toBeLessThanOrEqual(BOUND);
    });
    expect(losses).toHaveLength(CURVE.losses.length);
    expect(losses.at(-1)).toBeLessThan(1.1);
  });
});
