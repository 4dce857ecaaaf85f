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
const never = new AbortController().signal;

const open = (out: string, resume = false, checkpointEvery = 2): Promise<TrainSession> =>
  TrainSession.open(resume ? {} : CONFIG, {
    out,
    resume,
    checkpointEvery,
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
    for (let stopAt = 0; stopAt <= STEPS; stopAt++) {
      const out = scratch();
      const controller = new AbortController();
      if (stopAt === 0) controller.abort();
      let steps = 0;
      let told = 0;
      // A checkpoint after each step ends each run of steps there, so that what is told is where a signal can stop it.
      const session = await open(out, false, 1);
      const step = (epochSteps: number): void => {
        if (epochSteps !== told) steps++;
        told = epochSteps;
        if (steps === stopAt) controller.abort();
      };
      const isComplete = await session.train({ ...silent, step }, controller.signal);
      expect({ isComplete, steps: session.record.steps }).toEqual({ isComplete: false, steps: stopAt });
      const resumed = await open(out, true);
      expect(resumed.record.steps).toBe(stopAt);
      expect(await resumed.train(silent, never)).toBe(true);
      expect(outcome(resumed), `stopped after step ${stopAt}`).toEqual(expected);
    }
  });

  it("goes on as if never stopped when only the test was left", async () => {
    const out = scratch();
    const controller = new AbortController();
    const session = await open(out);
    // Asked for when the epoch has all its steps: what is left is the test.
    const step = (): void => {
      if (session.record.isEpochTrained) controller.abort();
    };
    expect(await session.train({ ...silent, step }, controller.signal)).toBe(false);
    const resumed = await open(out, true);
    expect(await resumed.train(silent, never)).toBe(true);
    expect(outcome(resumed)).toEqual(await uninterrupted());
  });

  it("takes the same steps under the search for what is not finite", async () => {
    const watched = await TrainSession.open(CONFIG, {
      out: scratch(),
      resume: false,
      checkpointEvery: 3,
      detectAnomaly: true,
      json: false,
      threads: null,
    });
    expect(await watched.train(silent, never)).toBe(true);
    expect(outcome(watched)).toEqual(await uninterrupted());
  });

  it("goes on as if never crashed, from the last checkpoint before any crash", async () => {
    const expected = await uninterrupted();
    for (let crashAt = 1; crashAt <= STEPS; crashAt++) {
      const out = scratch();
      const session = await open(out);
      let before = 0;
      const crash = (epochSteps: number): void => {
        const steps = session.record.history.length * (STEPS / 2) + epochSteps;
        if (before < crashAt && steps >= crashAt) throw new Error("crash");
        before = steps;
      };
      await expect(session.train({ ...silent, step: crash }, never)).rejects.toThrow("crash");
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
    // After the two steps up to the next checkpoint.
    const step = (_: number): void => {
      if (session.record.steps === 2) overflow();
    };
    const training = session.train({ ...silent, step }, never);
    await expect(training).rejects.toThrow(/step 2 \(epoch 1\): 0\.weight is no longer finite/);
    expect(readFileSync(join(out, "checkpoint")).equals(before)).toBe(true);
  });
});
