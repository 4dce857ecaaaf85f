/** What a run counts. */
import { describe, expect, it } from "vitest";
import { RunRecord } from "../../lib/cli/train/record.js";

describe("RunRecord", () => {
  it("weighs losses by samples and measures speed", () => {
    const record = new RunRecord(2);
    record.addStep(3, 30, 1);
    record.addStep(1, 10, 1);
    expect(record.isEpochTrained).toBe(true);
    const metrics = record.endEpoch({ loss: 0.5, accuracy: 0.9 });
    expect(metrics).toEqual({
      epoch: 1,
      steps: 2,
      trainLoss: 2.5,
      testLoss: 0.5,
      testAccuracy: 0.9,
      seconds: 2,
      samplesPerSecond: 20,
    });
    expect(record.history).toEqual([metrics]);
    expect({ steps: record.steps, inEpoch: record.epochSteps }).toEqual({ steps: 2, inEpoch: 0 });
  });

  it("draws twenty points an epoch, each the mean of its steps, and one for the rest", () => {
    const record = new RunRecord(45);
    for (let step = 1; step <= 45; step++) record.addStep(step, 10, 0);
    expect(record.curve).toHaveLength(23);
    expect(record.curve[0]).toEqual({ epoch: 2 / 45, loss: 1.5 });
    expect(record.curve[22]).toEqual({ epoch: 1, loss: 45 });
  });

  it("goes on from its state, and shares nothing with it", () => {
    const [whole, first] = [new RunRecord(3), new RunRecord(3)];
    for (const record of [whole, first]) record.addStep(2, 4, 1);
    const second = new RunRecord(3);
    const state = first.getState();
    const saved = JSON.stringify(state);
    second.setState(state);
    for (const record of [whole, first, second]) record.addStep(1, 4, 1);
    expect(second.getState()).toEqual(whole.getState());
    expect(JSON.stringify(state)).toBe(saved);
  });
});
