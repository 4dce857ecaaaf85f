import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DataLoader } from "../../lib/data/data_loader.js";
import { TensorDataset } from "../../lib/data/dataset.js";
import { ArgumentError, FormatError, StateError } from "../../lib/errors.js";
import {
  loadCheckpoint,
  loadSafetensors,
  saveCheckpoint,
  saveCheckpointAsync,
  saveSafetensors,
} from "../../lib/io/index.js";
import { Linear } from "../../lib/nn/linear.js";
import { Module } from "../../lib/nn/module.js";
import { Adam } from "../../lib/optim/adam.js";
import { SGD } from "../../lib/optim/sgd.js";
import { defaultGenerator, Generator, manualSeed } from "../../lib/random/generator.js";
import { type Tensor, tensor } from "../../lib/tensor.js";
import { thrown } from "../ndarray/thrown.js";

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thalweg-checkpoint-"));
  path = join(folder, "run.safetensors");
});
afterEach(() => rmSync(folder, { recursive: true }));

class Net extends Module {
  readonly hidden: Linear;
  readonly output = new Linear(5, 1);
  readonly masks: Generator;
  constructor(inputs: number, masks: Generator) {
    super();
    this.hidden = new Linear(inputs, 5);
    this.masks = masks;
  }
  override forward(x: Tensor): Tensor {
    const hidden = this.hidden.forward(x).tanh();
    return this.output.forward(hidden.mul(this.masks.dropoutMask(hidden.shape, 0.25)));
  }
}

/** A training run with everything in it that has a state; another seed begins elsewhere. */
function makeRun(seed: number, inputs = 3) {
  manualSeed(seed);
  const generators = { masks: new Generator(seed), order: new Generator(seed + 1) };
  const model = new Net(inputs, generators.masks);
  const optimizer = new Adam(model.parameters(), { lr: 0.01 });
  const points = new Generator(7).normal([22, inputs]);
  const dataset = new TensorDataset(points, points.sum(1, { keepDims: true }).sin());
  const loader = new DataLoader(dataset, { batchSize: 4, shuffle: true, generator: generators.order });
  return { model, optimizer, generators, loader };
}
type Run = ReturnType<typeof makeRun>;

/** Trains to the end of the given epoch, reporting each loss. */
function* train({ model, optimizer, loader }: Run, epochs: number): Iterable<number> {
  while (loader.getState().epoch < epochs) {
    for (const [x, y] of loader) {
      const error = model.forward(x).sub(y);
      const loss = error.mul(error).mean();
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      yield loss.item();
    }
  }
}

/** Everything in a run that can change, as plain values. */
const snapshot = ({ model, optimizer, generators, loader }: Run): unknown =>
  structuredClone({
    model: Object.entries(model.stateDict()).map(([name, value]) => [name, value.toArray()]),
    optimizer: JSON.stringify(optimizer.stateDict(), (_, value) => (value?.array ? value.toArray() : value)),
    generators: [generators.masks.getState(), generators.order.getState()],
    loader: loader.getState(),
  });

describe("a resumed run", () => {
  test("goes on bit for bit, from any step", () => {
    const whole = makeRun(1);
    const losses = [...train(whole, 3)];
    const end = snapshot(whole);
    expect(losses).toHaveLength(18);
    for (const stop of [1, 5, 6, 7, 13]) {
      const interrupted = makeRun(1);
      const seen: number[] = [];
      for (const loss of train(interrupted, 3)) if (seen.push(loss) === stop) break;
      saveCheckpoint(path, interrupted);
      const resumed = makeRun(2);
      loadCheckpoint(path, resumed);
      expect([...seen, ...train(resumed, 3)]).toEqual(losses);
      expect(snapshot(resumed)).toEqual(end);
    }
  });

  test("written in the background is the one written at once, whatever changes meanwhile", async () => {
    const run = makeRun(1);
    const extra = { mean: tensor([1, 2]) };
    saveCheckpoint(path, { ...run, extra });
    const expected = readFileSync(path);
    const writing = saveCheckpointAsync(path, { ...run, extra });
    for (const parameter of run.model.parameters()) (parameter.data as Float32Array).fill(0);
    extra.mean.data[0] = 9;
    await writing;
    expect(readFileSync(path).equals(expected)).toBe(true);
    await expect(saveCheckpointAsync(join(folder, "none", "file"), run)).rejects.toThrow(/cannot write/);
  });

  test("takes the default generator with it unless generators are named", () => {
    manualSeed(9);
    defaultGenerator().permutation(10);
    saveCheckpoint(path, {});
    const next = [...defaultGenerator().permutation(10)];
    manualSeed(1);
    loadCheckpoint(path, { generators: {} });
    expect(defaultGenerator().getState()).toMatchObject({ seed: "1" });
    loadCheckpoint(path, {});
    expect([...defaultGenerator().permutation(10)]).toEqual(next);
  });

  test("gets back what was saved beside it", () => {
    const extra = { best: Number.POSITIVE_INFINITY, history: [1, 2.5], note: "ü", mean: tensor([1, 2]) };
    saveCheckpoint(path, { extra });
    expect(loadCheckpoint(path, {}).extra).toEqual(extra);
    saveCheckpoint(path, {});
    expect(loadCheckpoint(path, {}).extra).toBeUndefined();
  });

  test("is a safetensors file whose tensors have the model's names", () => {
    const run = makeRun(1);
    for (const _ of train(run, 1)) break;
    saveCheckpoint(path, run);
    const { tensors, metadata } = loadSafetensors(path);
    expect(metadata).toMatchObject({ format: "thalweg-checkpoint", version: "1" });
    expect(Object.keys(tensors)).toEqual(
      expect.arrayContaining(["model.hidden.weight", "model.output.bias"]),
    );
    expect(Object.keys(tensors).filter((name) => /^optimizer\.state\.\d+\.exp_avg$/.test(name))).toHaveLength(
      4,
    );
    expect(Object.keys(tensors)).toHaveLength(12);
  });

  test("may be loaded in part", () => {
    const run = makeRun(1);
    saveCheckpoint(path, run);
    const { model } = makeRun(2);
    loadCheckpoint(path, { model, generators: {} });
    expect(model.hidden.weight.toArray()).toEqual(run.model.hidden.weight.toArray());
  });
});

