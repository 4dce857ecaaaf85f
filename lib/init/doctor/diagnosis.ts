/** What the initialization doctor found: numbers by layer, the first layer that fails, and all of it as a table. */
import { formatShape } from "../../ndarray/shape.js";
import { shortNumber, textTable } from "../../text_table.js";

/** One layer of the model. Z are its activations: what the next layer took, or what the model gave. */
export interface LayerDiagnosis {
  /** The layer's name in the model, and its class. */
  name: string;
  layer: string;
  /** Of the weight. */
  shape: readonly number[];
  /** What follows the layer: classes of modules, a function that was recognized, "linear" or "?". */
  activation: string;
  /** Mean of the squares of the weights. */
  weightVariance: number;
  /** c in E[w²] = c/fanIn. */
  c: number;
  /** Factor on the second moment from the layer's input to Z, by theory: c/2 for ReLU. null where it says nothing. */
  predictedGrowth: number | null;
  /** The same, measured. */
  measuredGrowth: number;
  /** ‖Z‖ over the whole batch, and the mean of Z². */
  norm: number;
  secondMoment: number;
  /** ‖∂loss/∂Z‖ and ‖∂loss/∂W‖; null without a loss, and for frozen layers. */
  gradientNorm: number | null;
  weightGradientNorm: number | null;
  /** Share of the units (positions of the last axis of Z) that are 0 for every example. */
  deadUnits: number;
}

/** What can be wrong with a layer. */
export type FailureKind = "nan" | "dead" | "vanishing" | "exploding";

/** The first layer that fails. */
export interface Failure {
  kind: FailureKind;
  /** In the forward pass, or only in the backward pass. */
  pass: "forward" | "backward";
  /** Its position among the layers, and its name in the model. */
  index: number;
  name: string;
  /** The variance of its weights that keeps the size of what passes through it; null where none does or it is unknown. */
  variance: number | null;
  /** All this as a sentence. */
  message: string;
}

/** What `diagnose` returns. */
export class Diagnosis {
  readonly layers: readonly LayerDiagnosis[];
  /** The value of the loss, or null if there was none. */
  readonly loss: number | null;
  /** null if nothing fails. */
  readonly failure: Failure | null;

  /** @internal */
  constructor(layers: readonly LayerDiagnosis[], loss: number | null, failure: Failure | null) {
    this.layers = layers;
    this.loss = loss;
    this.failure = failure;
  }

  /** A table with a row for each layer, and the verdict. */
  toString(): string {
    const optional = (value: number | null): string => (value === null ? "—" : shortNumber(value, 3));
    const header = [
      "layer",
      "weight",
      "c",
      "activation",
      "growth by theory",
      "measured",
      "‖Z‖",
      "‖∂loss/∂Z‖",
      "‖∂loss/∂W‖",
      "dead",
    ];
    const rows = this.layers.map((layer) => [
      layer.name === "" ? layer.layer : `${layer.name} ${layer.layer}`,
      formatShape(layer.shape),
      shortNumber(layer.c, 3),
      layer.activation,
      optional(layer.predictedGrowth),
      shortNumber(layer.measuredGrowth, 3),
      shortNumber(layer.norm, 3),
      optional(layer.gradientNorm),
      optional(layer.weightGradientNorm),
      `${Math.round(100 * layer.deadUnits)} %`,
    ]);
    const loss = this.loss === null ? "" : `loss ${shortNumber(this.loss)}. `;
    const verdict = this.failure === null ? "No layer fails." : this.failure.message;
    return [textTable(header, rows), `${loss}${verdict}`].join("\n");
  }
}
