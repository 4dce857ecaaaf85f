/** Runs in the background: who waits for whom, what is protected meanwhile, and that the event loop goes on. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { BusyError } from "../../lib/errors.js";
import { compile, Generator, setBackgroundPriority, type Tensor, tensor } from "../../lib/index.js";
import { backendInfo } from "../../lib/runtime/executor.js";
import { training, valuesOf, X, Y } from "./steps.js";

test("one inference function called several times at once", async () => {
  const { model } = training();
  model.eval();
  const predict = compile((x: Tensor) => model.forward(x));
  const expected = model.forward(X).toArray();
  const results = await Promise.all([X, X, X.clone(), X].map((x) => predict(x)));
  expect(results.map((result) => result.toArray())).toEqual([expected, expected, expected, expected]);
});

test("a function without any parameter, called at once and in between", async () => {
  const double = compile((x: Tensor) => x.mul(2).exp());
  const own = X.clone();
  const running = double(own);
  expect(() => double.sync(X)).toThrow(BusyError);
  await running;
  expect(double.sync(X).toArray()).toEqual(X.mul(2).exp().toArray());
});

test("everything that a run uses is busy until it ends", async () => {
  const made = training();
  const step = compile(made.fn);
  const x = X.clone();
  const [weight] = made.model.parameters();
  const running = step(x, Y);
  for (const tensorInUse of [x, weight, Y]) {
    const touches: (() => unknown)[] = [
      () => tensorInUse.toArray(),
      () => tensorInUse.data,
      () => tensorInUse.add(1),
      () => tensorInUse.detach().assign(tensorInUse.detach()),
      () => String(tensorInUse),
      () => tensorInUse.clone(),
    ];
    for (const touch of touches) expect(touch).toThrow(BusyError);
  }
  expect(() => step.sync(X, Y)).toThrow(BusyError);
  expect(() => made.fn(X, Y)).toThrow(BusyError);
  expect(() => x.item()).toThrow();
  // Shapes, views and transposes look at no element.
  expect(x.reshape([-1]).shape).toEqual([24]);
  await running;
  x.toArray();
  weight.toArray();
  step.sync(x, Y);
});

test("a failed run releases what it used, and those that wait go on", async () => {
  const plain = training();
  plain.fn(X, Y);
  plain.fn(X, Y);
  const made = training();
  const step = compile(made.fn);
  const bad = tensor([0, 1, 2, 3, 0, 1], { dtype: "int32" });
  const results = await Promise.allSettled([step(X, Y), step(X, bad), step(X, Y)]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(valuesOf(made)).toEqual(valuesOf(plain));
});

test("steps that share nothing do not wait for one another", async () => {
  const long = compile((x: Tensor) => {
    let y = x;
    for (let i = 0; i < 30; i++) y = y.matmul(x).tanh();
    return y;
  });
  const short = compile((x: Tensor) => x.add(1));
  const big = new Generator(1).normal([300, 300]);
  const order: string[] = [];
  await long(big.clone());
  await Promise.all([
    long(big).then(() => order.push("long")),
    short(X).then(() => order.push("short")),
    short(Y).then(() => order.push("short")),
  ]);
  if (backendInfo().backend === "native") expect(order).toEqual(["short", "short", "long"]);
});

test("one tensor passed twice, strided, broadcast, 0-d and empty arguments", async () => {
  const fn = (a: Tensor, b: Tensor, c: Tensor): Tensor[] => [a.mul(b), b.add(c), c.sum()];
  const step = compile(fn);
  const matrix = tensor([[1, 2], [3, 4]]); // biome-ignore format: a matrix
  const groups: [Tensor, Tensor, Tensor][] = [
    [matrix, matrix, matrix],
    [matrix.transpose(), matrix, matrix.slice([null, null, -1])],
    [tensor(3), tensor([1, 2]).broadcastTo([2, 2]), tensor(4)],
    [tensor([], { shape: [0, 2] }), matrix.slice([0, 1]), tensor([], { shape: [0, 2] })],
  ];
  for (const group of groups) {
    const expected = fn(...group).map((result) => result.toArray());
    expect(step.sync(...group).map((result) => result.toArray())).toEqual(expected);
    expect((await step(...group)).map((result) => result.toArray())).toEqual(expected);
  }
});

test("an argument moved to a worker while it is used is copied", async () => {
  const step = compile((x: Tensor) => x.matmul(x).tanh().matmul(x));
  const x = new Generator(1).normal([200, 200]);
  const expected = step.sync(x).toArray();
  const { buffer } = x.data;
  const running = step(x);
  try {
    const moved = structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
    expect(moved.byteLength).toBe(buffer.byteLength);
  } catch (error) {
    // Later versions of Node refuse instead.
    expect((error as Error).name).toBe("DataCloneError");
  }
  expect((await running).toArray()).toEqual(expected);
  expect(buffer.byteLength).toBeGreaterThan(0);
});

/** Scheduling policies of this process's threads, as Linux numbers them; none elsewhere. */
const policies = (): number[] =>
  process.platform !== "linux"
    ? []
    : readdirSync("/proc/self/task").map((task) => {
        const stat = readFileSync(`/proc/self/task/${task}/stat`, "utf8");
        // The name in brackets may hold blanks; the policy is the 41st field, 38 behind the brackets.
        return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[38]);
      });
const SCHED_IDLE = 5;

test("runs of low priority have the same bits, and give way where the system can be told", async () => {
  const outcome = async (priority: "normal" | "low"): Promise<unknown> => {
    setBackgroundPriority(priority);
    const made = training();
    const step = compile(made.fn);
    for (let i = 0; i < 3; i++) await step(X, Y);
    return valuesOf(made);
  };
  const normal = await outcome("normal");
  expect(policies()).not.toContain(SCHED_IDLE);
  expect(await outcome("low")).toEqual(normal);
  if (policies().length > 0 && backendInfo().backend === "native") expect(policies()).toContain(SCHED_IDLE);
  expect(await outcome("normal")).toEqual(normal);
  expect(() => setBackgroundPriority("high" as never)).toThrow(
    'setBackgroundPriority: priority must be "normal" or "low", got "high"',
  );
});
