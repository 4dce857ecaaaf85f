/** The initialization doctor: one forward and one backward pass, set beside what theory predicts of them. */
import { grad } from "../../autograd/functional.js";
import { enableGrad, noGrad } from "../../autograd/mode.js";
import { describe } from "../../describe.js";
import { ArgumentError, GradientError } from "../../errors.js";
import { isFloat } from "../../ndarray/dtype.js";
import { crossEntropy } from "../../nn/functional/classification.js";
import { mseLoss } from "../../nn/functional/regression.js";
import type { Module } from "../../nn/module.js";
import { checkTensor, describeResult } from "../../ops/operands.js";
import { checkNumber, type Range, withDefaults } from "../../options.js";
import { recorder } from "../../runtime/recorder.js";
import { Tensor } from "../../tensor.js";
import { type ObservedCall, observe, secondMoment } from "../observe.js";
import { calculateFan } from "../scaled.js";
import { Diagnosis, type LayerDiagnosis } from "./diagnosis.js";
import { firstFailure } from "./failure.js";
import { activationAfter, steadyVariance } from "./theory.js";

/** Options of `diagnose`. */
export interface DiagnoseOptions {
  /** What the model's output is compared with; with neither target nor loss there are no gradients. */
  target?: Tensor;
  /** The loss, one element; by default cross-entropy for integer targets, the mean squared error for others. */
  loss?: (output: Tensor, target: Tensor) => Tensor;
  /** How much the second moment may change through the model, > 1 (default 1000). */
  limit?: number;
  /** Share of dead units from which on a layer is dead, in (0, 1] (default 0.9). */
  deadShare?: number;
}

const ABOVE_ONE: Range = { text: "a number > 1", holds: (x) => x > 1 && x < Infinity };
const SHARE: Range = { text: "a number in (0, 1]", holds: (x) => x > 0 && x <= 1 };

/**
 * Runs a model on a batch and, if there is a loss, back, and compares each layer with theory. Layers are modules
 * with a `weight` of two axes or more, in the order in which they are called. The model runs in the mode it is in (batch
 * normalization in training moves its running means); no parameter and no `grad` is changed.
 *
 * Errors: ArgumentError for options outside their range, a model without layers or a loss that is no tensor of one
 * element; GradientError for a loss that does not depend on the model.
 *
 * Source: The theory of the growth factors: He et al., "Delving deep into rectifiers", 2015.
 */
export function diagnose(model: Module, batch: Tensor, options: DiagnoseOptions = {}): Diagnosis {
  recorder()?.refuse("diagnose", "call it outside of compiled functions: it reads values");
  const { target, loss, limit, deadShare } = withDefaults("diagnose", options, {
    target: undefined,
    loss: undefined,
    limit: 1000,
    deadShare: 0.9,
  } as DiagnoseOptions);
  const thresholds = {
    limit: checkNumber("diagnose", "limit", limit, ABOVE_ONE),
    deadShare: checkNumber("diagnose", "deadShare", deadShare, SHARE),
  };
  const { calls, output } = enableGrad(() => observe("diagnose", model, batch));
  const value = enableGrad(() => lossOf(output, target, loss));
  const gradients = value === null ? new Map<Tensor, number>() : gradientNorms(value, calls);
  const activations = calls.map(activationAfter);
  const inputs = calls.map(({ input }) => secondMoment(input));
  const outputs = calls.map((call) => secondMoment(call.output));
  let predictedInput = inputs[0];
  const layers = calls.map((call, i): LayerDiagnosis => {
    const { weight, bias } = call.module;
    const { fanIn } = calculateFan(weight);
    const weightVariance = secondMoment(weight);
    const variance =
      fanIn * weightVariance * predictedInput + (bias instanceof Tensor ? secondMoment(bias) : 0);
    const predicted = activations[i].secondMoment?.(variance) ?? null;
    const moment = secondMoment(call.activation);
    const layer: LayerDiagnosis = {
      name: call.name,
      layer: call.module.constructor.name,
      shape: weight.shape,
      activation: activations[i].name,
      weightVariance,
      c: fanIn * weightVariance,
      predictedGrowth: predicted === null ? null : predicted / predictedInput,
      measuredGrowth: moment / inputs[i],
      norm: Math.sqrt(moment * call.activation.size),
      secondMoment: moment,
      gradientNorm: gradients.get(call.activation) ?? null,
      weightGradientNorm: gradients.get(weight) ?? null,
      deadUnits: deadShareOf(call.activation),
    };
    // Theory goes on from its own prediction; where it has none, from what was measured.
    predictedInput = predicted ?? moment;
    return layer;
  });
  const steady = (i: number): number | null =>
    steadyVariance(calculateFan(calls[i].module.weight).fanIn, inputs[i], activations[i]);
  const isBiased = (i: number): boolean => {
    const { weight, bias } = calls[i].module;
    const byWeights = calculateFan(weight).fanIn * layers[i].weightVariance * inputs[i];
    return byWeights > 0 && bias instanceof Tensor && secondMoment(bias) > byWeights;
  };
  const failure = firstFailure({ layers, inputs, outputs, isBiased, steady }, thresholds);
  return new Diagnosis(layers, value?.item() ?? null, failure);
}

const norm = (x: Tensor): number => Math.sqrt(secondMoment(x) * x.size);

function lossOf(output: Tensor, target: unknown, loss: DiagnoseOptions["loss"]): Tensor | null {
  const compared = target === undefined ? undefined : checkTensor("diagnose", target, "target");
  if (loss === undefined) {
    if (compared === undefined) return null;
    return (isFloat(compared.dtype) ? mseLoss : crossEntropy)(output, compared);
  }
  if (typeof loss !== "function") {
    throw new ArgumentError(`diagnose: loss must be a function, got ${describe(loss)}`);
  }
  // A loss that closes over its target takes no second argument.
  const value: unknown = loss(output, compared as Tensor);
  if (value instanceof Tensor && value.size === 1) return value;
  throw new ArgumentError(`diagnose: loss must return a Tensor of one element, got ${describeResult(value)}`);
}

/** The norm of the gradient at all activations and weights that have one. */
function gradientNorms(loss: Tensor, calls: readonly ObservedCall[]): Map<Tensor, number> {
  if (!loss.requiresGrad) {
    throw new GradientError(
      "diagnose: the loss depends on nothing that requires a gradient; it must depend on the model's output, " +
        "and some weight must require one",
    );
  }
  const all = calls
    .flatMap(({ activation, module }) => [activation, module.weight])
    .filter((tensor) => tensor.requiresGrad);
  return new Map(grad(loss, all).map((gradient, i) => [all[i], norm(gradient)]));
}

/** The share of positions of the last axis at which every example is 0. */
function deadShareOf(activation: Tensor): number {
  const units = activation.shape.at(-1) ?? 1;
  return noGrad(() =>
    activation
      .detach()
      .reshape([activation.size / units, units])
      .ne(0)
      .any(0)
      .logicalNot()
      .astype("float32")
      .mean()
      .item(),
  );
}
