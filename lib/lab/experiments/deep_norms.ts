/** Depth 50 at initialization: norms of activations, of weight gradients and of back-propagated errors, by layer. */
import { compile } from "../../compile/index.js";
import { diagnose } from "../../init/doctor/diagnose.js";
import { crossEntropy } from "../../nn/functional/index.js";
import type { Sequential } from "../../nn/index.js";
import { stack } from "../../ops/shape.js";
import type { Tensor } from "../../tensor.js";
import { holds, relative, withinFactor } from "../checks.js";
import { activationsOf, DEPTH, deepNetwork, drawWeights, linearLayers } from "../deep_network.js";
import type { Experiment } from "../experiment.js";
import { DEEP } from "../lecture.js";

/** Norms by layer, layer 1 first. */
export interface Norms {
  /** ‖Z‖ after each layer, its ReLU included; the logits last. */
  readonly activations: readonly number[];
  /** ‖∇W‖. */
  readonly weightGradients: readonly number[];
  /** ‖∂loss/∂Z‖ of the same Z. */
  readonly errors: readonly number[];
}

/** What one factor c gives. */
export interface DeepNorms {
  readonly c: number;
  /** √(c/2). */
  readonly growthInTheory: number;
  /** Growth of ‖Z‖ per layer, the root mean square over layers and seeds. */
  readonly growth: number;
  /** One draw, and what `diagnose` says of it; null where it finds nothing wrong. */
  readonly one: Norms;
  readonly failure: string | null;
  /** Geometric means over all seeds. */
  readonly mean: Norms;
}

export interface DeepNormsData {
  readonly batch: number;
  readonly seeds: number;
  readonly variances: readonly DeepNorms[];
}

export const BATCH = 100;
const SEEDS = 20;
const GROWTH_SHARE = 0.02;
/** One draw differs from another by a factor of two or three: each layer adds to the logarithm's variance. */
const DRAW_FACTOR = 10;
const WEIGHT_LAYERS = [1, 25, DEPTH] as const;
const ERROR_LAYERS = [1, DEPTH - 1] as const;

export const deepNorms: Experiment<DeepNormsData> = {
  name: "deepNorms",
  run({ images, progress }) {
    const [x, y] = images.test.batch(Int32Array.from({ length: BATCH }, (_, i) => i));
    const network = deepNetwork(x.shape[1], { bias: false });
    const measure = compile((input: Tensor, labels: Tensor) => {
      for (const parameter of network.parameters()) parameter.zeroGrad();
      const activations = activationsOf(network, input);
      for (const z of activations) z.retainGrad();
      crossEntropy(activations[DEPTH - 1], labels).backward();
      const norms = (tensors: (Tensor | null)[]): Tensor =>
        stack(tensors.map((tensor) => (tensor as Tensor).norm()));
      return {
        activations: norms(activations.map((z) => z.detach())),
        weightGradients: norms(linearLayers(network).map(({ weight }) => weight.grad)),
        errors: norms(activations.map(({ grad }) => grad)),
      };
    });
    const variances = DEEP.map(({ c }, i): DeepNorms => {
      const draws = Array.from({ length: SEEDS }, (_, seed): Norms => {
        drawWeights(network, c, seed);
        const { activations, weightGradients, errors } = measure.sync(x, y);
        progress((i + seed / SEEDS) / DEEP.length);
        return {
          activations: numbers(activations),
          weightGradients: numbers(weightGradients),
          errors: numbers(errors),
        };
      });
      return {
        c,
        growthInTheory: Math.sqrt(c / 2),
        growth: rootMean(draws.flatMap(({ activations }) => squaredRatios(activations))),
        one: draws[0],
        failure: failureOf(network, c, x, y),
        mean: geometricMean(draws),
      };
    });
    return { batch: BATCH, seeds: SEEDS, variances };
  },
  check: ({ variances }) =>
    variances.flatMap(({ c, growth, growthInTheory, mean, failure }, i) => {
      const { weightGradients, errors } = DEEP[i];
      return [
        relative(
          `c = ${c}: growth of ‖Z‖ per layer, mean of ${SEEDS} draws, against √(c/2)`,
          growth,
          growthInTheory,
          GROWTH_SHARE,
        ),
        holds(
          c === 2 ? "c = 2: diagnose finds nothing wrong" : `c = ${c}: diagnose finds a failure`,
          (failure === null) === (c === 2),
        ),
        ...WEIGHT_LAYERS.map((layer, k) =>
          withinFactor(
            `c = ${c}: ‖∇W‖ at layer ${layer}, geometric mean of ${SEEDS} draws`,
            mean.weightGradients[layer - 1],
            weightGradients[k],
            DRAW_FACTOR,
          ),
        ),
        ...ERROR_LAYERS.map((layer, k) =>
          withinFactor(
            `c = ${c}: ‖∂loss/∂Z‖ at layer ${layer}, geometric mean of ${SEEDS} draws`,
            mean.errors[layer - 1],
            errors[k],
            DRAW_FACTOR,
          ),
        ),
      ];
    }),
};

/** Of the first draw. */
function failureOf(network: Sequential, c: number, x: Tensor, target: Tensor): string | null {
  drawWeights(network, c, 0);
  return diagnose(network, x, { target }).failure?.message ?? null;
}

const numbers = ({ data }: Tensor): number[] => [...data].map(Number);

/**
 * ‖Z′‖²/‖Z‖² of all layers behind a ReLU. Given Z, its expectation is c/2 exactly; that of the ratio of the norms, or of
 * its logarithm, is a little less.
 */
const squaredRatios = (norms: readonly number[]): number[] =>
  norms.slice(1, DEPTH - 1).map((norm, i) => (norm / norms[i]) ** 2);

const rootMean = (squares: readonly number[]): number =>
  Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length);

function geometricMean(draws: readonly Norms[]): Norms {
  const mean = (key: keyof Norms): number[] =>
    draws[0][key].map((_, layer) => {
      const logarithms = draws.map((norms) => Math.log(norms[key][layer]));
      return Math.exp(logarithms.reduce((sum, value) => sum + value, 0) / draws.length);
    });
  return {
    activations: mean("activations"),
    weightGradients: mean("weightGradients"),
    errors: mean("errors"),
  };
}
