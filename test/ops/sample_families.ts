/** What a sample is, and the families of samples that differ in one function only; the samples are in samples.ts. */
import { grad as gradientsOf } from "../../lib/autograd/functional.js";
import { type Tensor, tensor } from "../../lib/tensor.js";
import { along, elementwise, type Plain } from "./plain.js";

/** Where random inputs lie: smooth for the operation, so that differences can judge derivatives. */
export type Domain = "real" | "positive" | "unit" | "spread" | "bool";

/** Inputs of one case: a shape and a domain for each tensor. */
export type Input = readonly [shape: readonly number[], domain?: Domain];

export interface Case {
  inputs: readonly Input[];
  /** The operation with this case's options. */
  call: (...inputs: Tensor[]) => Tensor;
  reference: (...inputs: Plain[]) => Plain;
  /** Integer or bool inputs that take no part in derivatives, appended to the call. */
  differentiable?: boolean;
}

export interface Samples {
  cases: readonly Case[];
  /** Largest relative difference between executors in float32; 0 means the same bits. */
  tolerance?: number;
}

type Call = (...inputs: Tensor[]) => Tensor;

export const ULP = 2 ** -23;
export const TRANSCENDENTAL = 4 * ULP;

const BROADCASTS: readonly (readonly [readonly number[], readonly number[]])[] = [
  [
    [3, 4],
    [3, 4],
  ],
  [[3, 4], [4]],
  [
    [2, 1, 3],
    [4, 1],
  ],
  [[], [5]],
  [
    [0, 3],
    [1, 3],
  ],
  [[], []],
  [[37], [37]],
];
const SHAPES: readonly (readonly number[])[] = [[], [1], [3, 5], [2, 3, 4], [0], [3, 0, 2], [67]];

export function unary(call: Call, f: (x: number) => number, domain: Domain = "real", tolerance = 0): Samples {
  return {
    tolerance,
    cases: SHAPES.map((shape) => ({ inputs: [[shape, domain]], call, reference: elementwise(f) })),
  };
}

export function binary(
  call: Call,
  f: (a: number, b: number) => number,
  domain: Domain = "real",
  tolerance = 0,
): Samples {
  return {
    tolerance,
    cases: BROADCASTS.map(([a, b]) => ({
      inputs: [
        [a, domain],
        [b, domain],
      ],
      call,
      reference: elementwise(f),
    })),
  };
}

export const truth = (value: boolean): number => (value ? 1 : 0);

export function reduce(
  call: (x: Tensor, axis?: number | number[] | null, options?: { keepDims?: boolean }) => Tensor,
  f: (values: number[]) => number,
  {
    domain = "spread",
    empty = true,
    tolerance = 0,
  }: { domain?: Domain; empty?: boolean; tolerance?: number } = {},
): Samples {
  const cases: Case[] = [
    { inputs: [[[3, 5], domain]], call: (x) => call(x), reference: along(f, [0, 1]) },
    { inputs: [[[3, 5], domain]], call: (x) => call(x, 0), reference: along(f, [0]) },
    {
      inputs: [[[3, 5], domain]],
      call: (x) => call(x, -1, { keepDims: true }),
      reference: along(f, [1], true),
    },
    { inputs: [[[2, 3, 4], domain]], call: (x) => call(x, [0, 2]), reference: along(f, [0, 2]) },
    { inputs: [[[33, 2], domain]], call: (x) => call(x, 0), reference: along(f, [0]) },
    { inputs: [[[0, 3], domain]], call: (x) => call(x, 1), reference: along(f, [1]) },
    { inputs: [[[], domain]], call: (x) => call(x), reference: along(f, []) },
  ];
  if (empty) cases.push({ inputs: [[[2, 0], domain]], call: (x) => call(x, 1), reference: along(f, [1]) });
  return { cases, tolerance };
}

export const total = (values: number[]): number => values.reduce((sum, value) => sum + value, 0);
export const average = (values: number[]): number => total(values) / values.length;
export const largest = (values: number[]): number =>
  values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
export const logSumExp = (values: number[]): number => Math.log(total(values.map(Math.exp)));

export function argReduce(
  call: (x: Tensor, axis?: number | null) => Tensor,
  best: (a: number, b: number) => boolean,
): Samples {
  const f = (values: number[]): number => values.reduce((k, value, i) => (best(value, values[k]) ? i : k), 0);
  return {
    cases: [
      { inputs: [[[3, 5], "spread"]], call: (x) => call(x), reference: along(f, [0, 1]) },
      { inputs: [[[3, 17], "spread"]], call: (x) => call(x, 1), reference: along(f, [1]) },
      { inputs: [[[5, 3], "spread"]], call: (x) => call(x, 0), reference: along(f, [0]) },
    ],
  };
}

export const constant = (samples: Samples): Samples => ({
  ...samples,
  cases: samples.cases.map((sample) => ({ ...sample, differentiable: false })),
});

/** The gradient operations are reached through the derivative of what they belong to. */
export function gradientOf(call: (x: Tensor) => Tensor, slope: (x: number) => number): Samples {
  return {
    cases: SHAPES.map((shape) => ({
      inputs: [
        [shape, "spread"],
        [shape, "real"],
      ],
      call: (x, grad) => derivativeCall(call, x, grad),
      reference: elementwise((x, grad) => slope(x) * grad),
    })),
  };
}

function derivativeCall(call: (x: Tensor) => Tensor, x: Tensor, grad: Tensor): Tensor {
  const input = x.requiresGrad ? x : tensor(x.array, { requiresGrad: true });
  const [result] = gradientsOf([call(input)], [input], { gradOutputs: [grad], createGraph: true });
  return result;
}
