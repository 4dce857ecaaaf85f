/**
 * Initial values whose variance is set by the layer's size, so that activations (fan in) or gradients (fan out) keep
 * their size from layer to layer: He et al. 2015 (Kaiming), Glorot and Bengio 2010 (Xavier), LeCun et al. 1998.
 */
import { ShapeError } from "../errors.js";
import { formatShape, sizeOf } from "../ndarray/shape.js";
import { checkTensor } from "../ops/operands.js";
import { checkChoice, checkNumber, FINITE, NON_NEGATIVE, withDefaults } from "../options.js";
import type { Tensor } from "../tensor.js";
import { normal, RANDOM_INIT, type RandomInit, uniform } from "./fill.js";

/** What a layer is followed by. */
export type Nonlinearity = "linear" | "sigmoid" | "tanh" | "relu" | "leakyRelu" | "selu";

const NONLINEARITIES: readonly Nonlinearity[] = ["linear", "sigmoid", "tanh", "relu", "leakyRelu", "selu"];
const SELU_GAIN = 3 / 4;
const TANH_GAIN = 5 / 3;

/**
 * The factor on the standard deviation that makes up for a nonlinearity, PyTorch's values: 1 for linear and sigmoid,
 * 5/3 for tanh, √2 for relu, √(2/(1 + a²)) for leakyRelu of negative slope a (default 0.01), 3/4 for selu.
 */
export function calculateGain(nonlinearity: Nonlinearity, negativeSlope = 0.01): number {
  return gainOf("calculateGain", nonlinearity, "negativeSlope", negativeSlope);
}

function gainOf(operation: string, nonlinearity: Nonlinearity, slopeName: string, slope: number): number {
  switch (checkChoice(operation, "nonlinearity", nonlinearity, NONLINEARITIES)) {
    case "tanh":
      return TANH_GAIN;
    case "relu":
      return Math.SQRT2;
    case "leakyRelu":
      return Math.sqrt(2 / (1 + checkNumber(operation, slopeName, slope, FINITE) ** 2));
    case "selu":
      return SELU_GAIN;
    default:
      return 1;
  }
}

/**
 * How many inputs one output of a weight [out, in, ...] depends on, and how many outputs one input reaches.
 * ShapeError for fewer than two axes.
 */
export function calculateFan(x: Tensor, operation = "calculateFan"): { fanIn: number; fanOut: number } {
  const { shape } = checkTensor(operation, x);
  if (shape.length < 2) {
    throw new ShapeError(
      `${operation}: needs a weight [out, in, ...] of at least two axes, got ${formatShape(shape)}`,
    );
  }
  const [outputs, inputs, ...window] = shape;
  const positions = sizeOf(window);
  return { fanIn: inputs * positions, fanOut: outputs * positions };
}

/** Options of the Kaiming rules. */
export interface KaimingOptions extends RandomInit {
  /** Negative slope of the leakyRelu that follows (default 0, a relu). */
  a?: number;
  /** Keep the size of activations ("fanIn", default) or of gradients ("fanOut"). */
  mode?: "fanIn" | "fanOut";
  /** Default "leakyRelu". */
  nonlinearity?: Nonlinearity;
}

const KAIMING: Required<Omit<KaimingOptions, "generator">> & RandomInit = {
  ...RANDOM_INIT,
  a: 0,
  mode: "fanIn",
  nonlinearity: "leakyRelu",
};

/** A standard deviation, and where to draw from. */
interface Scaled extends RandomInit {
  std: number;
}

function kaiming(operation: string, x: Tensor, options: KaimingOptions): Scaled {
  const { a, mode, nonlinearity, generator } = withDefaults(operation, options, KAIMING);
  const fan = calculateFan(x, operation)[checkChoice(operation, "mode", mode, ["fanIn", "fanOut"])];
  return { std: gainOf(operation, nonlinearity, "a", a) / Math.sqrt(Math.max(fan, 1)), generator };
}

/** Half the width of a uniform distribution around 0 over its standard deviation. */
const ROOT_3 = Math.sqrt(3);

const symmetric = <T extends Tensor>(x: T, { std, generator }: Scaled): T =>
  uniform(x, { low: -ROOT_3 * std, high: ROOT_3 * std, generator });

/**
 * Overwrites x with numbers uniform around 0 of standard deviation gain/√fan.
 *
 * Source: He et al., "Delving deep into rectifiers", 2015.
 */
export function kaimingUniform<T extends Tensor>(x: T, options: KaimingOptions = {}): T {
  return symmetric(x, kaiming("kaimingUniform", x, options));
}

/**
 * Overwrites x with normal numbers of standard deviation gain/√fan: variance 2/n for relu.
 *
 * Source: He et al., "Delving deep into rectifiers", 2015.
 */
export function kaimingNormal<T extends Tensor>(x: T, options: KaimingOptions = {}): T {
  return normal(x, kaiming("kaimingNormal", x, options));
}

/** Options of the Xavier rules. */
export interface XavierOptions extends RandomInit {
  /** Factor on the standard deviation (default 1), see `calculateGain`. */
  gain?: number;
}

function xavier(operation: string, x: Tensor, options: XavierOptions): Scaled {
  const { gain, generator } = withDefaults(operation, options, { ...RANDOM_INIT, gain: 1 });
  const { fanIn, fanOut } = calculateFan(x, operation);
  const std = checkNumber(operation, "gain", gain, NON_NEGATIVE) * Math.sqrt(2 / Math.max(fanIn + fanOut, 1));
  return { std, generator };
}

/**
 * Overwrites x with numbers uniform around 0 of standard deviation gain·√(2/(fanIn + fanOut)).
 *
 * Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward networks", 2010.
 */
export function xavierUniform<T extends Tensor>(x: T, options: XavierOptions = {}): T {
  return symmetric(x, xavier("xavierUniform", x, options));
}

/**
 * Overwrites x with normal numbers of standard deviation gain·√(2/(fanIn + fanOut)).
 *
 * Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward networks", 2010.
 */
export function xavierNormal<T extends Tensor>(x: T, options: XavierOptions = {}): T {
  return normal(x, xavier("xavierNormal", x, options));
}

function lecun(operation: string, x: Tensor, options: RandomInit): Scaled {
  const { generator } = withDefaults(operation, options, RANDOM_INIT);
  return { std: 1 / Math.sqrt(Math.max(calculateFan(x, operation).fanIn, 1)), generator };
}

/**
 * Overwrites x with numbers uniform around 0 of variance 1/fanIn.
 *
 * Source: LeCun et al., "Efficient backprop", 1998.
 */
export function lecunUniform<T extends Tensor>(x: T, options: RandomInit = {}): T {
  return symmetric(x, lecun("lecunUniform", x, options));
}

/**
 * Overwrites x with normal numbers of variance 1/fanIn.
 *
 * Source: LeCun et al., "Efficient backprop", 1998.
 */
export function lecunNormal<T extends Tensor>(x: T, options: RandomInit = {}): T {
  return normal(x, lecun("lecunNormal", x, options));
}
