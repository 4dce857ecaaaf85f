/** A training that is resumed goes on as if it had not been stopped. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import {
  data,
  defaultGenerator,
  type EpochSummary,
  type FitOptions,
  Generator,
  io,
  manualSeed,
  nn,
  optim,
  fit as train,
} from "../../lib/index.js";
import { AskedDataset, BATCH, dataset, Halving, IN, makeModel, options, STEPS, stateOf } from "./runs.js";

const EPOCHS = 4;
/** Batches asked for in a whole training: steps, and one for each validation. */
const ASKED = EPOCHS * (STEPS + 1);

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "thalweg-fit-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "checkpoint");
}

/** A summary without times, and with plain losses. */
const comparable = (history: readonly EpochSummary[]): unknown =>
  history.map(({ seconds, samplesPerSecond, losses, ...rest }) => ({ ...rest, losses: losses.toArray() }));

interface Made {
  model: nn.Sequential;
  optimizer: optim.Adam;
  options: FitOptions;
}

/** Everything that has a state: two generators, a schedule, the units that ReLU let through. */
function make(path: string, more: Partial<FitOptions> = {}): Made {
  const model = makeModel();
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
  const generator = new Generator(77);
  return {
    model,
    optimizer,
    options: options(optimizer, {
      epochs: EPOCHS,
      generator,
      clipNorm: 1,
      diagnostics: true,
      schedule: new Halving(optimizer),
      scheduleEvery: "step",
      checkpoint: { path },
      ...more,
    }),
  };
}

async function uninterrupted(more: Partial<FitOptions> = {}): Promise<unknown> {
  const { model, optimizer, options: all } = make(scratch(), more);
  const history = await train(model, new AskedDataset(), { ...all, validation: new AskedDataset() });
  return [comparable(history), stateOf(model, optimizer), defaultGenerator().getState()];
}

test("after an abort anywhere, in the middle of epochs and of validations too", async () => {
  const expected = await uninterrupted();
  for (let stopAt = 1; stopAt <= ASKED; stopAt += 2) {
    const path = scratch();
    const controller = new AbortController();
    let asked = 0;
    const set = new AskedDataset(() => {
      if (++asked === stopAt) controller.abort();
    });
    const first = make(path);
    const stopped = train(first.model, set, { ...first.options, validation: set, signal: controller.signal });
    // After the very last batch nothing is left to be ended.
    const outcome = await Promise.allSettled([Promise.resolve(stopped)]);
    expect(outcome[0].status).toBe(stopAt === ASKED ? "fulfilled" : "rejected");
    expect(existsSync(path)).toBe(true);
    // As in a new process: other weights, other generators.
    const second = make(path);
    manualSeed(123);
    const history = await train(second.model, new AskedDataset(), {
      ...second.options,
      validation: new AskedDataset(),
    });
    const got = [comparable(history), stateOf(second.model, second.optimizer), defaultGenerator().getState()];
    expect(got, `stopped at batch ${stopAt}`).toEqual(expected);
  }
}, 180_000);

test("after a crash, from the last checkpoint", async () => {
  const expected = await uninterrupted();
  const path = scratch();
  let asked = 0;
  const crashing = new AskedDataset(() => {
    if (++asked === 2 * STEPS + 3) throw new Error("crash");
  });
  const first = make(path);
  const validation = new AskedDataset();
  await expect(
    Promise.resolve(train(first.model, crashing, { ...first.options, validation })),
  ).rejects.toThrow("crash");
  const second = make(path);
  manualSeed(9);
  const epochs: number[] = [];
  const training = train(second.model, new AskedDataset(), { ...second.options, validation });
  for await (const { epoch } of training) epochs.push(epoch);
  expect(epochs).toEqual([3, 4]);
  const got = [
    comparable(training.history),
    stateOf(second.model, second.optimizer),
    defaultGenerator().getState(),
  ];
  expect(got).toEqual(expected);
});

