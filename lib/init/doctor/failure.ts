/** The rules by which a layer fails. */
import type { Failure, FailureKind, LayerDiagnosis } from "./diagnosis.js";

/** Where the doctor draws the line. */
export interface Thresholds {
  /** Factor on the second moment, from the model's input on or from its output back, that is too much, > 1. */
  limit: number;
  /** Share of units that are 0 for every example that is too much, in (0, 1]. */
  deadShare: number;
}

/** What the rules look at beside the layer's numbers. */
export interface Evidence {
  layers: readonly LayerDiagnosis[];
  /** For each layer, the second moment of its input and of its output before the activation. */
  inputs: readonly number[];
  outputs: readonly number[];
  /** Whether a layer's bias outweighs what its weights make of its inputs; then no weights would help. */
  isBiased: (index: number) => boolean;
  /** The variance of the weights that keeps the activations' size, asked for where it is needed. */
  steady: (index: number) => number | null;
}

/** The first layer that fails, forward from the input or, if none does, backward from the output. */
export function firstFailure(evidence: Evidence, thresholds: Thresholds): Failure | null {
  return forward(evidence, thresholds) ?? backward(evidence.layers, thresholds);
}

function forward(
  { layers, inputs, outputs, isBiased, steady }: Evidence,
  thresholds: Thresholds,
): Failure | null {
  for (const [index, layer] of layers.entries()) {
    const growth = layer.secondMoment / inputs[0];
    const kind = forwardKind(layer, outputs[index], growth, thresholds);
    if (kind === null) continue;
    const reason = {
      nan: "its activations hold NaN or infinities",
      dead: `${Math.round(100 * layer.deadUnits)} % of its units are 0 for every example`,
      vanishing: `the second moment of its activations is ${times(growth)} that of the model's input`,
      exploding: `the second moment of its activations is ${times(growth)} that of the model's input`,
    }[kind];
    if ((kind === "dead" || kind === "exploding") && isBiased(index)) {
      const advice = "Its bias outweighs what its weights make of its inputs; biases should start near 0.";
      return failure(kind, "forward", index, layer, reason, null, advice);
    }
    const variance = steady(index);
    return failure(kind, "forward", index, layer, reason, variance, weightsOf(variance, "there"));
  }
  return null;
}

function forwardKind(
  { secondMoment, deadUnits }: LayerDiagnosis,
  output: number,
  growth: number,
  { limit, deadShare }: Thresholds,
): FailureKind | null {
  if (!Number.isFinite(secondMoment)) return "nan";
  // Without pre-activations there is nothing that an activation could have let die.
  if (deadUnits >= deadShare && output > 0) return "dead";
  if (growth > limit) return "exploding";
  return growth < 1 / limit ? "vanishing" : null;
}

function backward(layers: readonly LayerDiagnosis[], { limit }: Thresholds): Failure | null {
  const last = layers.at(-1)?.gradientNorm ?? null;
  if (last === null) return null;
  for (let index = layers.length - 2; index >= 0; index--) {
    const gradient = layers[index].gradientNorm;
    // Below a frozen layer nothing comes back.
    if (gradient === null) break;
    const growth = (gradient / last) ** 2;
    const kind: FailureKind | null = !Number.isFinite(gradient)
      ? "nan"
      : growth > limit
        ? "exploding"
        : growth < 1 / limit
          ? "vanishing"
          : null;
    if (kind === null) continue;
    // The weights above are what the gradient came through, and its square is proportional to their variance.
    const above = layers[index + 1];
    const factor = ((above.gradientNorm as number) / gradient) ** 2;
    const variance = above.weightVariance * factor;
    const reason = `the square of the gradient at its activations is ${times(growth)} that at the model's output`;
    const known = variance > 0 && variance < Infinity ? variance : null;
    return failure(
      kind,
      "backward",
      index,
      layers[index],
      reason,
      known,
      weightsOf(known, `in ${above.name}`),
    );
  }
  return null;
}

const weightsOf = (variance: number | null, where: string): string =>
  variance === null ? "" : `Weights of variance ${variance.toPrecision(3)} ${where} would keep the size.`;

const times = (growth: number): string => (growth === 0 ? "0 times" : `${growth.toExponential(1)} times`);

function failure(
  kind: FailureKind,
  pass: Failure["pass"],
  index: number,
  layer: LayerDiagnosis,
  reason: string,
  variance: number | null,
  advice: string,
): Failure {
  const where = `layer ${index + 1} (${[layer.name, layer.layer].filter((part) => part !== "").join(" ")})`;
  const verb = { nan: "is not finite", dead: "is dead", vanishing: "vanishes", exploding: "explodes" }[kind];
  return {
    kind,
    pass,
    index,
    name: layer.name,
    variance,
    message: `First failure, in the ${pass} pass: ${where} ${verb}: ${reason}. ${advice}`.trimEnd(),
  };
}
