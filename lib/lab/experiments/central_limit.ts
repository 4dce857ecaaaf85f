/** The pre-activations of one random layer: sums of many independent terms, so nearly normal. */
import * as init from "../../init/index.js";
import { Generator } from "../../random/generator.js";
import { type Tensor, zeros } from "../../tensor.js";
import { atMost, near, relative } from "../checks.js";
import type { Experiment } from "../experiment.js";

/** Pre-activations of one distribution of weights. */
export interface Sums {
  readonly name: string;
  /** Share of units per bin, divided by the bin's width: a density. */
  readonly density: readonly number[];
  readonly variance: number;
  /** Largest distance of the distribution function to the normal one. */
  readonly distance: number;
  /** Share of units that are zero after ReLU, and the mean of their squares over that before. */
  readonly zeroShare: number;
  readonly secondMoment: number;
}

export interface CentralLimitData {
  readonly units: number;
  readonly inputs: number;
  /** c/n · ‖x‖². */
  readonly predicted: number;
  /** Middles of the bins, in predicted standard deviations. */
  readonly bins: readonly number[];
  readonly binWidth: number;
  readonly sums: readonly Sums[];
}

const UNITS = 20_000;
const C = 2;
const REACH = 4;
const BINS = 64;
/** Standard errors that an honest draw exceeds once in 16,000. */
const ERRORS = 4;
const ROOT_3 = Math.sqrt(3);

export const centralLimit: Experiment<CentralLimitData> = {
  name: "centralLimit",
  run({ images }) {
    const [x] = images.test.batch(Int32Array.of(0));
    const inputs = x.shape[1];
    const std = Math.sqrt(C / inputs);
    const predicted = std ** 2 * x.pow(2).sum().item();
    const weights = zeros([inputs, UNITS]);
    const normal = x.matmul(init.normal(weights, { std, generator: new Generator(9) }));
    // Far from normal themselves: their sums are all the same.
    const bounds = { low: -ROOT_3 * std, high: ROOT_3 * std };
    const uniform = x.matmul(init.uniform(weights, { ...bounds, generator: new Generator(10) }));
    const binWidth = (2 * REACH) / BINS;
    return {
      units: UNITS,
      inputs,
      predicted,
      bins: Array.from({ length: BINS }, (_, i) => -REACH + (i + 0.5) * binWidth),
      binWidth,
      sums: [
        describeSums("normal weights", normal, predicted),
        describeSums("uniform weights", uniform, predicted),
      ],
    };
  },
  check: ({ units, predicted, sums }) =>
    sums.flatMap(({ name, variance, distance, zeroShare, secondMoment }) => [
      // The variance of z² is twice the squared variance of z.
      relative(`${name}: variance against c/n · ‖x‖²`, variance, predicted, ERRORS * Math.sqrt(2 / units)),
      atMost(
        `${name}: largest distance to the normal distribution function`,
        distance,
        1.95 / Math.sqrt(units),
      ),
      near(`${name}: share of zeros after ReLU`, zeroShare, 0.5, (ERRORS * 0.5) / Math.sqrt(units)),
      // relu(z)² has the mean ½ and the variance 3/2 − 1/4, in units of the variance of z.
      near(
        `${name}: second moment after ReLU over c/n · ‖x‖²`,
        secondMoment,
        0.5,
        ERRORS * Math.sqrt(1.25 / units),
      ),
    ]),
};

function describeSums(name: string, z: Tensor, predicted: number): Sums {
  const values = Float64Array.from(z.data, Number).sort();
  const deviation = Math.sqrt(predicted);
  const counts = new Float64Array(BINS);
  let distance = 0;
  values.forEach((value, i) => {
    const position = value / deviation;
    const bin = Math.floor(((position + REACH) / (2 * REACH)) * BINS);
    if (bin >= 0 && bin < BINS) counts[bin]++;
    const normal = normalDistribution(position);
    distance = Math.max(distance, Math.abs(normal - i / UNITS), Math.abs(normal - (i + 1) / UNITS));
  });
  const active = z.relu();
  return {
    name,
    density: [...counts].map((count) => count / UNITS / ((2 * REACH) / BINS)),
    variance: z.pow(2).mean().item(),
    distance,
    zeroShare: active.eq(0).astype("float32").mean().item(),
    secondMoment: active.pow(2).mean().item() / predicted,
  };
}

/** Density of the standard normal distribution. */
export const normalDensity = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

/** Distribution function of the standard normal distribution, by Simpson's rule from 0. */
function normalDistribution(x: number): number {
  const n = 64;
  const h = x / n;
  let sum = normalDensity(0) + normalDensity(x);
  for (let i = 1; i < n; i++) sum += (i % 2 === 1 ? 4 : 2) * normalDensity(i * h);
  return 0.5 + (sum * h) / 3;
}
