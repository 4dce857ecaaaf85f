/** Random tensor functions for property tests: what a list of numbers means as a function with a backward pass. */
import { type Generator, nn, noGrad, type Tensor, tensor, zeros } from "../../lib/index.js";
import { concat, indexAdd, stack, where } from "../../lib/ops/index.js";

/** One operation: which, on which earlier values, and a number for its options. */
export type Step = readonly [operation: number, first: number, second: number, option: number];

/** What a random function works on. */
export interface World {
  readonly parameters: Tensor[];
  /** Overwritten in place by the function. */
  readonly state: Tensor;
  readonly dtype: "float32" | "float64";
}

const SHAPES = [[3, 4], [4, 5], [4], [3, 1], [], [2, 3, 4], [17, 3]] as const;

export function makeWorld(generator: Generator, dtype: World["dtype"]): World {
  const parameters = SHAPES.map((shape) => generator.normal(shape, { dtype }));
  for (const parameter of parameters) parameter.requiresGrad = true;
  return { parameters, state: zeros([3, 4], { dtype }), dtype };
}

type Make = (x: Tensor, y: Tensor, option: number) => Tensor;

const axisOf = (x: Tensor, option: number): number => (x.ndim === 0 ? 0 : option % x.ndim);
const bounded = (x: Tensor): Tensor => x.tanh();

/** Those that need an axis return their operand where there is none. */
const overAxis =
  (make: (x: Tensor, axis: number, option: number) => Tensor): Make =>
  (x, _, option) =>
    x.ndim === 0 ? x : make(x, axisOf(x, option), option);

const OPERATIONS: readonly Make[] = [
  (x, y) => x.add(y),
  (x, y) => x.sub(y),
  (x, y) => x.mul(y),
  (x, y) => x.div(y.abs().add(1)),
  (x, y) => x.maximum(y),
  (x, y) => x.minimum(y),
  (x, _, option) => x.mul(option / 3 - 1),
  (x, _, option) => x.add(option),
  (x) => x.relu(),
  (x, _, option) => x.leakyRelu(option / 10),
  (x) => x.tanh(),
  (x) => x.sigmoid(),
  (x) => x.gelu(),
  (x) => x.silu(),
  (x) => bounded(x).exp(),
  (x) => x.abs().add(0.5).log(),
  (x) => x.square(),
  (x) => x.abs().add(1).sqrt(),
  (x) => x.neg(),
  (x) => x.softplus(),
  (x, y) => where(x.gt(y), x, y.mul(2)),
  (x, y) => where(x.ge(0).logicalAnd(y.lt(1)), x, 0),
  (x, y) => x.gt(y).astype(x.dtype).mul(x),
  (x, y) => x.matmul(y),
  (x, y) => x.matmul(y).relu(),
  (x, y, option) => x.matmul(y).add(option).sigmoid(),
  (x, y) => x.transpose().matmul(y),
  overAxis((x, axis) => x.sum(axis)),
  overAxis((x, axis) => x.mean(axis, { keepDims: true })),
  overAxis((x, axis) => x.max(axis)),
  overAxis((x, axis) => x.softmax(axis)),
  overAxis((x, axis) => x.logSoftmax(axis)),
  overAxis((x, axis) => x.argmax(axis).astype(x.dtype)),
  overAxis((x, axis, option) => x.take([0, option % x.shape[axis], 0], axis)),
  overAxis((x, axis) => concat([x, x.mul(2)], axis)),
  overAxis((x, _, option) => x.slice(["...", [null, null, option % 2 === 0 ? -1 : 2]] as never)),
  overAxis((x) => indexAdd(x, 0, [0, 0], x.slice([0, 1]).broadcastTo([2, ...x.shape.slice(1)]))),
  (x) => stack([x, x.neg()]),
  (x) => x.reshape([-1]),
  (x) => (x.ndim < 2 ? x : x.transpose()),
  (x) => x.clone(),
  (x) => x.detach(),
  (x) =>
    x
      .astype(x.dtype === "float32" ? "float64" : "float32")
      .mul(2)
      .astype(x.dtype),
  (x) => x.expandDims(0).broadcastTo([2, ...x.shape]),
  (x, _, option) => nn.functional.dropout(x, { p: option / 10 } as never),
];

/** How many operations there are. */
export const OPERATION_COUNT = OPERATIONS.length;

const LARGEST = 2000;

/**
 * The function that the steps describe: of an input [3,4]; steps whose operands do not fit are left out. Its results are
 * all values of the last steps, gradients go to the world's parameters, and its state is overwritten on the way.
 */
export function functionOf(steps: readonly Step[], world: World): (x: Tensor) => Tensor[] {
  return (x) => {
    const values: Tensor[] = [x, ...world.parameters, world.state.clone()];
    steps.forEach(([operation, first, second, option], i) => {
      const pick = (n: number): Tensor => values[values.length - 1 - (n % values.length)];
      let value: Tensor;
      try {
        value = OPERATIONS[operation](pick(first), pick(second), option);
      } catch (error) {
        if ((error as Error).name === "TraceError") throw error;
        return;
      }
      if (value.size > LARGEST || value.ndim > 4 || value.size === 0) return;
      values.push(value);
      if (i % 3 === 0 && value.size === 12) {
        noGrad(() => world.state.assign(world.state.mul(0.5).add(bounded(value.reshape([3, 4])))));
      }
    });
    const made = values.slice(-6);
    let loss = x.sum();
    for (const value of made) if (value.requiresGrad) loss = loss.add(bounded(value).mean());
    for (const parameter of world.parameters) parameter.grad = null;
    if (loss.requiresGrad) loss.backward();
    return [...made.map((value) => value.detach()), loss.detach()];
  };
}

/** A tensor of numbers that a list describes, some of them special. */
export const inputOf = (numbers: readonly number[], dtype: World["dtype"]): Tensor =>
  tensor([...numbers], { dtype, shape: [3, 4] });
