/** What cannot be compiled says why and what to do; what fails in a call leaves everything as it was. */
import { expect, test } from "vitest";
import { ArgumentError, BusyError, DTypeError, IndexError, TraceError } from "../../lib/errors.js";
import {
  compile,
  detectAnomaly,
  Generator,
  nn,
  noGrad,
  optim,
  type Tensor,
  tensor,
  zeros,
} from "../../lib/index.js";
import { fromTypedArray } from "../../lib/ndarray/creation.js";
import { Tensor as TensorClass } from "../../lib/tensor.js";
import { training, valuesOf, X, Y } from "./steps.js";

const F = nn.functional;
const number = tensor(2);
const generator = new Generator(1);
const weight = tensor(1, { requiresGrad: true });

test.each<[string, (x: Tensor) => unknown]>([
  ["item", (x) => x.item()],
  ["a branch", (x) => ((x as unknown as number) > 0 ? x : x.neg())],
  ["data", (x) => x.data],
  ["toArray", (x) => x.add(1).toArray()],
  ["a text", (x) => `${x}`],
  ["a selection by mask", (x) => x.expandDims(0).maskedSelect(x.expandDims(0).gt(0))],
  ["as many classes as the labels have", (x) => F.oneHot(x.astype("int32").expandDims(0))],
  ["the search for NaN", (x) => detectAnomaly(() => x.add(1))],
])("reading a value: %s", (_, fn) => {
  const step = compile(fn);
  expect(() => step.sync(number)).toThrow(TraceError);
  expect(() => step.sync(number)).toThrow(/was read .* while the function was traced.*where\(\)/);
});

test.each<[string, (x: Tensor) => unknown, RegExp]>([
  ["async", async (x) => x, /async function/],
  ["a map", () => new Map(), /returned a value of class Map/],
  ["a symbol", () => Symbol("x"), /returned symbol/],
  [
    "an array in itself",
    () => {
      const list: unknown[] = [];
      list.push(list);
      return list;
    },
    /contains itself/,
  ],
  ["drawing integers", () => generator.integers(0, 3, []), /draw it before the step/],
  ["a generator", () => new Generator(1).uniform([]), /Generator.seed.*seed it before the step/],
  ["seeding", () => generator.seed(2), /Generator.seed.*seed it before the step/],
  ["another state", () => generator.setState(generator.getState()), /Generator.setState.*before the step/],
  ["an optimizer", () => new optim.SGD([weight]), /new SGD.*make it before the step/],
  [
    "a write into an argument",
    (x) => {
      x.assign(zeros([]));
      return x;
    },
    /write into an argument.*clone/,
  ],
  [
    "a call in the background",
    (x) => {
      compile((y: Tensor) => y)(x);
      return x;
    },
    /call its sync\(\)/,
  ],
  [
    "an epoch",
    (x) => {
      compile((y: Tensor) => y).epoch({} as never);
      return x;
    },
    /an epoch.*outside/,
  ],
])("refused: %s", (_, fn, message) => {
  expect(() => compile(fn).sync(number)).toThrow(TraceError);
  expect(() => compile(fn).sync(number)).toThrow(message);
});

test("a function that throws passes its error on, and can be called again", async () => {
  let isBad = true;
  const step = compile((x: Tensor) => {
    if (isBad) throw new RangeError("mine");
    return x.add(1);
  });
  expect(() => step.sync(number)).toThrow(RangeError);
  await expect(step(number)).rejects.toThrow("mine");
  isBad = false;
  expect((await step(number)).item()).toBe(3);
});

test("a gradient that is never zeroed", () => {
  const weight = tensor([1, 2], { requiresGrad: true });
  const step = compile((x: Tensor) => {
    const loss = x.mul(weight).sum();
    loss.backward();
    return loss;
  });
  expect(() => step.sync(number)).toThrow(/call zeroGrad\(\) in the function, before backward/);
  expect(weight.grad).toBe(null);
});

test("a tensor that has left its trace", () => {
  let escaped = number;
  compile((x: Tensor) => {
    escaped = x.mul(2);
    return escaped;
  }).sync(number);
  expect(() => escaped.item()).toThrow(/trace that has ended/);
  expect(() => number.add(escaped)).toThrow(/trace that has ended/);
  expect(() => compile((x: Tensor) => x.add(escaped)).sync(number)).toThrow(/trace that has ended/);
});

