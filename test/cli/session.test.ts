/** Runs stopped or crashed at every point at which they can be, in this process. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { TrainConfig } from "../../lib/cli/train/config.js";
import { type Observer, TrainSession } from "../../lib/cli/train/session.js";
import { metricsOf, scratch } from "./run.js";

const CONFIG: Partial<TrainConfig> = {
  limit: 50,
  layers: [784, 8, 10],
  batchSize: 16,
  epochs: 2,
  dropout: 0.4,
  optimizer: "sgd",
  momentum: 0.9,
};
const STEPS = 2 * 4;

const silent: Observer = { beginEpoch() {}, step() {}, endEpoch() {} };
const never = (): boolean => false;

const open = (out: string, resume = false): Promise<TrainSession> =>
  TrainSession.open(resume ? {} : CONFIG, {
    out,
    resume,
    checkpointEvery: 2,
    detectAnomaly: false,
    json: false,
    threads: null,
  });

/** Everything that a finished run leaves behind, but times. */
function outcome({ model, record, files }: TrainSession): unknown {
  const weights = [...model.namedParameters()].map(([name, { data }]) => [name, [...data]]);
  return { weights, curve: record.curve, metrics: metricsOf(join(files.metrics, "..")) };
}

async function uninterrupted(): Promise<unknown> {
  const session = await open(scratch());
  expect(await session.train(silent, never)).toBe(true);
  return outcome(session);
}

describe("TrainSession", () => {
  it("goes on as if never stopped, wherever it was stopped", async () => {
    const expected = await uninterrupted();
    for (let stopAt = 1, isComplete = false; !isComplete; stopAt++) {
      const out = scratch();
      let asked = 0;
      isComplete = await (await open(out)).train(silent, () => ++asked === stopAt);
      const resumed = await open(out, true);
      expect(await resumed.train(silent, never)).toBe(true);
      expect(outcome(resumed), `stopped when asked for the ${stopAt}th time`).toEqual(expected);
      // Asked after every step that leaves a rest, and after the one batch of each test.
      if (isComplete) expect(stopAt).toBeGreaterThan(STEPS);
    }
  });

  it("goes on as if never crashed, from the last checkpoint before any crash", async () => {
    const expected = await uninterrupted();
    for (let crashAt = 1; crashAt <= STEPS; crashAt++) {
      const out = scratch();
      let steps = 0;
      const crash = (): void => {
        if (++steps === crashAt) throw new Error("crash");
      };
      await expect((await open(out)).train({ ...silent, step: crash }, never)).rejects.toThrow("crash");
      const resumed = await open(out, true);
      expect(resumed.record.steps).toBeLessThan(crashAt);
      expect(await resumed.train(silent, never)).toBe(true);
      expect(outcome(resumed), `crashed in step ${crashAt}`).toEqual(expected);
    }
  });

  it("keeps the last good checkpoint when the weights overflow", async () => {
    const out = scratch();
    const session = await open(out);
    const before = readFileSync(join(out, "checkpoint"));
    const overflow = (): void => {
      session.model.parameters()[0].data[0] = Number.POSITIVE_INFINITY;
    };
    const training = session.train({ ...silent, step: overflow }, () => true);
    await expect(training).rejects.toThrow(/step 1 \(epoch 1\): 0\.weight is no longer finite/);
    expect(readFileSync(join(out, "checkpoint")).equals(before)).toBe(true);
  });
});