describe("what does not fit is refused, and nothing has changed", () => {
  function refuses(
    target: Run,
    parts: object,
    type: new (...args: never[]) => Error,
    ...messages: RegExp[]
  ): void {
    const before = snapshot(target);
    const error = thrown(() => loadCheckpoint(path, parts));
    expect(error).toBeInstanceOf(type);
    for (const message of messages) expect(error.message).toMatch(message);
    expect(snapshot(target)).toEqual(before);
  }

  test("a model of another width", () => {
    saveCheckpoint(path, makeRun(1, 4));
    const run = makeRun(2, 3);
    refuses(
      run,
      run,
      StateError,
      /hidden\.weight is float32 \[5,4\] in the file and float32 \[5,3\] in the model/,
    );
  });

  test("a model with other layers, all names listed", () => {
    const run = makeRun(2);
    saveCheckpoint(path, { ...makeRun(1), model: new Linear(3, 5) });
    refuses(
      run,
      run,
      StateError,
      /missing in the file: .*hidden\.weight.*output\.bias/,
      /unknown to the model: weight, bias/,
    );
  });

  test("an optimizer of another kind", () => {
    const run = makeRun(2);
    const other = makeRun(1);
    saveCheckpoint(path, { ...other, optimizer: new SGD(other.model.parameters(), { lr: 0.1 }) });
    refuses(run, run, StateError, /holds the state of SGD, the optimizer is Adam/);
  });

  test("an optimizer of other parameters", () => {
    const run = makeRun(2);
    const other = makeRun(1);
    saveCheckpoint(path, { ...other, optimizer: new Adam([other.model.hidden.weight], { lr: 0.1 }) });
    refuses(run, run, StateError);
  });

  test("a loader of other batches", () => {
    const run = makeRun(2);
    const other = makeRun(1);
    saveCheckpoint(path, { ...other, loader: new DataLoader(other.loader.dataset, { batchSize: 2 }) });
    refuses(run, run, StateError, /batchSize 2, this one has 4/);
  });

  test("generators and parts that were not saved", () => {
    const run = makeRun(2);
    saveCheckpoint(path, { model: makeRun(1).model });
    refuses(run, { ...run, generators: {} }, StateError, /was saved without optimizer and loader/);
    refuses(
      run,
      { model: run.model, generators: run.generators },
      StateError,
      /no state of generator masks; it holds default/,
    );
    const generators = { default: 3 };
    refuses(run, { model: run.model, generators }, ArgumentError, /generators\.default must be a Generator/);
  });

  test("extra data that is not plain leave the old file", () => {
    saveCheckpoint(path, { extra: 1 });
    expect(() => saveCheckpoint(path, { extra: { when: new Date() } })).toThrow(
      /extra\.when is a value of class Date/,
    );
    expect(loadCheckpoint(path, {}).extra).toBe(1);
  });
});

describe("files that are no checkpoints", () => {
  const metadata = (changes: Record<string, string>) => {
    saveCheckpoint(path, { model: new Linear(2, 1) });
    const { tensors, metadata: own } = loadSafetensors(path);
    saveSafetensors(path, tensors, { metadata: { ...own, ...changes } });
  };

  test.each<[string, Record<string, string>, RegExp]>([
    [
      "another format",
      { format: "pt" },
      /is no checkpoint: its metadata name format "pt", not "thalweg-checkpoint"/,
    ],
    ["another version", { version: "2" }, /is a checkpoint of version 2; this reads 1/],
    ["no JSON", { state: "{" }, /state that is not JSON/],
    ["no object", { state: "3" }, /state that saveCheckpoint does not write/],
    ["no generators", { state: "{}" }, /state that saveCheckpoint does not write/],
    ["a model of numbers", { state: '{"generators":{},"model":{"weight":1}}' }, /does not write/],
    ["a tensor it lacks", { state: '{"generators":{},"extra":{"$tensor":"x"}}' }, /refers to tensor "x"/],
  ])("%s", (_, changes, message) => {
    metadata(changes);
    const error = thrown(() => loadCheckpoint(path, {}));
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(path);
  });

  test("a plain safetensors file", () => {
    saveSafetensors(path, { w: tensor(1) });
    expect(() => loadCheckpoint(path, {})).toThrow(/its metadata name no format/);
  });

  test("changed bytes give a result, a FormatError or a StateError, and a refusal changes nothing", () => {
    const saved = makeRun(1);
    for (const _ of train(saved, 1)) if (saved.loader.getState().batch === 3) break;
    saveCheckpoint(path, saved);
    const whole = readFileSync(path);
    const header = 8 + Number(whole.readBigUInt64LE());
    const run = makeRun(2);
    fc.assert(
      fc.property(fc.integer({ min: 8, max: header - 1 }), fc.integer({ min: 32, max: 126 }), (at, byte) => {
        const changed = Buffer.from(whole);
        changed[at] = byte;
        writeFileSync(path, changed);
        const before = snapshot(run);
        try {
          loadCheckpoint(path, run);
        } catch (error) {
          expect([FormatError, StateError]).toContain((error as Error).constructor);
          expect(snapshot(run)).toEqual(before);
        }
      }),
      { numRuns: 300 },
    );
  });
});