test("after an abort from a timer, wherever a compiled epoch is then", async () => {
  const build = () => {
    manualSeed(1);
    const model = new nn.Sequential(new nn.Linear(IN, 2000), new nn.Dropout(0.3), new nn.Linear(2000, 3));
    return { model, optimizer: new optim.Adam(model.parameters()) };
  };
  // So long an epoch that the timer finds one under way on any machine.
  const long = new data.Subset(
    dataset,
    Array.from({ length: 600 }, (_, i) => i % dataset.length),
  );
  const more = { epochs: 12, batchSize: 1 };
  const whole = build();
  await train(whole.model, long, options(whole.optimizer, more));
  const path = scratch();
  const stoppedAfter: number[] = [];
  for (let isDone = false; !isDone; ) {
    const { model, optimizer } = build();
    const controller = new AbortController();
    // The first epoch has the compilation in it; a later one is all steps.
    let epochs = 0;
    const onEpoch = (): void => {
      if (++epochs === 2 && stoppedAfter.length < 4) setTimeout(() => controller.abort(), 2);
    };
    const settings = { checkpoint: { path }, signal: controller.signal, callbacks: { onEpoch } };
    try {
      await train(model, long, options(optimizer, { ...more, ...settings }));
      isDone = true;
      expect(stateOf(model, optimizer)).toEqual(stateOf(whole.model, whole.optimizer));
    } catch (error) {
      if ((error as Error).name !== "AbortError") throw error;
      const extra = io.loadCheckpoint(path, {}).extra as { part: { steps: number } | null };
      stoppedAfter.push(extra.part?.steps ?? 0);
    }
  }
  // Within an epoch, at least once.
  expect(Math.max(...stoppedAfter)).toBeGreaterThan(0);
});

test("every so many epochs, and at the end; a longer training goes on from there", async () => {
  const path = scratch();
  const written: boolean[] = [];
  const { model, options: all } = make(path);
  const onEpoch = (): void => {
    written.push(existsSync(path));
    rmSync(path, { force: true });
  };
  await train(model, dataset, {
    ...all,
    epochs: 5,
    checkpoint: { path, every: 2 },
    callbacks: { onEpoch },
  });
  expect(written).toEqual([false, true, false, true, true]);

  const short = make(path, { epochs: 2 });
  await train(short.model, dataset, short.options);
  const long = make(path);
  const history = await train(long.model, dataset, long.options);
  const whole = make(scratch());
  expect(comparable(history)).toEqual(comparable(await train(whole.model, dataset, whole.options)));
  expect(stateOf(long.model, long.optimizer)).toEqual(stateOf(whole.model, whole.optimizer));
});

test("resume: false begins anew", async () => {
  const path = scratch();
  const first = make(path);
  await train(first.model, dataset, first.options);
  const second = make(path, { checkpoint: { path, resume: false } });
  const epochs: number[] = [];
  for await (const { epoch } of train(second.model, dataset, second.options)) epochs.push(epoch);
  expect(epochs).toEqual([1, 2, 3, 4]);
});

test("refuses a checkpoint of something else, and weights that are damaged", async () => {
  const path = scratch();
  const other = makeModel();
  io.saveCheckpoint(path, { model: other });
  const { model, options: all } = make(path);
  await expect(Promise.resolve(train(model, dataset, all))).rejects.toThrow(/not one of fit/);
  rmSync(path);
  const good = make(path, { epochs: 1 });
  await train(good.model, dataset, good.options);
  const before = readFileSync(path);
  const damaged = make(path, {
    epochs: 2,
    batchSize: BATCH,
    diagnostics: false,
    callbacks: {
      onProgress: () => {
        throw new Error("stop");
      },
    },
  });
  const spoil = { ...damaged.options, schedule: () => 1e38 };
  await expect(Promise.resolve(train(damaged.model, dataset, spoil))).rejects.toThrow();
  expect(readFileSync(path).equals(before)).toBe(true);
});