test("arguments and options", async () => {
  const step = compile((x: Tensor) => x.add(1));
  for (const bad of [undefined, null, 3, "x", [1], new Float32Array(2), number.array]) {
    expect(() => step.sync(bad as never)).toThrow(ArgumentError);
    await expect(step(bad as never)).rejects.toThrow(/argument 0 must be a Tensor/);
  }
  expect(() => compile(3 as never)).toThrow(/needs a function/);
  for (const cacheSize of [0, 1.5, Number.NaN, "2"]) {
    expect(() => compile((x: Tensor) => x, { cacheSize } as never)).toThrow(/cacheSize/);
  }
  expect(() => compile((x: Tensor) => x, { cache: 1 } as never)).toThrow(/unknown option cache/);
  expect(() => step.explain({ inputs: [3 as never] })).toThrow(/argument 0/);
  expect(() => compile((x: Tensor) => x).explain()).toThrow(/nothing was compiled yet/);
  expect(() => step.explain({ text: true } as never)).toThrow(/unknown option text/);
});

test("a bad label, a bad dtype and a bad option change nothing", async () => {
  const made = training((parameters) => new optim.Adam(parameters, { lr: 0.1 }));
  const step = compile(made.fn);
  step.sync(X, Y);
  const state = (): unknown => [valuesOf(made), made.optimizer.stateDict().state[0].step];
  const before = state();
  const bad = tensor([0, 1, 2, 3, 0, 1], { dtype: "int32" });
  expect(() => step.sync(X, bad)).toThrow(IndexError);
  await expect(step(X, bad)).rejects.toThrow(/index 3 at position 3/);
  for (const dtype of ["int64", "uint8"] as const) {
    expect(() => step.sync(X, bad.astype(dtype))).toThrow(IndexError);
  }
  expect(() => step.sync(X, Y.astype("float32"))).toThrow(DTypeError);
  made.optimizer.paramGroups[0].lr = Number.NaN;
  expect(() => step.sync(X, Y)).toThrow(/lr must be/);
  await expect(step(X, Y)).rejects.toThrow(/lr must be/);
  expect(state()).toEqual(before);
  made.optimizer.paramGroups[0].lr = 0.1;
  await step(X, Y);
  expect(state()).not.toEqual(before);
});

test("an argument that the function writes as well", async () => {
  const weight = tensor([1, 2, 3]);
  const step = compile((x: Tensor) => {
    weight.assign(weight.mul(2));
    return x.add(1);
  });
  expect(() => step.sync(weight)).toThrow(/argument 0 shares memory .* clone\(\)/);
  await expect(step(weight.slice([1, 3]))).rejects.toThrow(ArgumentError);
  expect(step.sync(weight.clone()).toArray()).toEqual([2, 3, 4]);
  expect(weight.toArray()).toEqual([2, 4, 6]);
});

test("two arrays around one memory, one of them written", () => {
  const memory = new Float32Array(3);
  const [a, b] = [0, 1].map(() => new TensorClass(fromTypedArray(memory, [3])));
  const step = compile(() => {
    a.assign(b.add(1));
    return a.add(b);
  });
  expect(() => step.sync()).toThrow(TraceError);
});

test("memory that could be resized stays out of the background", async () => {
  const buffer = Reflect.construct(ArrayBuffer, [16, { maxByteLength: 64 }]);
  const x = new TensorClass(fromTypedArray(new Float32Array(buffer), [4]));
  const step = compile((y: Tensor) => y.add(1));
  expect(step.sync(x).toArray()).toEqual([1, 1, 1, 1]);
  await expect(step(x)).rejects.toThrow(/resizable/);
  expect(x.toArray()).toEqual([0, 0, 0, 0]);
});

test("noGrad takes no promise, but sync", async () => {
  const { model } = training();
  model.eval();
  const predict = compile((x: Tensor) => model.forward(x));
  const expected = model.forward(X).toArray();
  expect(noGrad(() => predict.sync(X)).toArray()).toEqual(expected);
  const own = X.clone();
  expect(() => noGrad(() => predict(own))).toThrow(ArgumentError);
  expect(() => own.item()).toThrow();
  expect(() => own.toArray()).toThrow(BusyError);
});
